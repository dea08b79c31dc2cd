// SPDX-License-Identifier: Apache-2.0
//! Models, jobs and runs of them, shared by the integration tests.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod named;
pub mod other_types;
pub mod paths;
pub mod reference;
pub mod vocabularies;

use assay_engine::{
    generate,
    synthetic::{Family, Synthetic},
    verify, EngineError, GenerateSpec, Generation, Limits, Model, Positions, Prompt, SampleSpec,
    Sampling, Session, Threads, Transcript, Verification,
};
use candle_core::quantized::GgmlDType;
use std::sync::atomic::AtomicBool;

pub static NEVER: AtomicBool = AtomicBool::new(false);

pub fn model(shape: Synthetic) -> Model {
    Model::from_bytes(shape.file().expect("a shape of whole blocks")).expect("a valid model")
}

pub fn sampled(temperature: u32, top_k: u32, top_p: u32, seed: u64) -> SampleSpec {
    SampleSpec::new(seed, &[9; 32], Sampling { temperature, top_k, top_p, min_p: 0 })
}

pub fn spec(sample: SampleSpec, max_tokens: u32) -> GenerateSpec {
    GenerateSpec::new(sample, max_tokens, [3; 32])
}

pub fn run(model: &Model, prompt: &[u8], spec: &GenerateSpec) -> Generation {
    let input = model.tokenize(prompt).expect("tokens");
    generate(model, &Threads::new(1), &input, spec, &Limits::default(), &NEVER, &mut |_, _| ())
        .expect("an honest job")
}

pub fn transcript(model: &Model, prompt: &[u8], generation: &Generation) -> Transcript {
    Transcript {
        input: model.tokenize(prompt).expect("tokens"),
        output: generation.tokens.clone(),
        finish: generation.finish,
        logprobs: generation.logprobs.clone(),
    }
}

pub fn check(
    model: &Model,
    prompt: &[u8],
    transcript: &Transcript,
    spec: &GenerateSpec,
    positions: &Positions,
) -> Result<Verification, EngineError> {
    let threads = Threads::new(2);
    let prompt = Prompt::text(prompt);
    verify(model, &threads, &prompt, transcript, spec, positions, &Limits::default(), &NEVER)
}

/// Returns rows of logits as floating-point numbers.
pub fn floats(rows: &[Vec<i32>]) -> Vec<Vec<f32>> {
    let float = |row: &Vec<i32>| row.iter().map(|&x| x as f32 / 65_536.0).collect();
    rows.iter().map(float).collect()
}

/// Returns the shape with Gemma 3's architecture, and with so many layers that one sees all positions.
pub fn gemma3(shape: Synthetic) -> Synthetic {
    Synthetic { family: Family::Gemma3, head_dim: Some(32), layers: 7, ..shape }
}

/// Returns a small model of each architecture and type.
pub fn families() -> Vec<(String, Synthetic)> {
    let mut all = Vec::new();
    for dtype in [GgmlDType::Q8_0, GgmlDType::Q4_0] {
        let base = Synthetic { dtype, ..Synthetic::default() };
        let wide = Synthetic { head_dim: Some(32), ..base };
        for (name, shape) in [
            ("llama", Synthetic { kv_heads: 4, tied: false, ..base }),
            ("llama, grouped and tied", base),
            ("llama3", Synthetic { family: Family::Llama3, ..base }),
            ("mistral", Synthetic { kv_heads: 1, tied: false, seed: 7, ..wide }),
            ("qwen2", Synthetic { family: Family::Qwen2, ..base }),
            ("qwen3", Synthetic { family: Family::Qwen3, ..wide }),
            ("gemma3", gemma3(Synthetic { dtype, ..Synthetic::default() })),
        ] {
            all.push((format!("{name}, {dtype:?}"), shape));
        }
    }
    all
}

/// Returns all rows of logits; the tokens are sent in pieces of `piece`.
pub fn rows(model: &Model, threads: &Threads, tokens: &[u32], piece: usize) -> Vec<Vec<i32>> {
    let limits = Limits::default();
    let mut session = Session::new(model, threads, tokens.len(), &limits).expect("it fits");
    let all = |_| true;
    let pieces = tokens.chunks(piece);
    pieces
        .flat_map(|piece| {
            session
                .forward(piece, &limits, &NEVER, &all, &|row| row.logits.to_vec())
                .expect("valid tokens")
        })
        .collect()
}
