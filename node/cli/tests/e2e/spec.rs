// SPDX-License-Identifier: Apache-2.0
//! The nodes that a test asks for: the duties, keys and options of each.

use std::path::PathBuf;

/// The operators of a development chain but for Alice.
pub const OTHERS: [&str; 11] = [
    "Bob",
    "Charlie",
    "Dave",
    "AliceStash",
    "BobStash",
    "CharlieStash",
    "DaveStash",
    "EveStash",
    "FerdieStash",
    "One",
    "Two",
];

/// A node that is to be started. Keys are those of the development accounts: `Alice` and so on.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    /// The chain; `None` with `--dev`, which names one itself.
    pub chain: Option<&'static str>,
    /// Options of the command line, besides those of folder, ports and neighbours.
    pub options: Vec<String>,
    /// Keys that its keystore holds before it starts.
    pub keys: Vec<KeySpec>,
    /// The port of its RPC; a free one if `None`.
    pub rpc_port: Option<u16>,
    /// Whether it serves metrics.
    pub metrics: bool,
    /// The base path of another node that it shares; one of its own if `None`.
    pub base: Option<PathBuf>,
}

/// A key in a node's keystore.
#[derive(Clone, Debug)]
pub struct KeySpec {
    /// The type, such as `assy`.
    pub kind: &'static str,
    /// The signature scheme.
    pub scheme: &'static str,
    /// The secret URI.
    pub suri: String,
}

impl NodeSpec {
    /// Describes a whole development chain in one process: a validator with all operators.
    pub fn dev() -> Self {
        Self { chain: None, ..Self::full() }.with(&["--dev"])
    }

    /// Describes a plain full node of the development chain.
    pub fn full() -> Self {
        Self {
            chain: Some("dev"),
            options: Vec::new(),
            keys: Vec::new(),
            rpc_port: None,
            metrics: false,
            base: None,
        }
    }

    /// Describes a validator of the development chain that has the session keys of `name`.
    pub fn validator(name: &str) -> Self {
        let suri = format!("//{name}");
        let session = [("babe", "sr25519"), ("gran", "ed25519")];
        let keys = session.map(|(kind, scheme)| KeySpec { kind, scheme, suri: suri.clone() });
        Self { keys: keys.into(), ..Self::full() }.with(&["--validator"])
    }

    /// Describes a node of the development chain that has an engine and the worker keys of `names`.
    pub fn operators(names: &[&str]) -> Self {
        Self::full().with_workers(names).with(&["--engine"])
    }

    /// Describes such a node with the worker keys of all operators.
    pub fn all_operators() -> Self {
        Self::operators(&OTHERS).with_workers(&["Alice"])
    }

    /// Describes a validator that has an engine and the worker keys of all operators but these.
    pub fn validator_without(absent: &[&str]) -> Self {
        let mut present = vec!["Alice"];
        present.extend(OTHERS);
        present.retain(|name| !absent.contains(name));
        Self::validator("Alice").with_workers(&present).with(&["--engine"])
    }

    /// Shares the base path of another node.
    pub fn at_base_path(self, base: PathBuf) -> Self {
        Self { base: Some(base), ..self }
    }

    /// Adds the worker keys of `names`.
    pub fn with_workers(mut self, names: &[&str]) -> Self {
        let key =
            |name| KeySpec { kind: "assy", scheme: "sr25519", suri: format!("//{name}//worker") };
        self.keys.extend(names.iter().map(key));
        self
    }

    /// Has it serve metrics.
    pub fn with_metrics(self) -> Self {
        Self { metrics: true, ..self }
    }

    /// Moves it to the chain with that name.
    pub fn on_chain(self, name: &'static str) -> Self {
        Self { chain: Some(name), ..self }
    }

    /// Has it serve its RPC on that port, whoever else does.
    pub fn at_rpc_port(self, port: u16) -> Self {
        Self { rpc_port: Some(port), ..self }
    }

    /// Adds options of the command line.
    pub fn with(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(ToString::to_string));
        self
    }
}
