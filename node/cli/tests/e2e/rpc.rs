// SPDX-License-Identifier: Apache-2.0
//! The node's own RPC methods, as a dApp calls them.

use crate::{cli::assay, network::dev, node::Node, wait::START};
use assay_cli::{chain::Chain, fault::Fault};
use assay_primitives::JobId;
use assay_rpc::{OutputItem, StreamEnd};
use jsonrpsee::core::client::Subscription;
use std::fmt::Debug;
use tokio::time::timeout;

/// A block that no test reaches.
const NEVER: &str = "800000";

/// The items of a stream, as one.
#[derive(Default)]
struct Whole {
    tokens: Vec<u32>,
    bytes: Vec<u8>,
    finish: Option<String>,
    end: Option<StreamEnd>,
}

/// Orders a job and returns its id.
async fn order(node: &Node, options: &[&str]) -> JobId {
    let args = [&["job", "create", "--json"], options, &["In the beginning"]].concat();
    let job = assay(node, &args).await.ok();
    job["job"].as_str().unwrap().parse().unwrap()
}

/// Reads a stream that begins with the token at index `from`, to its end.
async fn read(mut items: Subscription<OutputItem>, from: u32) -> Whole {
    let mut whole = Whole::default();
    while whole.end.is_none() {
        let item = timeout(START, items.next()).await.expect("the stream goes on");
        let item = item.expect("the stream says why it ends").unwrap();
        assert_eq!(item.index as usize, from as usize + whole.tokens.len(), "without a gap");
        whole.tokens.extend(item.tokens);
        whole.bytes.extend_from_slice(&item.bytes);
        (whole.finish, whole.end) = (item.finish, item.end);
    }
    whole
}

/// Returns the code and the message of an error of the RPC.
fn fault<T: Debug>(result: anyhow::Result<T>) -> (String, String) {
    let fault: Fault = result.unwrap_err().downcast().expect("it is an error of the RPC");
    (fault.code, fault.message)
}

#[tokio::test]
async fn stream_brings_the_output_and_says_how_it_ended() {
    let node = dev(&[]).await;
    let job = order(&node, &["--max-tokens", "24"]).await;
    let chain = node.chain().await;
    let all = chain.follow_output(&job, 0).await.unwrap();
    let later = chain.follow_output(&job, 7).await.unwrap();
    let (all, later) = tokio::join!(read(all, 0), read(later, 7));

    // An output of all tokens that a job can have ends before its operator commits to it.
    assay(&node, &["job", "status", "--json", "--wait", &format!("{job:?}")]).await.ok();
    let output = chain.output(&job).await.unwrap().expect("the node has the output");
    assert!(output.transcript.is_some(), "it is committed");
    assert_eq!(all.tokens, output.tokens);
    assert_eq!(all.bytes, output.bytes.0);
    assert_eq!(all.finish, output.finish);
    assert_eq!(all.end.map(StreamEnd::label), output.finish.as_deref());
    assert_eq!(later.tokens, output.tokens[7..]);
    assert!(output.bytes.ends_with(&later.bytes) && !later.bytes.is_empty());
    assert_eq!(later.end, all.end);

    // Whoever comes after the end gets the same at once, and from the end on only the reason.
    let again = read(chain.follow_output(&job, 0).await.unwrap(), 0).await;
    assert_eq!((again.tokens, again.bytes, again.end), (all.tokens, all.bytes, all.end));
    let length = output.tokens.len() as u32;
    let rest = read(chain.follow_output(&job, length).await.unwrap(), length).await;
    assert_eq!((rest.tokens, rest.end), (vec![], all.end));
    let (code, message) = fault(chain.follow_output(&job, 25).await);
    assert_eq!(code, "rpc.7000");
    assert!(message.contains("25") && message.contains("24"), "{message}");
}

#[tokio::test]
async fn unknown_job_is_an_error_at_once() {
    let node = dev(&[]).await;
    let chain = node.chain().await;
    let id = JobId::repeat_byte(0xab);
    let at_once = async {
        let output = fault(chain.output(&id).await);
        (output, fault(chain.follow_output(&id, 0).await))
    };
    let (output, stream) = timeout(START, at_once).await.expect("nothing is waited for");
    for (code, message) in [output, stream] {
        assert_eq!(code, "rpc.7002");
        assert!(message.contains(&format!("{id:?}")), "{message}");
    }
}

#[tokio::test]
async fn streams_are_limited_and_end_with_a_job_that_is_cancelled() {
    let node = dev(&[]).await;
    let job = order(&node, &["--not-before", NEVER]).await;
    let chain = node.chain().await;
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(chain.follow_output(&job, 0).await.unwrap());
    }
    let (code, message) = fault(chain.follow_output(&job, 0).await);
    assert_eq!(code, "rpc.7001");
    assert!(message.contains("64") && message.contains("assay_unsubscribeOutput"), "{message}");
    let other: Chain = node.chain().await;
    let other = other.follow_output(&job, 0).await.expect("another connection has places");
    drop(other);
    // A place that is left is free again.
    streams.pop().unwrap().unsubscribe().await.unwrap();
    crate::wait::wait_for("a place is free", START, async || {
        match chain.follow_output(&job, 0).await {
            Ok(stream) => {
                streams.push(stream);
                true
            }
            Err(_) => false,
        }
    })
    .await;

    assay(&node, &["job", "cancel", "--json", &format!("{job:?}")]).await.ok();
    for stream in streams {
        let whole = read(stream, 0).await;
        assert_eq!((whole.tokens, whole.finish), (vec![], None));
        assert_eq!(whole.end, Some(StreamEnd::NoOutput));
    }
}
