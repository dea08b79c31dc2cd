// SPDX-License-Identifier: Apache-2.0
//! Nodes that tests start.

use assay_cli::chain::Chain;
use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{interval, timeout},
};

/// How many nodes run at a time, where the tests share a process. With nextest each test is a
/// process, and its configuration says the same.
static PLACES: Semaphore = Semaphore::const_new(4);

/// How long a node may take to answer: it shares the cores with whatever else the machine does.
pub const START: Duration = Duration::from_secs(180);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// A permission to run nodes.
pub async fn places(count: u32) -> SemaphorePermit<'static> {
    PLACES.acquire_many(count).await.expect("never closed")
}

/// The node's binary, beside that of the command.
pub fn binary() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_assay")).with_file_name("assay-node");
    assert!(
        path.exists(),
        "{} is missing; build it with `cargo build --release --workspace`",
        path.display()
    );
    path
}

/// Waits until the condition holds.
pub async fn wait_for(what: &str, within: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let mut tick = interval(LOOK);
    let looking = async {
        loop {
            tick.tick().await;
            if holds().await {
                break;
            }
        }
    };
    timeout(within, looking).await.unwrap_or_else(|_| panic!("not in {within:?}: {what}"));
}

/// A port on which nothing listens, for as long as nobody else takes it.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the loopback interface has ports");
    listener.local_addr().expect("it is bound").port()
}

/// A node. Killed when dropped.
pub struct Node {
    child: Child,
    folder: TempDir,
    args: Vec<String>,
    rpc_port: u16,
    p2p_port: u16,
}

impl Node {
    /// Starts a node of the development chain and waits until it answers.
    pub async fn dev(args: &[&str]) -> Self {
        let mut all = vec!["--dev"];
        all.extend(args);
        Self::start(&all).await
    }

    /// Starts a node and waits until it answers.
    pub async fn start(args: &[&str]) -> Self {
        let mut node = Self::spawn(args, free_port());
        node.ready().await;
        node
    }

    /// Starts a node of the development chain that has an engine and the worker keys of these
    /// operators, beside another node, and waits until it answers.
    pub async fn of_operators(names: &[&str], beside: &Self) -> Self {
        let folder = new_folder();
        for name in names {
            insert_worker_key(folder.path(), name);
        }
        let address = beside.address().await;
        let args = ["--chain", "dev", "--engine", "--bootnodes", &address];
        let mut node = Self::spawn_in(folder, &args, free_port());
        node.ready().await;
        node
    }

    /// Starts a node that is to serve its RPC on this port.
    pub fn spawn(args: &[&str], rpc_port: u16) -> Self {
        Self::spawn_in(new_folder(), args, rpc_port)
    }

    fn spawn_in(folder: TempDir, args: &[&str], rpc_port: u16) -> Self {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let p2p_port = free_port();
        let child = launch(&args, folder.path(), rpc_port, p2p_port);
        Self { child, folder, args, rpc_port, p2p_port }
    }

    /// Waits until it answers.
    pub async fn ready(&mut self) {
        let url = self.url();
        let log = self.log();
        let child = &mut self.child;
        wait_for("the node answers", START, async || {
            if let Some(status) = child.try_wait().expect("it was started") {
                panic!("the node ended with {status}:\n{}", tail(&log));
            }
            Chain::connect(&url).await.is_ok()
        })
        .await;
    }

    /// Kills it as a power cut would, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it was started");
    }

    /// Starts it again on the same folder and ports.
    pub async fn restart(&mut self) {
        self.child = launch(&self.args, self.folder.path(), self.rpc_port, self.p2p_port);
        self.ready().await;
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let mut ended = None;
        wait_for("the node ends", START, async || {
            ended = child.try_wait().expect("it was started");
            ended.is_some()
        })
        .await;
        ended.expect("it was waited for")
    }

    /// Address of its RPC.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.rpc_port)
    }

    /// The port of its RPC.
    pub fn rpc_port(&self) -> u16 {
        self.rpc_port
    }

    /// Its RPC.
    pub async fn chain(&self) -> Chain {
        Chain::connect(&self.url()).await.expect("the node answers")
    }

    /// Where other nodes find it.
    pub async fn address(&self) -> String {
        let peer = self.chain().await.node_status().await.expect("it answers").peer_id;
        format!("/ip4/127.0.0.1/tcp/{}/p2p/{peer}", self.p2p_port)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// All that it has logged.
    pub fn log_text(&self) -> String {
        fs::read_to_string(self.log()).expect("it has a log")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let kept = std::env::temp_dir().join(format!("assay-e2e-{}.log", self.rpc_port));
            match fs::copy(self.log(), &kept) {
                Ok(_) => print(&format!("log of the node: {}\n{}", kept.display(), tail(&kept))),
                Err(error) => print(&format!("the node's log cannot be kept: {error}")),
            }
        }
    }
}

fn new_folder() -> TempDir {
    tempfile::Builder::new().prefix("assay-e2e-").tempdir().expect("a folder")
}

/// Puts the worker key of a development operator into the keystore of a node in that folder.
fn insert_worker_key(folder: &Path, name: &str) {
    let status = Command::new(binary())
        .args(["key", "insert", "--chain", "dev", "--scheme", "sr25519", "--key-type", "assy"])
        .args(["--suri", &format!("//{name}//worker")])
        .arg("--base-path")
        .arg(folder.join("node"))
        .status()
        .expect("the node can be started");
    assert!(status.success(), "the worker key of {name} is not inserted: {status}");
}

#[allow(clippy::print_stderr, reason = "the test runner captures it")]
fn print(text: &str) {
    eprintln!("{text}");
}

fn launch(args: &[String], folder: &Path, rpc_port: u16, p2p_port: u16) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .expect("the folder is writable");
    Command::new(binary())
        .args(args)
        .arg("--base-path")
        .arg(folder.join("node"))
        .args(["--no-prometheus", "--no-mdns", "--rpc-port", &rpc_port.to_string()])
        .args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{p2p_port}")])
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a file can be shared"))
        .stderr(log)
        .spawn()
        .expect("the node can be started")
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
