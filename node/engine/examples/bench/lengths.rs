// SPDX-License-Identifier: Apache-2.0
//! The time to generate an output against the time to verify it.

use crate::{median, prompt::prompt, Bench};
use anyhow::{ensure, Context, Result};
use assay_engine::{
    generate, verify, GenerateSpec, Positions, Prompt, SampleSpec, Sampling, Transcript,
    Verification,
};
use std::{fmt, str::FromStr, time::Instant};

/// The tokens of a prompt and of the output after it.
#[derive(Clone, Copy, Debug)]
pub struct Lengths {
    pub input: usize,
    pub output: u32,
}

impl FromStr for Lengths {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (input, output) =
            text.split_once('+').context("lengths are written INPUT+OUTPUT, such as 64+256")?;
        let lengths = Self { input: input.parse()?, output: output.parse()? };
        ensure!(lengths.output > 0, "an output has at least one token");
        Ok(lengths)
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.input, self.output)
    }
}

/// Medians for one pair of lengths, in seconds.
pub struct Times {
    pub lengths: Lengths,
    /// The tokens of the prompt, which the prompts that a vocabulary can write are near.
    pub input: Vec<u32>,
    pub generate: f64,
    pub verify: f64,
}

impl Times {
    /// Generates and verifies in turn, so that other load on the machine affects both.
    pub fn measure(bench: &Bench, lengths: Lengths, rounds: u32) -> Result<Self> {
        let (text, input) = prompt(&bench.model, lengths.input)?;
        let spec = full(bench, &input, lengths.output)?;
        let (mut generated, mut verified) = (vec![], vec![]);
        for _ in 0..rounds {
            let (seconds, transcript) = generated_in(bench, &input, &spec)?;
            generated.push(seconds);
            verified.push(verified_in(bench, &text, &transcript, &spec)?);
        }
        Ok(Self { lengths, input, generate: median(generated), verify: median(verified) })
    }

    /// Returns how many times faster the output is verified than generated.
    pub fn speedup(&self) -> f64 {
        self.generate / self.verify
    }
}

fn generated_in(bench: &Bench, input: &[u32], spec: &GenerateSpec) -> Result<(f64, Transcript)> {
    let begun = Instant::now();
    let Bench { model, threads, limits, cancel } = bench;
    let done = generate(model, threads, input, spec, limits, cancel, &mut |_, _| ())?;
    let seconds = begun.elapsed().as_secs_f64();
    let input = input.to_vec();
    let (output, finish, logprobs) = (done.tokens, done.finish, done.logprobs);
    Ok((seconds, Transcript { input, output, finish, logprobs }))
}

fn verified_in(
    bench: &Bench,
    text: &[u8],
    transcript: &Transcript,
    spec: &GenerateSpec,
) -> Result<f64> {
    let begun = Instant::now();
    let Bench { model, threads, limits, cancel } = bench;
    let (prompt, all) = (Prompt::text(text), Positions::All);
    let verdict = verify(model, threads, &prompt, transcript, spec, &all, limits, cancel)?;
    let seconds = begun.elapsed().as_secs_f64();
    let honest = matches!(verdict, Verification::Accept { .. });
    ensure!(honest, "an honest output was not accepted: {verdict:?}");
    Ok(seconds)
}

/// Returns a spec under which the model generates all of `max_tokens` and does not end earlier.
pub fn full(bench: &Bench, input: &[u32], max_tokens: u32) -> Result<GenerateSpec> {
    for seed in 0..1000 {
        let sampling = Sampling { temperature: 65_536, top_k: 40, ..Sampling::GREEDY };
        let sample = SampleSpec::new(seed, &[0; 32], sampling);
        let spec = GenerateSpec::new(sample, max_tokens, [0; 32]);
        if generated_in(bench, input, &spec)?.1.output.len() == max_tokens as usize {
            return Ok(spec);
        }
    }
    anyhow::bail!("the model ended each of 1000 outputs before {max_tokens} tokens")
}
