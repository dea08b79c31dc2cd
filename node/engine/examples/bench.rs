// SPDX-License-Identifier: Apache-2.0
//! Measures a model's speeds: decode, prefill, verification against generation, and jobs that run
//! together.
#![allow(clippy::print_stdout, reason = "the table is this program's output")]

use anyhow::{ensure, Context, Result};
use assay_engine::{
    generate,
    serve::{GenerateJob, Server, ServerConfig},
    verify, GenerateSpec, Limits, Model, Positions, Prompt, SampleSpec, Sampling, Session, Threads,
    Transcript, Verification,
};
use clap::Parser;
use serde_json::json;
use std::{
    path::PathBuf,
    sync::{atomic::AtomicBool, Arc},
    time::Instant,
};

/// Number of tokens of each job in a batch.
const BATCH_TOKENS: u32 = 64;

/// Number of input tokens.
const INPUT: usize = 64;

/// The text whose beginning is the prompt. It has more than [`INPUT`] tokens in any vocabulary, also
/// where whole words are tokens.
const TEXT: &[u8] = b"And it came to pass in those days, that the king of the land said unto all his \
servants, Go ye out into the cities, and into the villages which are beyond the river, and number the \
people, that I may know what they are; and they went forth, and numbered them, from the least unto the \
greatest, both small and great, the young men and the old. And when they had returned, they told the \
king, saying, Behold, the people are as the sand which is upon the sea shore, and no man can number \
them. And the king rejoiced, and made a great feast for seven days.";

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
    /// Lengths of output to generate and verify.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64, 256, 1024])]
    outputs: Vec<u32>,
    /// Numbers of jobs to run at a time; 0 for none.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 16])]
    batches: Vec<usize>,
}

struct Bench {
    model: Arc<Model>,
    threads: Arc<Threads>,
    limits: Limits,
    cancel: AtomicBool,
}

impl Bench {
    /// Returns the seconds that it takes to send `tokens` through the model and compute the row
    /// after the last.
    fn prefill(&self, tokens: &[u32]) -> Result<f64> {
        let begun = Instant::now();
        let mut session = Session::new(&self.model, &self.threads, tokens.len(), &self.limits)?;
        let last = |i| i + 1 == tokens.len();
        session.forward(tokens, &self.limits, &self.cancel, &last, &|row| row.logits[0])?;
        Ok(begun.elapsed().as_secs_f64())
    }

    fn generate(&self, input: &[u32], spec: &GenerateSpec) -> Result<(f64, Transcript)> {
        let begun = Instant::now();
        let (model, threads) = (&self.model, &self.threads);
        let done =
            generate(model, threads, input, spec, &self.limits, &self.cancel, &mut |_, _| ())?;
        let seconds = begun.elapsed().as_secs_f64();
        let input = input.to_vec();
        let (output, finish, logprobs) = (done.tokens, done.finish, done.logprobs);
        Ok((seconds, Transcript { input, output, finish, logprobs }))
    }

    fn verify(&self, prompt: &[u8], transcript: &Transcript, spec: &GenerateSpec) -> Result<f64> {
        let begun = Instant::now();
        let (model, threads, limits) = (&self.model, &self.threads, &self.limits);
        let verdict = verify(
            model,
            threads,
            &Prompt::text(prompt),
            transcript,
            spec,
            &Positions::All,
            limits,
            &self.cancel,
        )?;
        ensure!(
            matches!(verdict, Verification::Accept { .. }),
            "an honest output was not accepted: {verdict:?}"
        );
        Ok(begun.elapsed().as_secs_f64())
    }

    /// Returns a spec under which the model generates all of `max_tokens` and does not end earlier.
    fn full(&self, input: &[u32], max_tokens: u32) -> Result<GenerateSpec> {
        for seed in 0..1000 {
            let sampling = Sampling { temperature: 65_536, top_k: 40, ..Sampling::GREEDY };
            let sample = SampleSpec::new(seed, &[0; 32], sampling);
            let spec = GenerateSpec::new(sample, max_tokens, [0; 32]);
            if self.generate(input, &spec)?.1.output.len() == max_tokens as usize {
                return Ok(spec);
            }
        }
        anyhow::bail!("the model ended each of 1000 outputs before {max_tokens} tokens")
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Medians for one length of output, in seconds.
struct Outputs {
    tokens: u32,
    generate: f64,
    verify: f64,
}

impl Bench {
    /// Generates and verifies in turn, so that other load on the machine affects both.
    fn outputs(&self, prompt: &[u8], tokens: u32, rounds: u32) -> Result<Outputs> {
        let input = self.model.tokenize(prompt)?;
        let spec = self.full(&input, tokens)?;
        let (mut generated, mut verified) = (vec![], vec![]);
        for _ in 0..rounds {
            let (seconds, transcript) = self.generate(&input, &spec)?;
            generated.push(seconds);
            verified.push(self.verify(prompt, &transcript, &spec)?);
        }
        Ok(Outputs { tokens, generate: median(generated), verify: median(verified) })
    }

    /// Returns the seconds of jobs that run together, each of `tokens` output tokens.
    fn batch(&self, input: &[u32], jobs: usize, tokens: u32) -> Result<f64> {
        let config = ServerConfig { prefix_cache: false, ..ServerConfig::default() };
        let server = Server::start(self.model.clone(), self.threads.clone(), config)?;
        let spec = self.full(input, tokens)?;
        let begun = Instant::now();
        let handles = (0..jobs)
            .map(|_| {
                server.generate(GenerateJob {
                    input: input.to_vec(),
                    spec: spec.clone(),
                    limits: self.limits,
                    cancel: Arc::default(),
                    drafter: None,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        for handle in handles {
            handle.wait()?;
        }
        Ok(begun.elapsed().as_secs_f64())
    }
}

/// Returns the beginning of [`TEXT`] that has about [`INPUT`] tokens, with these.
fn prompt(model: &Model) -> Result<(&'static [u8], Vec<u32>)> {
    // The begin token counts, and a space may be several tokens, so not every length occurs.
    for end in (1..=TEXT.len()).rev() {
        let input = model.tokenize(&TEXT[..end])?;
        if input.len() <= INPUT {
            ensure!(input.len() + 4 >= INPUT, "the prompt has {} tokens, not {INPUT}", input.len());
            return Ok((&TEXT[..end], input));
        }
    }
    anyhow::bail!("no beginning of the text has up to {INPUT} tokens")
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
    let info = bench.model.info();
    println!(
        "{}: {} parameters, {}, {} threads, median of {}\n",
        info.name, info.parameters, info.quantisation, options.threads, options.rounds
    );
    let (prompt, input) = prompt(&bench.model)?;
    let text: Vec<u32> = input.iter().copied().cycle().take(512).collect();
    let (mut prefill, mut first) = (vec![], vec![]);
    for _ in 0..options.rounds {
        prefill.push(bench.prefill(&text)?);
        first.push(bench.prefill(&input)?);
    }
    let (prefill, first) = (512.0 / median(prefill), median(first));
    let mut outputs = Vec::new();
    for &tokens in &options.outputs {
        outputs.push(bench.outputs(prompt, tokens, options.rounds)?);
    }
    // The first output token comes with the prefill.
    let longest = outputs.iter().max_by_key(|it| it.tokens).context("no length of output")?;
    let decode = f64::from(longest.tokens - 1) / (longest.generate - first);
    println!("decode                {decode:>10.1} tokens/s");
    println!("prefill of 512        {prefill:>10.1} tokens/s\n");
    println!("| output tokens | generate ms | verify ms | generate / verify |");
    println!("| ---: | ---: | ---: | ---: |");
    for it in &outputs {
        let (generate, verify) = (it.generate * 1e3, it.verify * 1e3);
        println!("| {} | {generate:.2} | {verify:.2} | {:.2} |", it.tokens, generate / verify);
    }
    let mut batches = Vec::new();
    let wanted: Vec<usize> = options.batches.iter().copied().filter(|jobs| *jobs > 0).collect();
    if !wanted.is_empty() {
        println!("\n| jobs at a time | tokens/s | of one job's |\n| ---: | ---: | ---: |");
    }
    for jobs in wanted {
        let mut seconds = Vec::new();
        for _ in 0..options.rounds {
            seconds.push(bench.batch(&input, jobs, BATCH_TOKENS)?);
        }
        batches.push((jobs, (jobs as u32 * BATCH_TOKENS) as f64 / median(seconds)));
        let (jobs, speed) = batches[batches.len() - 1];
        println!("| {jobs} | {speed:.1} | {:.2} |", speed / batches[0].1);
    }
    let speedup = |tokens| {
        let it: Option<&Outputs> = outputs.iter().find(|it| it.tokens == tokens);
        it.map(|it| it.generate / it.verify)
    };
    let least = outputs.iter().map(|it| it.generate / it.verify).fold(f64::INFINITY, f64::min);
    let object = json!({
        "model": info.name,
        "parameters": info.parameters,
        "quantisation": info.quantisation,
        "threads": options.threads,
        "decode_tokens_per_s": decode,
        "prefill_tokens_per_s": prefill,
        "verify_speedup_64_256": speedup(256),
        "verify_speedup_min": least,
        "verify_speedup": outputs.iter().map(|it| (it.tokens.to_string(), json!(it.generate / it.verify))).collect::<serde_json::Map<_, _>>(),
        "batch_tokens_per_s": batches.iter().map(|(jobs, speed)| (jobs.to_string(), json!(speed))).collect::<serde_json::Map<_, _>>(),
    });
    println!("\n{object}");
    Ok(())
}
