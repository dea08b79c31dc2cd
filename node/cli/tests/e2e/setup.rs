// SPDX-License-Identifier: Apache-2.0
//! All that a node has before it starts: a folder with its keys, ports, and a command line.

use crate::{
    backup::Backup,
    identity::Identity,
    port::Port,
    spec::{KeySpec, NodeSpec},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A node before its start. Its folder goes with it.
pub struct Setup {
    /// Its name in the network.
    pub identity: Identity,
    folder: TempDir,
    rpc: Port,
    p2p: Port,
    metrics: Option<Port>,
    options: Vec<String>,
    chain: &'static str,
    keys: Vec<KeySpec>,
    shared: Option<PathBuf>,
}

impl Setup {
    /// Claims the ports and inserts the keys.
    pub fn new(spec: NodeSpec) -> Self {
        let mut options = spec.options;
        options.extend(spec.chain.iter().flat_map(|chain| ["--chain".into(), chain.to_string()]));
        let setup = Self {
            identity: Identity::random(),
            folder: tempfile::Builder::new().prefix("assay-e2e-").tempdir().expect("a folder"),
            rpc: spec.rpc_port.map_or_else(Port::claim, Port::taken),
            p2p: Port::claim(),
            metrics: spec.metrics.then(Port::claim),
            options,
            chain: spec.chain.unwrap_or("dev"),
            keys: spec.keys,
            shared: spec.base,
        };
        setup.identity.write(&setup.network_key());
        setup.keys.iter().for_each(|key| setup.insert(key));
        setup
    }

    /// Copies what `docs/operator.md` says to back up.
    pub fn back_up(&self) -> Backup {
        Backup::of(&self.secret(), &self.network_key(), &self.keys)
    }

    /// Removes all that the node has written, and its keys.
    pub fn lose(&self) {
        fs::remove_dir_all(self.base()).expect("the node has a folder");
        fs::remove_file(self.network_key()).expect("the node has a key");
    }

    /// Restores the backup as `docs/operator.md` says.
    pub fn restore(&self, backup: &Backup) {
        backup.install(&self.secret(), &self.network_key());
        backup.keys.iter().for_each(|key| self.insert(key));
    }

    /// Makes the node at that address a neighbour.
    pub fn link(&mut self, address: &str) {
        self.options.extend(["--reserved-nodes".into(), address.into()]);
    }

    /// Returns the command that starts the node.
    pub fn command(&self) -> Command {
        let mut command = binary();
        command
            .args(&self.options)
            .args(["--reserved-only", "--no-mdns"])
            .arg("--base-path")
            .arg(self.base())
            .arg("--node-key-file")
            .arg(self.network_key())
            .args(["--rpc-port", &self.rpc_port().to_string()])
            .args(["--listen-addr", &self.listens()]);
        match &self.metrics {
            Some(port) => command.args(["--prometheus-port", &port.number().to_string()]),
            None => command.arg("--no-prometheus"),
        };
        command
    }

    /// Returns the port of its metrics.
    pub fn metrics_port(&self) -> u16 {
        self.metrics.as_ref().expect("it was asked to serve metrics").number()
    }

    /// Returns the port of its RPC.
    pub fn rpc_port(&self) -> u16 {
        self.rpc.number()
    }

    /// Returns the address at which other nodes reach it.
    pub fn address(&self) -> String {
        format!("{}/p2p/{}", self.listens(), self.identity.peer_id())
    }

    /// Returns the file for what the node prints.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Returns that address without the name.
    pub fn listens(&self) -> String {
        format!("/ip4/127.0.0.1/tcp/{}", self.p2p.number())
    }

    /// Returns the marks of work in progress that its worker has left, on whichever chain.
    pub fn marks(&self) -> Vec<String> {
        let files = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
        let chains = files(self.base().join("chains"));
        let marks = chains.flat_map(|chain| files(chain.path().join("worker").join("marks")));
        marks.map(|mark| mark.file_name().to_string_lossy().into_owned()).collect()
    }

    /// Returns the base path.
    pub fn base(&self) -> PathBuf {
        self.shared.clone().unwrap_or_else(|| self.folder.path().join("node"))
    }

    /// Returns the file of the worker's secret.
    fn secret(&self) -> PathBuf {
        self.base().join(format!("chains/assay-{}/worker/secret", self.chain))
    }

    /// Returns the file with its network key.
    pub fn network_key(&self) -> PathBuf {
        self.folder.path().join("network.key")
    }

    /// Inserts a key as an operator of a node does.
    fn insert(&self, KeySpec { kind, scheme, suri }: &KeySpec) {
        let status = binary()
            .args(["key", "insert", "--chain", self.chain, "--key-type", kind])
            .args(["--scheme", scheme, "--suri", suri])
            .arg("--base-path")
            .arg(self.base())
            .status()
            .expect("the node can be started");
        assert!(status.success(), "the key {kind} of {suri} is not inserted: {status}");
    }
}

/// Returns the node's binary, which lies beside that of the command.
fn binary() -> Command {
    let path = Path::new(env!("CARGO_BIN_EXE_assay")).with_file_name("assay-node");
    assert!(
        path.exists(),
        "{} is missing; build it with `cargo build --release --workspace`",
        path.display()
    );
    Command::new(path)
}
