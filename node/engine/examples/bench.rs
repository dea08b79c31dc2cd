// SPDX-License-Identifier: Apache-2.0
//! Speeds of the tiny model, and how much faster verifying an output is than generating it.
#![allow(clippy::print_stdout, reason = "the table is this program's output")]

use anyhow::{ensure, Result};
use assay_engine::{
    generate, verify, GenerateSpec, Limits, Model, Positions, SampleSpec, Sampling, Session,
    Threads, Transcript, Verification,
};
use clap::Parser;
use std::{path::PathBuf, sync::atomic::AtomicBool, time::Instant};

const PROMPT: &[u8] = b"And it came to pass in those days, that the king of the land said";

#[derive(Parser)]
#[command(about = "Measure decode, prefill, and verification against generation")]
struct Options {
    /// A GGUF file; the tiny model if not given.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Measurements of which the median is taken.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(5..))]
    rounds: u32,
}

struct Bench {
    model: Model,
    threads: Threads,
    limits: Limits,
    cancel: AtomicBool,
}

impl Bench {
    /// Seconds to send `tokens` through the model, the row after the last being computed.
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
        Ok((seconds, Transcript { input, output: done.tokens, finish: done.finish }))
    }

    fn verify(&self, prompt: &[u8], transcript: &Transcript, spec: &GenerateSpec) -> Result<f64> {
        let begun = Instant::now();
        let (model, threads, limits) = (&self.model, &self.threads, &self.limits);
        let verdict = verify(
            model,
            threads,
            prompt,
            transcript,
            spec,
            &Positions::All,
            limits,
            &self.cancel,
        )?;
        ensure!(matches!(verdict, Verification::Accept { .. }), "an honest output: {verdict:?}");
        Ok(begun.elapsed().as_secs_f64())
    }

    /// A spec under which the model generates all of `max_tokens` and does not end before.
    fn full(&self, input: &[u32], max_tokens: u32) -> Result<GenerateSpec> {
        for seed in 0..1000 {
            let sampling = Sampling { temperature: 65_536, top_k: 40, top_p: 65_536 };
            let sample = SampleSpec::new(seed, &[0; 32], sampling);
            let spec = GenerateSpec { sample, max_tokens };
            if self.generate(input, &spec)?.1.output.len() == max_tokens as usize {
                return Ok(spec);
            }
        }
        anyhow::bail!("the model ends each of 1000 outputs before {max_tokens} tokens")
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
        threads: Threads::new(options.threads),
        limits: Limits::default(),
        cancel: AtomicBool::new(false),
        model,
    };
    let info = bench.model.info();
    println!(
        "{}: {} parameters, {}, {} threads, median of {}",
        info.name, info.parameters, info.quantisation, options.threads, options.rounds
    );
    // The begin token counts.
    let prompt = &PROMPT[..63];
    let input = bench.model.tokenize(prompt);
    ensure!(input.len() == 64, "64 input tokens, not {}", input.len());
    let text: Vec<u32> = input.iter().copied().cycle().take(512).collect();
    let spec = bench.full(&input, 256)?;
    let (mut prefill, mut first, mut generated, mut verified) = (vec![], vec![], vec![], vec![]);
    for _ in 0..options.rounds {
        prefill.push(bench.prefill(&text)?);
        first.push(bench.prefill(&input)?);
        let (seconds, transcript) = bench.generate(&input, &spec)?;
        generated.push(seconds);
        verified.push(bench.verify(prompt, &transcript, &spec)?);
    }
    let (prefill, first) = (median(prefill), median(first));
    let (generated, verified) = (median(generated), median(verified));
    // The first output token comes with the prefill.
    let decode = 255.0 / (generated - first);
    println!("decode                      {decode:>10.0} tokens/s");
    println!("prefill of 512              {:>10.0} tokens/s", 512.0 / prefill);
    println!("generate 64 in, 256 out     {:>10.2} ms", generated * 1e3);
    println!("verify   64 in, 256 out     {:>10.2} ms", verified * 1e3);
    println!("generate / verify           {:>10.2}", generated / verified);
    println!(
        "{{\"decode_tokens_per_s\":{decode:.1},\"prefill_tokens_per_s\":{:.1},\
         \"generate_ms_64_256\":{:.3},\"verify_ms_64_256\":{:.3},\
         \"verify_speedup_64_256\":{:.3},\"threads\":{}}}",
        512.0 / prefill,
        generated * 1e3,
        verified * 1e3,
        generated / verified,
        options.threads
    );
    Ok(())
}
