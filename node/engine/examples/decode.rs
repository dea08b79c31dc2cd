// SPDX-License-Identifier: Apache-2.0
//! Measures the speed of decode in this engine or in candle's quantised model: a prompt goes
//! through in one pass, then tokens go one by one, and the logits of each are computed. Prints
//! tokens per second and the memory that was needed.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use anyhow::{Context, Result};
use assay_engine::{digest, Limits, Model, Session, Threads};
use candle_core::{quantized::gguf_file, Device, Tensor};
use candle_transformers::models::quantized_llama::ModelWeights;
use clap::{Parser, ValueEnum};
use std::{
    fs::{self, File},
    path::PathBuf,
    sync::atomic::AtomicBool,
    time::Instant,
};

#[derive(Clone, Copy, ValueEnum)]
enum Engine {
    /// This engine: exact, with a digest of each row.
    Assay,
    /// candle's quantised Llama.
    Candle,
}

#[derive(Parser)]
#[command(about = "Measure decode tokens per second")]
struct Options {
    /// A GGUF file.
    model: PathBuf,
    /// The engine that runs.
    #[arg(long, value_enum, default_value_t = Engine::Assay)]
    engine: Engine,
    /// Number of threads; candle uses the environment's RAYON_NUM_THREADS.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Number of tokens that go through the model at once before the clock starts.
    #[arg(long, default_value_t = 64)]
    prompt: usize,
    /// Number of tokens that then go one by one.
    #[arg(long, default_value_t = 64)]
    tokens: usize,
}

/// Returns the token at a position. Any sequence will do, since the speed does not depend on the
/// tokens.
fn token(position: usize) -> u32 {
    3 + (position * 31 % 250) as u32
}

/// Returns the seconds for the tokens after the prompt.
fn assay(options: &Options) -> Result<f64> {
    let model = Model::open(&options.model)?;
    let threads = Threads::new(options.threads);
    let limits = Limits { memory_bytes: 8 << 30, ..Limits::default() };
    let never = AtomicBool::new(false);
    let end = options.prompt + options.tokens;
    let all: Vec<u32> = (0..end).map(token).collect();
    let (prompt, rest) = all.split_at(options.prompt);
    let mut session = Session::new(&model, &threads, end, &limits)?;
    let mut send = |tokens: &[u32]| {
        let last = session.len() + tokens.len() - 1;
        session.forward(tokens, &limits, &never, &|i| i == last, &|row| {
            digest::position(&[0; 32], row.logits)
        })
    };
    send(prompt)?;
    let begun = Instant::now();
    for one in rest.chunks(1) {
        send(one)?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Returns the same for candle.
fn candle(options: &Options) -> Result<f64> {
    let mut file = File::open(&options.model)?;
    let content = gguf_file::Content::read(&mut file)?;
    let device = Device::Cpu;
    let mut model = ModelWeights::from_gguf(content, &mut file, &device)?;
    let mut send = |first: usize, count: usize| -> Result<f32> {
        let ids: Vec<u32> = (first..first + count).map(token).collect();
        let logits = model.forward(&Tensor::new(ids.as_slice(), &device)?.unsqueeze(0)?, first)?;
        Ok(logits.flatten_all()?.get(0)?.to_scalar::<f32>()?)
    };
    send(0, options.prompt)?;
    let begun = Instant::now();
    for position in options.prompt..options.prompt + options.tokens {
        send(position, 1)?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Returns a field of /proc/self/status in bytes.
fn status(field: &str) -> Result<u64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let digits = line.and_then(|line| line.split_whitespace().nth(1));
    let kib: u64 = digits.with_context(|| format!("/proc/self/status has no {field}"))?.parse()?;
    Ok(kib << 10)
}

fn main() -> Result<()> {
    let options = Options::parse();
    let seconds = match options.engine {
        Engine::Assay => assay(&options)?,
        Engine::Candle => candle(&options)?,
    };
    println!(
        "{{\"tokens_per_s\":{:.3},\"resident_peak\":{},\"file\":{}}}",
        options.tokens as f64 / seconds,
        status("VmHWM")?,
        fs::metadata(&options.model)?.len()
    );
    Ok(())
}
