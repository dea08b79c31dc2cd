// SPDX-License-Identifier: Apache-2.0
//! A node that runs.

use crate::{
    backup::Backup,
    place::Place,
    setup::Setup,
    spec::NodeSpec,
    wait::{wait_for, START},
};
use assay_cli::chain::Chain;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    time::Duration,
};

/// The longest that a node may take to end when it is told to.
const STOP: Duration = Duration::from_secs(90);

/// A node. Killed when dropped.
pub struct Node {
    child: Child,
    setup: Setup,
    _place: Option<Place>,
}

impl Node {
    /// Starts it.
    pub fn start(setup: Setup, place: Option<Place>) -> Self {
        Self { child: spawn(&setup), setup, _place: place }
    }

    /// Starts a node that is to refuse to run, and returns its log.
    pub async fn refused(spec: NodeSpec) -> String {
        let mut node = Self::start(Setup::new(spec), None);
        let status = node.ended(START).await;
        assert!(!status.success(), "{status}");
        node.log_text()
    }

    /// Waits until it answers.
    pub async fn ready(&mut self) {
        let url = self.url();
        let child = &mut self.child;
        wait_for("the node answers", START, async || {
            if let Some(status) = status(child) {
                panic!("the node ended with {status}");
            }
            Chain::connect(&url).await.is_ok()
        })
        .await;
    }

    /// Kills it as a power cut would, and waits until it is gone.
    pub fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Tells it to end, as a service manager does, and waits until it has.
    pub async fn stop(&mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        self.ended(STOP).await
    }

    /// Returns the marks of work in progress that its worker has left.
    pub fn marks(&self) -> Vec<String> {
        self.setup.marks()
    }

    /// Waits until it has ended by itself, and returns how.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        let child = &mut self.child;
        let mut ended = None;
        wait_for("the node ends", within, async || {
            ended = status(child);
            ended.is_some()
        })
        .await;
        ended.expect("it was waited for")
    }

    /// Starts it again with the same folder, ports and neighbours.
    pub async fn restart(&mut self) {
        self.start_again();
        self.ready().await;
    }

    /// Copies what `docs/operator.md` says to back up.
    pub fn back_up(&self) -> Backup {
        self.setup.back_up()
    }

    /// Kills it and removes all that it has written, as a broken disk would.
    pub fn lose(&mut self) {
        self.kill();
        self.setup.lose();
    }

    /// Starts it again with nothing but its backup, and the same ports and neighbours.
    pub async fn restore(&mut self, backup: &Backup) {
        self.setup.restore(backup);
        self.restart().await;
    }

    /// Starts it again and does not wait until it answers.
    pub fn start_again(&mut self) {
        self.child = spawn(&self.setup);
    }

    /// Returns the address of its RPC.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.rpc_port())
    }

    /// Returns the base path.
    pub fn base(&self) -> PathBuf {
        self.setup.base()
    }

    /// Returns the port of its RPC.
    pub fn rpc_port(&self) -> u16 {
        self.setup.rpc_port()
    }

    /// Returns the port of its metrics.
    pub fn metrics_port(&self) -> u16 {
        self.setup.metrics_port()
    }

    /// Connects to its RPC.
    pub async fn chain(&self) -> Chain {
        Chain::connect(&self.url()).await.expect("the node answers")
    }

    /// Returns its peer id.
    pub fn peer_id(&self) -> &str {
        self.setup.identity.peer_id()
    }

    /// Returns the address at which other nodes reach it, without its name.
    pub fn listens(&self) -> String {
        self.setup.listens()
    }

    /// Returns the file with its network key.
    pub fn network_key(&self) -> PathBuf {
        self.setup.network_key()
    }

    /// Returns all that it has logged.
    pub fn log_text(&self) -> String {
        fs::read_to_string(self.setup.log()).expect("it has a log")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let kept = std::env::temp_dir().join(format!("assay-e2e-{}.log", self.peer_id()));
            match fs::copy(self.setup.log(), &kept) {
                Ok(_) => print(&format!("log of the node: {}\n{}", kept.display(), tail(&kept))),
                Err(error) => print(&format!("the node's log cannot be kept: {error}")),
            }
        }
    }
}

fn spawn(setup: &Setup) -> Child {
    let log = File::options().create(true).append(true).open(setup.log());
    let log = log.expect("the folder is writable");
    setup
        .command()
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a file can be shared"))
        .stderr(log)
        .spawn()
        .expect("the node can be started")
}

/// Returns how it has ended, if it has.
fn status(child: &mut Child) -> Option<ExitStatus> {
    child.try_wait().expect("it was started")
}

#[allow(clippy::print_stderr, reason = "the test runner captures it")]
fn print(text: &str) {
    eprintln!("{text}");
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
