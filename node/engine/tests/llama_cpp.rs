// SPDX-License-Identifier: Apache-2.0
//! The same files in llama.cpp. `./scripts/test.sh llama-cpp` builds it and runs these.
#![allow(clippy::print_stdout, reason = "the comparison is what the run is for")]

mod common;

use assay_engine::{
    synthetic::{write, Synthetic, Vocabulary},
    Model, Threads,
};
use candle_core::quantized::{gguf_file::Content, gguf_file::Value};
use common::{
    families, floats,
    other_types::{numbers, scrambled, OTHERS, SCRAMBLED},
    reference::{errors, mean_and_worst, Activations, Reference},
    rows,
    vocabularies::{changed, pieces, read, words},
};
use std::{
    io::{Cursor, Write},
    process::{Command, Stdio},
};

/// For messages: candle's number and the package's.
fn first_difference(ours: &[f32], theirs: &[f32]) -> Option<(usize, f32, f32)> {
    assert_eq!(ours.len(), theirs.len());
    let pairs = ours.iter().zip(theirs).enumerate();
    pairs.map(|(i, (a, b))| (i, *a, *b)).find(|(_, a, b)| a != b)
}

#[test]
#[ignore = "needs llama.cpp: ./scripts/test.sh llama-cpp"]
fn numbers_of_other_types_are_those_of_the_gguf_package() {
    for dtype in OTHERS {
        let file = scrambled(dtype);
        let theirs = f32s(&peer("numbers", &file, &[SCRAMBLED], ""));
        assert_eq!(first_difference(&numbers(&file, SCRAMBLED), &theirs), None, "{dtype:?}");
    }
}

/// Runs `peer.py` with the Python that has llama.cpp; the file's path follows the operation.
fn peer(operation: &str, file: &[u8], arguments: &[&str], input: &str) -> Vec<u8> {
    let mut on_disk = tempfile::NamedTempFile::new().expect("a temporary file");
    on_disk.write_all(file).expect("space");
    let python = std::env::var("ASSAY_LLAMA_PYTHON").expect("set by scripts/test.sh llama-cpp");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/llama_cpp/peer.py");
    let mut child = Command::new(python)
        .args([script, operation, on_disk.path().to_str().expect("a plain path")])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{operation}: {}", output.status);
    output.stdout
}

fn f32s(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

/// Rows of logits by llama.cpp.
fn peer_rows(file: &[u8], tokens: &[u32]) -> Vec<Vec<f32>> {
    let input = serde_json::to_string(tokens).expect("numbers");
    let all = f32s(&peer("logits", file, &[], &input));
    all.chunks_exact(all.len() / tokens.len()).map(<[f32]>::to_vec).collect()
}

fn exact(file: &[u8], tokens: &[u32]) -> Vec<Vec<f32>> {
    let model = Model::from_bytes(file.to_vec()).expect("a model");
    floats(&rows(&model, &Threads::new(1), tokens, tokens.len()))
}

fn reference(file: &[u8], activations: Activations, tokens: &[u32]) -> Vec<Vec<f32>> {
    let reference = Reference::new(file, activations).expect("a model");
    reference.rows(tokens, None).expect("candle computes it")
}

fn tokens(n: u32) -> Vec<u32> {
    std::iter::once(256).chain((1..n).map(|i| (i * i * 31 + i * 7) % 256)).collect()
}

/// The tiny model with its bytes named as pieces of SentencePiece.
fn tiny() -> Vec<u8> {
    let tiny = Model::tiny().expect("the shipped model");
    let mut reader = Cursor::new(tiny.file());
    let content = Content::read(&mut reader).expect("a model");
    let mut metadata: Vec<(String, Value)> = content.metadata.clone().into_iter().collect();
    let pieces = Vocabulary::Pieces.metadata();
    metadata.retain(|(key, _)| pieces.iter().all(|(piece, _)| key != piece));
    metadata.extend(pieces.into_iter().map(|(key, value)| (key.to_string(), value)));
    let names = content.tensor_infos.keys();
    let tensors = names
        .map(|name| {
            let tensor = content.tensor(&mut reader, name, &candle_core::Device::Cpu);
            (name.clone(), tensor.expect("a tensor"))
        })
        .collect::<Vec<_>>();
    write(&metadata, &tensors).expect("a file")
}

#[test]
#[ignore = "needs llama.cpp: ./scripts/test.sh llama-cpp"]
fn logits_agree_with_llama_cpp() {
    let tokens = tokens(64);
    println!(
        "| model | to llama.cpp | N1 with f16 scales to llama.cpp | to f32 | llama.cpp to f32 |"
    );
    let all = families().into_iter().map(|(name, shape)| {
        let shape = Synthetic { vocabulary: Vocabulary::Pieces, ..shape };
        (name, shape.file().expect("a model"))
    });
    for (name, file) in all.chain([("tiny".to_string(), tiny())]) {
        let peer = peer_rows(&file, &tokens);
        let exact = exact(&file, &tokens);
        let float = reference(&file, Activations::Floats, &tokens);
        let half = reference(&file, Activations::HalfScales, &tokens);
        let shown = |a: &[Vec<f32>], b: &[Vec<f32>]| {
            let (mean, worst) = mean_and_worst(&errors(a, b));
            format!("{:.4} % (worst {:.3} %)", 100.0 * mean, 100.0 * worst)
        };
        println!(
            "| {name} | {} | {} | {} | {} |",
            shown(&exact, &peer),
            shown(&half, &peer),
            shown(&exact, &float),
            shown(&peer, &float)
        );
        // llama.cpp rounds the scales of activations to f16: candle's evaluation with such scales
        // is its result, but for rows in which a sum fell on the other side of a rounding. One such
        // step in one layer is noise in all that follow.
        let (mean, _) = mean_and_worst(&errors(&half, &peer));
        assert!(mean <= 0.01, "{name}: with f16 scales {mean}");
        let (mean, _) = mean_and_worst(&errors(&exact, &peer));
        assert!(mean <= 0.025, "{name}: {mean}");
    }
}

#[test]
#[ignore = "needs llama.cpp: ./scripts/test.sh llama-cpp"]
fn greedy_tokens_of_the_tiny_model_are_those_of_llama_cpp() {
    let text = include_str!("../README.md");
    let file = tiny();
    let best = |row: &Vec<f32>| {
        let first = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
        (0..row.len()).fold(0, first)
    };
    let (mut same, mut all) = (0, 0);
    let kings = "And it came to pass in those days, that there went out a decree from the king";
    for text in text.as_bytes().chunks(255).chain([kings.as_bytes()]).take(12) {
        let tokens: Vec<u32> = [256].into_iter().chain(text.iter().map(|&b| b.into())).collect();
        let (ours, theirs) = (exact(&file, &tokens), peer_rows(&file, &tokens));
        all += tokens.len();
        same += ours.iter().zip(&theirs).filter(|(a, b)| best(a) == best(b)).count();
    }
    println!("{same} of {all} positions: {:.2} %", 100.0 * same as f64 / all as f64);
    assert!(same * 100 >= all * 98, "{same} of {all}");
}

#[test]
#[ignore = "needs llama.cpp: ./scripts/test.sh llama-cpp"]
fn tokens_are_those_of_llama_cpp() {
    let alphabet: Vec<char> =
        "aabcdeest  .,'!?\n\r\t0123<>|_▁éß語日ñЖ🙂\u{200d}\u{301}\u{a0}٣\u{1}".chars().collect();
    // A linear congruential generator: the texts are the same in every run.
    let mut state = 1u64;
    let mut dice = |sides: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % sides
    };
    let texts: Vec<String> = (0..2000)
        .map(|_| (0..dice(50)).map(|_| alphabet[dice(alphabet.len())]).collect())
        .collect();
    let hex: Vec<String> =
        texts.iter().map(|t| t.bytes().map(|b| format!("{b:02x}")).collect()).collect();
    let input = serde_json::to_string(&hex).expect("texts");
    for name in ["pieces", "llama-bpe", "qwen2", "gpt-2", "smollm", "default"] {
        let file = match name {
            "pieces" => pieces(),
            pre => changed(&words(), &[("tokenizer.ggml.pre", Value::String(pre.into()))]),
        };
        let tokenizer = read(&file, &[]).expect("a vocabulary");
        let theirs: Vec<Vec<u32>> =
            serde_json::from_slice(&peer("tokens", &file, &[], &input)).expect("JSON");
        for (text, theirs) in texts.iter().zip(theirs) {
            assert_eq!(tokenizer.encode(text.as_bytes()), theirs, "{name}: {text:?}");
        }
    }
}
