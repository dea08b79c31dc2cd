// SPDX-License-Identifier: Apache-2.0
//! The command, as a person or a script runs it.

use crate::node::Node;
use serde_json::Value;
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// The longest that a command may take: a job of many tokens on a busy machine.
const LIMIT: Duration = Duration::from_secs(600);

/// The environment variables that the command reads.
pub const VARIABLES: [&str; 5] =
    ["ASSAY_URL", "ASSAY_NETWORK", "ASSAY_SURI", "ASSAY_KEY_FILE", "ASSAY_PASSPHRASE_FILE"];

/// The outputs of a command and its exit code.
#[derive(Debug)]
pub struct Said {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Returns the object that is the last line of standard output.
    pub fn json(&self) -> Value {
        let last = self.out.lines().last().unwrap_or_else(|| panic!("no output: {self:?}"));
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns that object and asserts that the command has succeeded.
    pub fn ok(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        self.json()
    }

    /// Returns the job of a command that has succeeded, and asserts that verifiers have accepted it.
    pub fn accepted(&self) -> Value {
        let job = self.ok();
        is_accepted(&job);
        job
    }

    /// Asserts that it has failed with that code, and that the message contains these words.
    pub fn fails(&self, code: &str, words: &[&str]) {
        assert_eq!(self.code, 1, "{self:?}");
        let error = &self.json()["error"];
        assert_eq!(error["code"], code, "{self:?}");
        let message = error["message"].as_str().unwrap_or_default();
        for word in words {
            assert!(message.contains(word), "'{word}' is not in: {message}");
        }
        assert!(self.err.contains(message), "standard error does not say it: {self:?}");
    }
}

/// Asserts that a job was accepted: by a committee of three, and some by a jury of seven in addition, which
/// takes a second look.
pub fn is_accepted(job: &Value) {
    assert_eq!(job["verdict"], "accept", "{job}");
    assert!([3, 10].map(Value::from).contains(&job["verifiers"]), "{job}");
}

/// Returns the command, ready to be started against a node.
pub fn command(node: &Node, args: &[&str]) -> Command {
    let mut command = without_node(args);
    command.env("ASSAY_URL", node.url());
    command
}

/// Returns the command without a node, in the environment of a user who has configured nothing.
pub fn without_node(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    for name in VARIABLES {
        command.env_remove(name);
    }
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("home");
    command
        .args(args)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_STATE_HOME", home.join("state"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs the command against a node.
pub async fn assay(node: &Node, args: &[&str]) -> Said {
    said(command(node, args), args).await
}

/// Runs the command against the node at that address, which may be down.
pub async fn at(url: &str, args: &[&str]) -> Said {
    let mut command = without_node(args);
    command.env("ASSAY_URL", url);
    said(command, args).await
}

/// Runs a command that needs no node.
pub async fn alone(args: &[&str]) -> Said {
    said(without_node(args), args).await
}

/// Runs a command to its end.
pub async fn said(mut command: Command, args: &[&str]) -> Said {
    let output = timeout(LIMIT, command.output())
        .await
        .unwrap_or_else(|_| panic!("assay {args:?} did not end in {LIMIT:?}"))
        .expect("the command can be started");
    let text = |bytes| String::from_utf8(bytes).expect("the command writes text");
    Said {
        code: output.status.code().expect("it was not killed"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Returns an amount of an object.
pub fn planck(object: &Value, field: &str) -> u128 {
    let text = object[field].as_str().unwrap_or_else(|| panic!("no {field} in {object}"));
    text.parse().unwrap_or_else(|_| panic!("{field} of {object} is no amount"))
}
