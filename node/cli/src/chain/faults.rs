// SPDX-License-Identifier: Apache-2.0
//! Errors between this command and a node, in words.

use crate::fault::Fault;
use jsonrpsee::core::ClientError;
use serde_json::Value;

/// The code of the error for a node that takes no more connections.
const BUSY: &str = "node_busy";

/// Converts an error of the RPC.
pub fn of_rpc(url: &str, method: &str, error: ClientError) -> anyhow::Error {
    match error {
        ClientError::Call(error) => {
            // Many errors name their cause only in `data`.
            let data = error.data().map(|data| data.get());
            let data = data.and_then(|data| serde_json::from_str::<Value>(data).ok());
            let message = match data {
                Some(Value::String(data)) => format!("{}: {data}", error.message()),
                Some(data) if !data.is_null() => format!("{}: {data}", error.message()),
                _ => error.message().to_string(),
            };
            Fault::error(format!("rpc.{}", error.code()), message)
        }
        ClientError::RequestTimeout => Fault::error(
            "node_timeout",
            format!("the node at {url} did not answer {method} in time; see its log"),
        ),
        ClientError::Transport(_) | ClientError::RestartNeeded(_) => gone(url),
        error => Fault::error("rpc", format!("{method}: {error}")),
    }
}

/// Converts an error of the attempt to connect.
pub fn of_dialling(url: &str, error: &ClientError) -> anyhow::Error {
    let reason = error.to_string();
    match status(&reason) {
        // A node answers so once it has as many connections as it takes.
        Some(429) => Fault::error(
            BUSY,
            format!(
                "the node at {url} takes no more connections (HTTP status 429); try again later, name \
                 another node with --url, or raise --rpc-max-connections of the node if it is yours"
            ),
        ),
        Some(status) => Fault::error(
            "node_refused",
            format!(
                "the server at {url} refuses the connection with HTTP status {status}; name the \
                 WebSocket address of a node with --url, and look at the proxy before it if there is one"
            ),
        ),
        None => unreachable(url, &reason),
    }
}

/// Returns the HTTP status of an answer that refuses the connection. The client does not export the type
/// of its error, whose words have it.
fn status(reason: &str) -> Option<u16> {
    let (_, after) = reason.split_once("rejected with status code: ")?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Returns the error for a node that cannot be reached.
pub fn unreachable(url: &str, reason: &str) -> anyhow::Error {
    Fault::error(
        "node_unreachable",
        format!(
            "no node answers at {url}: {reason}; start one with `assay-node --dev`, or name another \
             with --url"
        ),
    )
}

/// Returns the error for a connection that is lost.
pub fn gone(url: &str) -> anyhow::Error {
    Fault::error(
        "node_gone",
        format!("the connection to the node at {url} is lost; see the node's log"),
    )
}

/// Returns whether an error is that the connection to the node is lost or cannot be made, so that it
/// may work later.
pub fn is_lost(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| {
        matches!(fault.code.as_str(), "node_unreachable" | BUSY | "node_gone" | "node_timeout")
    })
}

/// Returns whether an error is that a node takes no more connections.
pub fn is_busy(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| fault.code == BUSY)
}

/// Returns whether an error is that a node withholds an answer that it has: the answer is larger than it
/// sends, or the method is denied to this client.
pub fn is_withheld(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<Fault>()
        .is_some_and(|fault| matches!(fault.code.as_str(), "rpc.-32008" | "rpc.-32601"))
}

/// Returns whether an error is that a node has pruned the state at a block.
pub fn is_discarded(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| {
        fault.code.starts_with("rpc.") && fault.message.contains("State already discarded")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonrpsee::{
        types::{
            error::{METHOD_NOT_FOUND_CODE, OVERSIZED_RESPONSE_CODE},
            ErrorObject,
        },
        ws_client::WsClientBuilder,
    };
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const URL: &str = "ws://127.0.0.1:9944";

    #[test]
    fn errors_of_the_rpc_have_codes() {
        let call =
            |data: Option<&str>| ClientError::Call(ErrorObject::owned(1_010, "Invalid", data));
        for (error, code, words) in [
            (call(Some("too low")), "rpc.1010", "Invalid: too low"),
            (call(None), "rpc.1010", "Invalid"),
            (ClientError::RequestTimeout, "node_timeout", "did not answer the_method"),
            (ClientError::Transport("closed".into()), "node_gone", URL),
            (ClientError::HttpNotImplemented, "rpc", "the_method"),
        ] {
            let fault: Fault = of_rpc(URL, "the_method", error).downcast().expect("it is a fault");
            assert_eq!(fault.code, code);
            assert!(fault.message.contains(words), "{}", fault.message);
        }
    }

    #[tokio::test]
    async fn refusal_to_connect_is_told_from_a_node_that_is_absent() {
        let dialled = async |status: u16| {
            let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("ws://{}", server.local_addr().unwrap());
            let answer = async {
                let (mut stream, _) = server.accept().await.unwrap();
                let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                // Read to the end, so that the answer is not lost with a reset.
                let _ = stream.read_to_end(&mut Vec::new()).await;
            };
            let dialled = WsClientBuilder::default().build(&url);
            let (dialled, ()) = tokio::join!(dialled, answer);
            let error = of_dialling(URL, &dialled.expect_err("it is refused"));
            (is_lost(&error), error.downcast::<Fault>().expect("it is a fault"))
        };
        let (may_work_later, busy) = dialled(429).await;
        assert!(may_work_later && busy.code == "node_busy");
        for part in [URL, "no more connections", "try again later", "--rpc-max-connections"] {
            assert!(busy.message.contains(part), "{}", busy.message);
        }
        for status in [403, 404, 502] {
            let (_, refused) = dialled(status).await;
            assert_eq!(refused.code, "node_refused");
            assert!(refused.message.contains(&format!("HTTP status {status}")));
            assert!(!refused.message.contains("--dev"), "{}", refused.message);
        }
        let absent = of_dialling(URL, &ClientError::Transport("connection refused".into()));
        assert!(absent.to_string().contains("assay-node --dev"), "{absent}");
    }

    #[test]
    fn answer_that_is_too_big_or_denied_is_withheld() {
        let refused = |code| {
            let error = ClientError::Call(ErrorObject::owned(code, "no", None::<()>));
            of_rpc(URL, "the_method", error)
        };
        for code in [OVERSIZED_RESPONSE_CODE, METHOD_NOT_FOUND_CODE] {
            assert!(is_withheld(&refused(code).context("cannot read")), "{code}");
        }
        assert!(!is_withheld(&refused(1_010)));
        assert!(!is_withheld(&gone(URL)));
    }

    #[test]
    fn lost_connection_is_told_from_an_answer() {
        let refused = ClientError::Call(ErrorObject::owned(1_010, "Invalid", None::<()>));
        assert!(!is_lost(&of_rpc(URL, "the_method", refused)));
        assert!(is_lost(&of_rpc(URL, "the_method", ClientError::RequestTimeout)));
        assert!(is_lost(&gone(URL).context("cannot follow the chain")));
    }
}
