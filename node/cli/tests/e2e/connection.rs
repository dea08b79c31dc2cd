// SPDX-License-Identifier: Apache-2.0
//! Jobs outlive the connection to the node, and their ids are not lost.

use crate::{
    cli::{assay, without_node, Said},
    network::{dev, start, Topology},
    node::Node,
    proxy::Proxy,
    slow::slow_model,
    spec::NodeSpec,
    wait::wait_for,
};
use assay_engine::synthetic::Synthetic;
use serde_json::{json, Value};
use std::time::Duration;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStderr},
    time::timeout,
};

/// The time within which a connection that carries nothing is given up: twice the longest silence, on
/// a busy machine.
const NOTICED: Duration = Duration::from_secs(60);
/// The number of orders of which one is to be sent over a connection that closes before the next block.
const ORDERS: usize = 5;
/// The longest that any other line may take.
const LIMIT: Duration = Duration::from_secs(300);

/// A command that runs, with the lines that it writes to standard error.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    said: String,
}

impl Running {
    /// Starts the command over a proxy.
    fn start(proxy: &Proxy, args: &[&str]) -> Self {
        let mut command = without_node(args);
        let mut child = command.env("ASSAY_URL", proxy.url()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines, said: String::new() }
    }

    /// Waits for a line with these words.
    async fn says(&mut self, words: &str, within: Duration) -> String {
        let line = self.says_or_ends(words, within).await;
        line.unwrap_or_else(|| panic!("it ended without '{words}': {}", self.said))
    }

    /// Waits for a line with these words; `None` if the command ends without it.
    async fn says_or_ends(&mut self, words: &str, within: Duration) -> Option<String> {
        let reading = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.said += &format!("{line}\n");
                if line.contains(words) {
                    return Some(line);
                }
            }
            None
        };
        timeout(within, reading).await.unwrap_or_else(|_| panic!("no '{words}' in {within:?}"))
    }

    /// Returns the number of bytes that it has written to standard output so far.
    fn written(&self) -> u64 {
        let out = self.child.stdout.as_ref().expect("nobody has read it");
        rustix::io::ioctl_fionread(out).unwrap()
    }

    /// Waits for the end.
    async fn ends(mut self) -> Said {
        let ending = async {
            let mut out = String::new();
            self.child.stdout.take().unwrap().read_to_string(&mut out).await.unwrap();
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.said += &format!("{line}\n");
            }
            let code = self.child.wait().await.unwrap().code().expect("it was not killed");
            Said { code, out, err: self.said }
        };
        timeout(LIMIT, ending).await.expect("it ends")
    }
}

/// Asserts that the client has exactly these jobs, of which each was created after the one before.
async fn are_all_jobs(node: &Node, jobs: &[Value]) {
    let listed = assay(node, &["job", "list", "--json"]).await.ok();
    let listed: Vec<&Value> =
        listed["jobs"].as_array().unwrap().iter().map(|job| &job["job"]).collect();
    assert_eq!(listed, jobs.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn run_goes_on_after_a_silent_and_after_a_closed_connection() {
    let node = dev(&[]).await;
    let proxy = Proxy::start(node.rpc_port()).await;
    // The job begins after the connection was lost twice.
    let args = ["run", "--json", "--not-before", "30", "--max-tokens", "16", "In the beginning"];
    let mut run = Running::start(&proxy, &args);
    run.says("created in block", LIMIT).await;

    proxy.falls_silent();
    run.says("is lost", NOTICED).await;
    proxy.works(node.rpc_port());
    run.says("Connected again", LIMIT).await;
    proxy.closes();
    run.says("is lost", LIMIT).await;
    proxy.works(node.rpc_port());
    run.says("Connected again", LIMIT).await;

    let said = run.ends().await;
    let job = said.ok();
    assert_eq!(job["verified"], true, "{job}");
    let id = job["job"].as_str().unwrap();
    let shown = assay(&node, &["job", "status", id, "--output", "--json"]).await.ok();
    assert_eq!(shown["output"], job["output"]);
}

#[tokio::test]
async fn streamed_text_is_whole_over_a_connection_that_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slow.gguf");
    std::fs::write(&path, slow_model()).unwrap();
    let node = dev(&["--model", path.to_str().unwrap(), "--engine-threads", "1"]).await;
    let proxy = Proxy::start(node.rpc_port()).await;
    let mut run = Running::start(&proxy, &["run", "--max-tokens", "4000", "In the beginning"]);
    wait_for("a part of the text is written", LIMIT, async || run.written() > 0).await;
    proxy.closes();
    run.says("is lost", LIMIT).await;
    let before = run.written();
    proxy.works(node.rpc_port());

    let said = run.ends().await;
    assert_eq!(said.code, 0, "{said:?}");
    let jobs = assay(&node, &["job", "list", "--json"]).await.ok();
    let id = jobs["jobs"][0]["job"].as_str().unwrap();
    let job = assay(&node, &["job", "status", id, "--output", "--json"]).await.ok();
    let text = job["output"].as_str().unwrap();
    // The connection broke within the text.
    assert!((1..text.len() as u64).contains(&before), "{before} bytes of {text:?}");
    // Nothing is missing, doubled or shown anew.
    let after = said.out.strip_prefix(text).unwrap_or_else(|| panic!("not {text:?}: {said:?}"));
    assert!(after.starts_with("\n\nVerdict "), "{said:?}");
    assert_eq!(said.err.matches("Unverified text").count(), 1, "{said:?}");
    let verified = format!("verified: computed again by {} verifiers", job["verifiers"]);
    assert!(said.out.contains(&verified), "{said:?}");
}

#[tokio::test]
async fn connection_lost_while_an_order_is_sent_creates_one_job() {
    let node = dev(&[]).await;
    let proxy = Proxy::start(node.rpc_port()).await;
    let args = ["job", "create", "--json", "--not-before", "1000", "hello"];
    let mut jobs = Vec::new();
    for _ in 0..ORDERS {
        let mut create = Running::start(&proxy, &args);
        // The extrinsic, or the answer to it, is on its way.
        create.says("sent to", LIMIT).await;
        proxy.closes();
        let lost = create.says_or_ends("is lost", LIMIT).await;
        proxy.works(node.rpc_port());
        jobs.push(create.ends().await.ok()["job"].clone());
        are_all_jobs(&node, &jobs).await;
        if lost.is_some() {
            return;
        }
        // A block came before the connection was closed.
    }
    panic!("no connection was lost in time");
}

#[tokio::test]
async fn error_after_the_order_names_the_job() {
    let node = dev(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("other.gguf");
    std::fs::write(&model, Synthetic::default().file().unwrap()).unwrap();
    // Another model is another chain, with another genesis block.
    let other = dev(&["--model", model.to_str().unwrap()]).await;

    let proxy = Proxy::start(node.rpc_port()).await;
    let mut run = Running::start(&proxy, &["run", "--json", "--not-before", "1000", "hello"]);
    let created = run.says("created in block", LIMIT).await;
    proxy.closes();
    run.says("is lost", LIMIT).await;
    proxy.works(other.rpc_port());
    let said = run.ends().await;
    said.fails("other_chain", &["genesis"]);
    let id = said.json()["job"].clone();
    assert!(created.contains(id.as_str().unwrap()), "{created} {said:?}");
    are_all_jobs(&node, std::slice::from_ref(&id)).await;

    // So does one about a job that the chain refuses to change.
    let id = id.as_str().unwrap();
    let refused = assay(&node, &["job", "settle", id, "--json"]).await;
    refused.fails("jobs.JobNotDelivered", &[id]);
    assert_eq!(refused.json()["job"], json!(id));
}

#[tokio::test]
async fn chain_that_stands_still_is_noticed() {
    // A node that is not of `--dev` refuses a client that names another address, as one behind a proxy does.
    let specs = [NodeSpec::full().with(&["--rpc-cors", "all"]), NodeSpec::dev()];
    let [client, mut validator] = start(Topology::Line, specs).await;
    let args = ["job", "create", "--json", "--not-before", "1000", "hello"];
    let created = assay(&validator, &args).await.ok();
    let id = created["job"].as_str().unwrap();
    wait_for("the job is known everywhere", LIMIT, async || {
        assay(&client, &["job", "status", id, "--json"]).await.code == 0
    })
    .await;
    let proxy = Proxy::start(client.rpc_port()).await;
    let mut wait = Running::start(&proxy, &["job", "status", id, "--wait"]);
    validator.kill();
    wait.says("No block for 20 s", LIMIT).await;
}
