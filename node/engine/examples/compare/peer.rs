// SPDX-License-Identifier: Apache-2.0
//! llama.cpp, which answers through a script in Python.

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

/// The row after a token: the best token, and the bits of the token that follows in the text.
pub struct Choice {
    pub best: u32,
    pub bits: f64,
}

/// llama.cpp with a model.
pub struct Peer {
    pub python: PathBuf,
    pub file: PathBuf,
}

impl Peer {
    fn ask(&self, operation: &str, input: &str) -> Result<Value> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/llama_cpp/peer.py");
        let mut child = Command::new(&self.python)
            .args([script, operation])
            .arg(&self.file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", self.python.display()))?;
        child.stdin.take().context("a pipe")?.write_all(input.as_bytes())?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "llama.cpp, {operation}: {}", output.status);
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Returns the tokens of each text.
    pub fn tokens(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>> {
        let hex = texts.iter().map(|text| text.bytes().map(|b| format!("{b:02x}")).collect());
        let answer = self.ask("tokens", &serde_json::to_string(&hex.collect::<Vec<String>>())?)?;
        Ok(serde_json::from_value(answer)?)
    }

    /// Returns the choice after each token.
    pub fn choices(&self, tokens: &[u32]) -> Result<Vec<Choice>> {
        let answer = self.ask("choices", &serde_json::to_string(tokens)?)?;
        let pairs: Vec<(u32, f64)> = serde_json::from_value(answer)?;
        Ok(pairs.into_iter().map(|(best, bits)| Choice { best, bits }).collect())
    }
}
