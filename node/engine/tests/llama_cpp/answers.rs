// SPDX-License-Identifier: Apache-2.0
//! Answers of llama.cpp to a question. They come from llama.cpp itself where `ASSAY_LLAMA_PYTHON`
//! names a Python that has it, and otherwise from the recordings of `./scripts/test.sh llama-cpp
//! --record`.

use candle_core::{safetensors, Device, Tensor};
use std::{
    collections::HashMap,
    env,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

/// The whole answer of llama.cpp, or the part of one that is recorded.
pub enum Answer {
    Live(Vec<u8>),
    Recorded(Tensor),
}

/// The answers to one kind of question, by the name of its subject.
pub struct Answers {
    operation: &'static str,
    python: Option<String>,
    recorded: HashMap<String, Tensor>,
}

/// A question of the kind `operation` of `peer.py`; the file's path follows the operation.
pub struct Question<'a> {
    pub name: &'a str,
    pub file: &'a [u8],
    pub arguments: &'a [&'a str],
    pub input: &'a str,
}

impl Answers {
    pub fn new(operation: &'static str) -> Self {
        let python = env::var("ASSAY_LLAMA_PYTHON").ok();
        let recorded = match recording() {
            true => HashMap::new(),
            false => safetensors::load(path(operation), &Device::Cpu)
                .expect("./scripts/test.sh llama-cpp --record writes the answers"),
        };
        Self { operation, python, recorded }
    }

    /// Asks a question; `kept` returns the part of the answer that is recorded.
    pub fn ask(&mut self, question: &Question, kept: impl Fn(&[u8]) -> Tensor) -> Answer {
        let asked = digest(question);
        let label = format!("question of {}", question.name);
        if let Some(python) = &self.python {
            let answer = live(python, self.operation, question);
            if recording() {
                self.recorded.insert(question.name.to_string(), kept(&answer));
                self.recorded.insert(label, asked);
            }
            return Answer::Live(answer);
        }
        let recorded = self.recorded.get(&label).map(bytes);
        assert_eq!(
            recorded,
            Some(bytes(&asked)),
            "{} of {}: another question than was recorded; ./scripts/test.sh llama-cpp --record",
            self.operation,
            question.name
        );
        Answer::Recorded(self.recorded[question.name].clone())
    }

    /// Writes the answers if they are being recorded.
    pub fn end(self) {
        if recording() {
            safetensors::save(&self.recorded, path(self.operation)).expect("space");
        }
    }
}

fn recording() -> bool {
    env::var_os("ASSAY_LLAMA_RECORD").is_some()
}

fn path(operation: &str) -> PathBuf {
    // Tests run in the folder of their package, wherever they were built.
    PathBuf::from("tests/llama_cpp/recorded").join(format!("{operation}.safetensors"))
}

/// Returns BLAKE3 of a sequence of parts, each preceded by its length, as a tensor.
pub fn digest_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Tensor {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    Tensor::new(hasher.finalize().as_bytes().as_slice(), &Device::Cpu).expect("32 numbers")
}

pub fn bytes(tensor: &Tensor) -> Vec<u8> {
    tensor.to_vec1().expect("bytes")
}

fn digest(question: &Question) -> Tensor {
    let arguments = question.arguments.iter().map(|argument| argument.as_bytes());
    digest_of([question.file, question.input.as_bytes()].into_iter().chain(arguments))
}

fn live(python: &str, operation: &str, question: &Question) -> Vec<u8> {
    let mut on_disk = tempfile::NamedTempFile::new().expect("a temporary file");
    on_disk.write_all(question.file).expect("space");
    let script = "tests/llama_cpp/peer.py";
    let mut child = Command::new(python)
        .args([script, operation, on_disk.path().to_str().expect("a plain path")])
        .args(question.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python");
    child.stdin.take().expect("a pipe").write_all(question.input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{operation}: {}", output.status);
    output.stdout
}
