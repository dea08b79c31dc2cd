// SPDX-License-Identifier: Apache-2.0
//! Measures a model's speeds: decode, prefill, verification against generation, jobs that run
//! together, and the first token after a prompt whose beginning is known.
#![allow(clippy::print_stdout, reason = "the table is this program's output")]

mod lengths;
mod prompt;
mod serving;

use anyhow::{Context, Result};
use assay_engine::{Limits, Model, Session, Threads};
use clap::Parser;
use lengths::{Lengths, Times};
use serde_json::{json, Map};
use std::{
    path::PathBuf,
    sync::{atomic::AtomicBool, Arc},
    time::Instant,
};

/// Number of tokens of each job in a batch.
const BATCH_TOKENS: u32 = 64;

/// Number of tokens of a job's prompt in a batch.
const BATCH_INPUT: usize = 64;

/// Number of tokens of the prefill that is measured.
const PREFILL: usize = 512;

#[derive(Parser)]
#[command(about = "Measure decode, prefill, and verification against generation")]
struct Options {
    /// A GGUF file; the tiny model if not given.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Number of threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Number of measurements whose median is taken.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(5..))]
    rounds: u32,
    /// Tokens of the prompts and outputs to generate and verify, INPUT+OUTPUT.
    #[arg(long, value_delimiter = ',', default_value = "64+1,64+8,64+64,64+256,64+1024,512+256")]
    lengths: Vec<Lengths>,
    /// Numbers of jobs to run at a time; 0 for none.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 16])]
    batches: Vec<usize>,
    /// Tokens of the system prompt that a server keeps; 0 for none.
    #[arg(long, default_value_t = 1000)]
    prefix: usize,
}

struct Bench {
    model: Arc<Model>,
    threads: Arc<Threads>,
    limits: Limits,
    cancel: AtomicBool,
}

impl Bench {
    /// Returns the median seconds that it takes to send `tokens` through the model and compute the
    /// row after the last.
    fn prefill(&self, tokens: &[u32], rounds: u32) -> Result<f64> {
        let mut seconds = vec![];
        for _ in 0..rounds {
            let begun = Instant::now();
            let mut session = Session::new(&self.model, &self.threads, tokens.len(), &self.limits)?;
            let last = |i| i + 1 == tokens.len();
            session.forward(tokens, &self.limits, &self.cancel, &last, &|row| row.logits[0])?;
            seconds.push(begun.elapsed().as_secs_f64());
        }
        Ok(median(seconds))
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<()> {
    let options = Options::parse();
    let model = match &options.model {
        Some(path) => Model::open(path)?,
        None => Model::tiny()?,
    };
    let bench = Bench {
        threads: Arc::new(Threads::new(options.threads)),
        limits: Limits { memory_bytes: 8 << 30, ..Limits::default() },
        cancel: AtomicBool::new(false),
        model: Arc::new(model),
    };
    let (info, rounds) = (bench.model.info(), options.rounds);
    println!(
        "{}: {} parameters, {}, {} threads, median of {rounds}\n",
        info.name, info.parameters, info.quantisation, options.threads
    );
    let (_, input) = prompt::prompt(&bench.model, BATCH_INPUT)?;
    let text: Vec<u32> = input.iter().copied().cycle().take(PREFILL).collect();
    let prefill = PREFILL as f64 / bench.prefill(&text, rounds)?;
    let mut times = Vec::new();
    for &lengths in &options.lengths {
        times.push(Times::measure(&bench, lengths, rounds)?);
    }
    let longest = times.iter().max_by_key(|it| it.lengths.output).context("no lengths")?;
    // The first output token comes with the prefill.
    let first = bench.prefill(&longest.input, rounds)?;
    let decode = f64::from(longest.lengths.output - 1) / (longest.generate - first);
    println!("decode                {decode:>10.1} tokens/s");
    println!("prefill of {PREFILL}        {prefill:>10.1} tokens/s\n");
    println!("| input + output tokens | generate ms | verify ms | generate / verify |");
    println!("| ---: | ---: | ---: | ---: |");
    for it in &times {
        let (generate, verify) = (it.generate * 1e3, it.verify * 1e3);
        println!("| {} | {generate:.2} | {verify:.2} | {:.2} |", it.lengths, it.speedup());
    }
    let mut batches = Vec::new();
    let wanted: Vec<usize> = options.batches.iter().copied().filter(|jobs| *jobs > 0).collect();
    if !wanted.is_empty() {
        println!("\n| jobs at a time | tokens/s | of one job's |\n| ---: | ---: | ---: |");
    }
    for jobs in wanted {
        let mut seconds = Vec::new();
        for _ in 0..rounds {
            seconds.push(bench.batch(&input, jobs, BATCH_TOKENS)?);
        }
        batches.push((jobs, (jobs as u32 * BATCH_TOKENS) as f64 / median(seconds)));
        let (jobs, speed) = batches[batches.len() - 1];
        println!("| {jobs} | {speed:.1} | {:.2} |", speed / batches[0].1);
    }
    let first_token = match options.prefix {
        0 => None,
        prefix => {
            let (new, kept) = bench.first_token(&input, prefix, rounds)?;
            println!(
                "\nfirst token after {prefix} tokens: {:.2} ms, and {:.2} ms where they are kept",
                new * 1e3,
                kept * 1e3
            );
            Some(json!({ "new_s": new, "kept_s": kept }))
        }
    };
    let speedups = times.iter().map(|it| (it.lengths.to_string(), json!(it.speedup())));
    let object = json!({
        "model": info.name,
        "parameters": info.parameters,
        "quantisation": info.quantisation,
        "threads": options.threads,
        "decode_tokens_per_s": decode,
        "prefill_tokens_per_s": prefill,
        "verify_speedup_min": times.iter().map(Times::speedup).fold(f64::INFINITY, f64::min),
        "verify_speedup": speedups.collect::<Map<_, _>>(),
        "batch_tokens_per_s": batches.iter().map(|(jobs, speed)| (jobs.to_string(), json!(speed))).collect::<Map<_, _>>(),
        "first_token": first_token,
    });
    println!("\n{object}");
    Ok(())
}
