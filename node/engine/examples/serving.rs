// SPDX-License-Identifier: Apache-2.0
//! Measures the gain from batching, prefixes and drafts: the same jobs run one by one and together.
#![allow(clippy::print_stdout, reason = "the table is this program's output")]

use anyhow::{ensure, Result};
use assay_engine::{
    draft::PromptLookup,
    generate, generate_with_draft,
    serve::{GenerateJob, Server, ServerConfig},
    verify, GenerateSpec, Generation, Limits, Model, Positions, Prompt, SampleSpec, Sampling,
    Threads, Transcript,
};
use clap::Parser;
use std::{
    path::PathBuf,
    sync::{atomic::AtomicBool, Arc},
    time::Instant,
};

/// A short prompt, so that the jobs write most of the time.
const PROMPT: &[u8] = b"And";
/// A prompt of usual length.
const LONG: &[u8] = b"And it came to pass in those days, that the king of the land said";

#[derive(Parser)]
#[command(about = "Measure batching, the prefix cache, drafts, and verification of short outputs")]
struct Options {
    /// A GGUF file; the tiny model if not given.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Number of threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Number of tokens to generate.
    #[arg(long, default_value_t = 128)]
    tokens: u32,
    /// Number of measurements whose median is taken.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(5..))]
    rounds: u32,
}

struct Bench {
    model: Arc<Model>,
    threads: Arc<Threads>,
    tokens: u32,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Bench {
    fn spec(&self, seed: u64, max_tokens: u32) -> GenerateSpec {
        let sampling = Sampling { temperature: 65_536, top_k: 40, ..Sampling::GREEDY };
        let sample = SampleSpec::new(seed, &[0; 32], sampling);
        GenerateSpec::new(sample, max_tokens, [0; 32])
    }

    fn alone(&self, prompt: &[u8], spec: &GenerateSpec, draft: bool) -> Result<(f64, Generation)> {
        let (limits, cancel) = (Limits::default(), AtomicBool::new(false));
        let (model, threads) = (&self.model, &self.threads);
        let input = &model.tokenize(prompt)?;
        let begun = Instant::now();
        let done = if draft {
            let drafter = Box::new(PromptLookup);
            let quiet = &mut |_, _| ();
            generate_with_draft(model, threads, input, drafter, spec, &limits, &cancel, quiet)?
        } else {
            generate(model, threads, input, spec, &limits, &cancel, &mut |_, _| ())?
        };
        Ok((begun.elapsed().as_secs_f64(), done))
    }

    /// Returns the tokens per second of `jobs` jobs together, and checks that their results are
    /// those of running alone.
    fn together(&self, jobs: u64, alone: &[Generation]) -> Result<f64> {
        let config = ServerConfig { prefix_cache: false, ..ServerConfig::default() };
        let server = Server::start(self.model.clone(), self.threads.clone(), config)?;
        let input = self.model.tokenize(PROMPT)?;
        let begun = Instant::now();
        let handles: Vec<_> = (0..jobs)
            .map(|seed| {
                server.generate(GenerateJob {
                    input: input.clone(),
                    spec: self.spec(seed, self.tokens),
                    limits: Limits::default(),
                    cancel: Arc::default(),
                    drafter: None,
                })
            })
            .collect::<Result<_, _>>()?;
        let mut tokens = 0;
        for (handle, alone) in handles.into_iter().zip(alone) {
            let done = handle.wait()?;
            tokens += done.tokens.len();
            ensure!(done == *alone, "running together changed a result");
        }
        Ok(tokens as f64 / begun.elapsed().as_secs_f64())
    }

    fn verify(&self, spec: &GenerateSpec, done: &Generation) -> Result<f64> {
        let (limits, cancel) = (Limits::default(), AtomicBool::new(false));
        let transcript = Transcript {
            input: self.model.tokenize(LONG)?,
            output: done.tokens.clone(),
            finish: done.finish,
            logprobs: done.logprobs.clone(),
        };
        let begun = Instant::now();
        let (model, threads) = (&self.model, &self.threads);
        let (prompt, all) = (&Prompt::text(LONG), &Positions::All);
        verify(model, threads, prompt, &transcript, spec, all, &limits, &cancel)?;
        Ok(begun.elapsed().as_secs_f64())
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let model = Arc::new(match &options.model {
        Some(path) => Model::open(path)?,
        None => Model::tiny()?,
    });
    let threads = Arc::new(Threads::new(options.threads));
    let bench = Bench { model, threads, tokens: options.tokens };
    let alone: Vec<Generation> = (0..16)
        .map(|seed| Ok(bench.alone(PROMPT, &bench.spec(seed, bench.tokens), false)?.1))
        .collect::<Result<_>>()?;
    let one = bench.spec(0, 1);
    let single = bench.alone(LONG, &one, false)?.1;
    let mut speeds = [vec![], vec![], vec![]];
    let (mut short, mut drafted) = (vec![], vec![]);
    for _ in 0..options.rounds {
        for (jobs, speeds) in [1, 4, 16].into_iter().zip(&mut speeds) {
            speeds.push(bench.together(jobs, &alone)?);
        }
        for _ in 0..3 {
            short.push(bench.alone(LONG, &one, false)?.0 / bench.verify(&one, &single)?);
        }
        let spec = bench.spec(0, bench.tokens);
        let (plain, expected) = bench.alone(PROMPT, &spec, false)?;
        let (draft, done) = bench.alone(PROMPT, &spec, true)?;
        ensure!(done == expected, "a draft changed a result");
        drafted.push(plain / draft);
    }
    let [one, four, sixteen] = speeds.map(median);
    let (short, drafted) = (median(short), median(drafted));
    println!("1 job                    {one:>10.0} tokens/s");
    println!("4 jobs                   {four:>10.0} tokens/s, {:.2} times", four / one);
    println!("16 jobs                  {sixteen:>10.0} tokens/s, {:.2} times", sixteen / one);
    println!("generate / verify, 1 out {short:>10.2}");
    println!("plain / prompt lookup    {drafted:>10.2}");
    println!(
        "{{\"batch_4\":{:.3},\"batch_16\":{:.3},\"verify_speedup_1\":{short:.3},\
         \"prompt_lookup_speedup\":{drafted:.3},\"threads\":{}}}",
        four / one,
        sixteen / one,
        options.threads
    );
    Ok(())
}
