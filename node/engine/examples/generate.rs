// SPDX-License-Identifier: Apache-2.0
//! Streams text from a prompt and then verifies it as another operator would.
#![allow(clippy::print_stdout, reason = "the text is this program's output")]

use anyhow::Result;
use assay_engine::{
    generate, verify, GenerateSpec, Limits, Model, Positions, Prompt, SampleSpec, Sampling,
    Threads, Transcript, Verification,
};
use clap::Parser;
use std::{io::Write, path::PathBuf, sync::atomic::AtomicBool, time::Instant};

#[derive(Parser)]
#[command(about = "Generate text from a prompt, then verify it")]
struct Options {
    /// Text to continue.
    prompt: String,
    /// A GGUF file; the tiny model if not given.
    #[arg(long)]
    model: Option<PathBuf>,
    /// The most tokens to generate.
    #[arg(long, default_value_t = 256)]
    max_tokens: u32,
    /// Temperature; 0 is greedy.
    #[arg(long, default_value_t = 0.0)]
    temperature: f64,
    /// Candidates by rank; 0 means all.
    #[arg(long, default_value_t = 0)]
    top_k: u32,
    /// Candidates by share of the probability; 1 means all.
    #[arg(long, default_value_t = 1.0)]
    top_p: f64,
    /// Seed of the sampling.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let model = match &options.model {
        Some(path) => Model::open(path)?,
        None => Model::tiny()?,
    };
    let threads = Threads::new(options.threads);
    let fixed = |x: f64| (x * 65_536.0).round() as u32;
    let sampling = Sampling {
        temperature: fixed(options.temperature),
        top_k: options.top_k,
        top_p: fixed(options.top_p),
        ..Sampling::GREEDY
    };
    let sample = SampleSpec::new(options.seed, &[0; 32], sampling);
    let spec = GenerateSpec::new(sample, options.max_tokens, [0; 32]);
    let (limits, cancel) = (Limits::default(), AtomicBool::new(false));
    let input = model.tokenize(options.prompt.as_bytes())?;

    print!("{}", options.prompt);
    let mut out = std::io::stdout();
    let begun = Instant::now();
    let generation =
        generate(&model, &threads, &input, &spec, &limits, &cancel, &mut |_, token| {
            // A closed pipe ends the text, not the generation.
            let _ = out.write_all(&model.detokenize(&[token])).and_then(|()| out.flush());
        })?;
    let generated = begun.elapsed();

    let output = generation.tokens.clone();
    let count = output.len();
    let (finish, logprobs) = (generation.finish, generation.logprobs);
    let transcript = Transcript { input, output, finish, logprobs };
    let begun = Instant::now();
    let verdict = verify(
        &model,
        &threads,
        &Prompt::text(options.prompt),
        &transcript,
        &spec,
        &Positions::All,
        &limits,
        &cancel,
    )?;
    let verified = begun.elapsed();
    println!("\n---\n{count} tokens, {:?}, in {generated:.1?}", generation.finish);
    match verdict {
        Verification::Accept { digest_root } => {
            let same = digest_root == Some(generation.digest_root);
            println!("accepted in {verified:.1?}, digest roots equal: {same}");
        }
        Verification::Reject { position, reason } => {
            println!("rejected at position {position}: {reason:?}, in {verified:.1?}");
        }
    }
    Ok(())
}
