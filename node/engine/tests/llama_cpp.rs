// SPDX-License-Identifier: Apache-2.0
//! Comparison with llama.cpp on the same files: with its recorded answers, and with llama.cpp
//! itself in `./scripts/test.sh llama-cpp`, which builds it.
#![allow(clippy::print_stdout, reason = "the comparison is the purpose of the run")]

#[path = "llama_cpp/answers.rs"]
mod answers;
mod models;

use answers::{bytes, digest_of, Answer, Answers, Question};
use assay_engine::{
    synthetic::{write, Synthetic, Vocabulary},
    Model, Threads,
};
use candle_core::{
    quantized::{gguf_file::Content, gguf_file::Value},
    Device, Tensor,
};
use models::{
    families, floats,
    other_types::{numbers, scrambled, OTHERS, SCRAMBLED},
    reference::{errors, mean_and_worst, Activations, Reference},
    rows,
    vocabularies::{changed, pieces, read, words},
};
use std::{collections::BTreeSet, io::Cursor};

/// The step between recorded rows of logits: only every eighth is kept.
const STEP: usize = 8;

/// Returns the first difference, for messages: its index, candle's number and the package's.
fn first_difference(ours: &[f32], theirs: &[f32]) -> Option<(usize, f32, f32)> {
    assert_eq!(ours.len(), theirs.len());
    let pairs = ours.iter().zip(theirs).enumerate();
    pairs.map(|(i, (a, b))| (i, *a, *b)).find(|(_, a, b)| a != b)
}

#[test]
fn numbers_of_other_types_are_those_of_the_gguf_package() {
    let mut answers = Answers::new("numbers");
    for dtype in OTHERS {
        let (name, file) = (format!("{dtype:?}"), scrambled(dtype));
        let ours = numbers(&file, SCRAMBLED);
        let question = Question { name: &name, file: &file, arguments: &[SCRAMBLED], input: "" };
        match answers.ask(&question, |theirs| digest_of([theirs])) {
            Answer::Live(theirs) => {
                assert_eq!(first_difference(&ours, &f32s(&theirs)), None, "{name}");
            }
            Answer::Recorded(theirs) => {
                let ours: Vec<u8> = ours.iter().flat_map(|number| number.to_le_bytes()).collect();
                assert_eq!(bytes(&digest_of([&ours[..]])), bytes(&theirs), "{name}");
            }
        }
    }
    answers.end();
}

fn f32s(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn u32s(numbers: &[u32]) -> Tensor {
    Tensor::new(numbers, &Device::Cpu).expect("numbers")
}

/// Returns the rows of an answer of `peer.py logits`.
fn peer_rows(answer: &[u8], tokens: &[u32]) -> Vec<Vec<f32>> {
    let all = f32s(answer);
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

/// Returns the tiny model with its bytes named as pieces of SentencePiece.
fn tiny() -> Vec<u8> {
    let tiny = Model::tiny().expect("the shipped model");
    let mut reader = Cursor::new(tiny.file().expect("it is in memory"));
    let content = Content::read(&mut reader).expect("a model");
    let mut metadata: Vec<(String, Value)> = content.metadata.clone().into_iter().collect();
    let pieces = Vocabulary::Pieces.metadata();
    metadata.retain(|(key, _)| pieces.iter().all(|(piece, _)| key != piece));
    metadata.extend(pieces.into_iter().map(|(key, value)| (key.to_string(), value)));
    // They are sorted, so that the file is always the same.
    metadata.sort_by(|(a, _), (b, _)| a.cmp(b));
    let names: BTreeSet<&String> = content.tensor_infos.keys().collect();
    let tensors = names
        .into_iter()
        .map(|name| {
            let tensor = content.tensor(&mut reader, name, &Device::Cpu);
            (name.clone(), tensor.expect("a tensor"))
        })
        .collect::<Vec<_>>();
    write(&metadata, &tensors).expect("a file")
}

#[test]
fn logits_agree_with_llama_cpp() {
    let tokens = tokens(64);
    let input = serde_json::to_string(&tokens).expect("numbers");
    let mut answers = Answers::new("logits");
    println!(
        "| model | to llama.cpp | N1 with f16 scales to llama.cpp | to f32 | llama.cpp to f32 |"
    );
    let all = families().into_iter().map(|(name, shape)| {
        let shape = Synthetic { vocabulary: Vocabulary::Pieces, ..shape };
        (name, shape.file().expect("a model"))
    });
    for (name, file) in all.chain([("tiny".to_string(), tiny())]) {
        let question = Question { name: &name, file: &file, arguments: &[], input: &input };
        let every = |step, rows: Vec<Vec<f32>>| rows.into_iter().step_by(step).collect::<Vec<_>>();
        let kept = |answer: &[u8]| {
            Tensor::new(every(STEP, peer_rows(answer, &tokens)), &Device::Cpu).expect("rows")
        };
        let (step, peer) = match answers.ask(&question, kept) {
            Answer::Live(answer) => (1, peer_rows(&answer, &tokens)),
            Answer::Recorded(rows) => (STEP, rows.to_vec2().expect("rows")),
        };
        let exact = every(step, exact(&file, &tokens));
        let float = every(step, reference(&file, Activations::Floats, &tokens));
        let half = every(step, reference(&file, Activations::HalfScales, &tokens));
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
        // llama.cpp rounds the scales of activations to f16. So candle's evaluation with such
        // scales is its result, except for rows in which a sum fell on the other side of a
        // rounding. One such step in one layer is noise in all that follow.
        let (mean, _) = mean_and_worst(&errors(&half, &peer));
        // Gemma 3 has seven layers here, the others two.
        let most = if name.starts_with("gemma3") { 0.015 } else { 0.01 };
        assert!(mean <= most, "{name}: with f16 scales {mean}");
        let (mean, _) = mean_and_worst(&errors(&exact, &peer));
        assert!(mean <= 0.025, "{name}: {mean}");
    }
    answers.end();
}

/// Returns the token of the largest logit of each row, and the first of equal ones.
fn greedy(rows: &[Vec<f32>]) -> Vec<u32> {
    let better = |row: &[f32], best: usize, i: usize| if row[i] > row[best] { i } else { best };
    let best = |row: &Vec<f32>| (0..row.len()).fold(0, |best, i| better(row, best, i)) as u32;
    rows.iter().map(best).collect()
}

#[test]
fn greedy_tokens_of_the_tiny_model_are_those_of_llama_cpp() {
    let text = include_str!("llama_cpp/text.md");
    let file = tiny();
    let (mut same, mut all) = (0, 0);
    let kings = "And it came to pass in those days, that there went out a decree from the king";
    let mut answers = Answers::new("greedy");
    for (i, text) in text.as_bytes().chunks(255).chain([kings.as_bytes()]).take(12).enumerate() {
        let tokens: Vec<u32> = [256].into_iter().chain(text.iter().map(|&b| b.into())).collect();
        let input = serde_json::to_string(&tokens).expect("numbers");
        let name = i.to_string();
        let question = Question { name: &name, file: &file, arguments: &[], input: &input };
        let theirs = |answer: &[u8]| greedy(&peer_rows(answer, &tokens));
        let theirs = match answers.ask(&question, |answer| u32s(&theirs(answer))) {
            Answer::Live(answer) => theirs(&answer),
            Answer::Recorded(best) => best.to_vec1().expect("tokens"),
        };
        let ours = greedy(&exact(&file, &tokens));
        assert_eq!(ours.len(), theirs.len());
        all += ours.len();
        same += ours.iter().zip(&theirs).filter(|(a, b)| a == b).count();
    }
    answers.end();
    println!("{same} of {all} positions: {:.2} %", 100.0 * same as f64 / all as f64);
    assert!(same * 100 >= all * 98, "{same} of {all}");
}

#[test]
fn tokens_are_those_of_llama_cpp() {
    let alphabet: Vec<char> =
        "aabcdeest  .,'!?\n\r\t0123<>|_▁éß語日ñЖ🙂\u{200d}\u{301}\u{a0}٣\u{1}".chars().collect();
    // This is a linear congruential generator, so the texts are the same in every run.
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
    let mut answers = Answers::new("tokens");
    for name in ["pieces", "llama-bpe", "qwen2", "gpt-2", "smollm", "default"] {
        let file = match name {
            "pieces" => pieces(),
            pre => changed(&words(), &[("tokenizer.ggml.pre", Value::String(pre.into()))]),
        };
        let tokenizer = read(&file, &[]).expect("a vocabulary");
        let question = Question { name, file: &file, arguments: &[], input: &input };
        let ours: Vec<Vec<u32>> =
            texts.iter().map(|t| tokenizer.encode(t.as_bytes()).unwrap()).collect();
        let said =
            |tokens: &[Vec<u32>]| digest_of([&serde_json::to_vec(tokens).expect("JSON")[..]]);
        let theirs = |answer: &[u8]| serde_json::from_slice::<Vec<Vec<u32>>>(answer).expect("JSON");
        match answers.ask(&question, |answer| said(&theirs(answer))) {
            Answer::Live(answer) => {
                for ((text, ours), theirs) in texts.iter().zip(&ours).zip(theirs(&answer)) {
                    assert_eq!(*ours, theirs, "{name}: {text:?}");
                }
            }
            Answer::Recorded(digest) => {
                assert_eq!(bytes(&said(&ours)), bytes(&digest), "{name}");
            }
        }
    }
    answers.end();
}
