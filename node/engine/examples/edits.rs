// SPDX-License-Identifier: Apache-2.0
//! Tries to get dishonest outputs past the verifier: every edit of one token, every early end,
//! other prompts, seeds, models and quantisations. Counts the dishonest outputs that are missed and
//! the honest ones that are rejected.
#![allow(clippy::print_stdout, reason = "the count is this program's output")]

use anyhow::{ensure, Result};
use assay_engine::{
    generate, synthetic::Synthetic, verify, FinishReason, GenerateSpec, Generation, Limits, Model,
    Positions, Prompt, SampleSpec, Sampling, Threads, Transcript, Verification,
};
use candle_core::quantized::GgmlDType;
use clap::Parser;
use std::sync::atomic::AtomicBool;

#[derive(Parser)]
#[command(about = "Count dishonest outputs that verification misses, and honest ones it rejects")]
struct Options {
    /// Number of outputs to attack, each at three temperatures.
    #[arg(long, default_value_t = 4)]
    outputs: u64,
    /// Number of tokens in an output.
    #[arg(long, default_value_t = 64)]
    tokens: u32,
    /// Number of threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

const PROMPTS: [&[u8]; 2] = [b"In the beginning God created", b"And it came to pass in those days"];

/// Temperatures in Q16.16: greedy, 0.7 and 1.
const TEMPERATURES: [u32; 3] = [0, 45_875, 65_536];

struct Trial<'m> {
    model: &'m Model,
    threads: &'m Threads,
    tried: u64,
    missed: u64,
    honest: u64,
    rejected: u64,
}

impl Trial<'_> {
    fn generate(&self, model: &Model, prompt: &[u8], spec: &GenerateSpec) -> Result<Generation> {
        let (input, limits) = (model.tokenize(prompt)?, Limits::default());
        let cancel = AtomicBool::new(false);
        Ok(generate(model, self.threads, &input, spec, &limits, &cancel, &mut |_, _| ())?)
    }

    fn verify(
        &self,
        prompt: &[u8],
        claim: &Transcript,
        spec: &GenerateSpec,
    ) -> Result<Verification> {
        let (limits, cancel) = (Limits::default(), AtomicBool::new(false));
        let (prompt, all) = (Prompt::text(prompt), Positions::All);
        Ok(verify(self.model, self.threads, &prompt, claim, spec, &all, &limits, &cancel)?)
    }

    /// Counts a claim that differs from the honest one.
    fn attack(
        &mut self,
        prompt: &[u8],
        claim: &Transcript,
        root: [u8; 32],
        spec: &GenerateSpec,
    ) -> Result<()> {
        self.tried += 1;
        // An operator also commits to the digests: text and digests must both be the model's.
        let accepted = Verification::Accept { digest_root: Some(root) };
        self.missed += u64::from(self.verify(prompt, claim, spec)? == accepted);
        Ok(())
    }

    fn attack_output(
        &mut self,
        prompt: &[u8],
        spec: &GenerateSpec,
        others: &[Model],
    ) -> Result<()> {
        let honest = self.generate(self.model, prompt, spec)?;
        let claim = transcript(self.model, prompt, &honest)?;
        self.honest += honest.tokens.len() as u64;
        let accepted = Verification::Accept { digest_root: Some(honest.digest_root) };
        if self.verify(prompt, &claim, spec)? != accepted {
            self.rejected += honest.tokens.len() as u64;
        }
        let root = honest.digest_root;
        for position in 0..claim.output.len() {
            for change in [1, 2, 64] {
                let mut edited = claim.clone();
                edited.output[position] ^= change;
                self.attack(prompt, &edited, root, spec)?;
            }
            let mut early = claim.clone();
            early.output.truncate(position);
            early.finish = FinishReason::EndToken;
            self.attack(prompt, &early, root, spec)?;
            early.output.push(self.model.end_token());
            if early.output != claim.output {
                self.attack(prompt, &early, root, spec)?;
            }
        }
        for other in PROMPTS.iter().filter(|other| **other != prompt) {
            let foreign = self.generate(self.model, other, spec)?;
            let claim = Transcript {
                input: self.model.tokenize(prompt)?,
                ..transcript(self.model, other, &foreign)?
            };
            self.attack(prompt, &claim, foreign.digest_root, spec)?;
        }
        if spec.sample.sampling.temperature > 0 {
            for seed in 1_000..1_008 {
                let other = GenerateSpec {
                    sample: SampleSpec::new(seed, &[0; 32], spec.sample.sampling),
                    ..spec.clone()
                };
                let foreign = self.generate(self.model, prompt, &other)?;
                // Two seeds may choose the same tokens; then there is nothing to detect.
                if foreign.tokens != honest.tokens {
                    let claim = transcript(self.model, prompt, &foreign)?;
                    self.attack(prompt, &claim, foreign.digest_root, spec)?;
                }
            }
        }
        for other in others {
            let foreign = self.generate(other, prompt, spec)?;
            let claim = transcript(other, prompt, &foreign)?;
            self.attack(prompt, &claim, foreign.digest_root, spec)?;
        }
        Ok(())
    }
}

fn transcript(model: &Model, prompt: &[u8], generation: &Generation) -> Result<Transcript> {
    Ok(Transcript {
        input: model.tokenize(prompt)?,
        output: generation.tokens.clone(),
        finish: generation.finish,
        logprobs: generation.logprobs.clone(),
    })
}

/// Returns a model with the tiny one's vocabulary and random weights.
fn stranger(seed: u64) -> Result<Model> {
    let file = Synthetic {
        seed,
        dtype: GgmlDType::Q8_0,
        dim: 128,
        hidden: 256,
        heads: 4,
        kv_heads: 2,
        context: 512,
        ..Synthetic::default()
    }
    .file()?;
    Ok(Model::from_bytes(file)?)
}

fn main() -> Result<()> {
    let options = Options::parse();
    let tiny = Model::tiny()?;
    let others = [tiny.requantised_q4_0()?, stranger(1)?];
    let threads = Threads::new(options.threads);
    let mut trial =
        Trial { model: &tiny, threads: &threads, tried: 0, missed: 0, honest: 0, rejected: 0 };
    for seed in 0..options.outputs {
        for temperature in TEMPERATURES {
            let sampling = Sampling { temperature, ..Sampling::GREEDY };
            let sample = SampleSpec::new(seed, &[0; 32], sampling);
            let spec = GenerateSpec::new(sample, options.tokens, [0; 32]);
            for prompt in PROMPTS {
                trial.attack_output(prompt, &spec, &others)?;
            }
        }
    }
    ensure!(trial.tried > 0, "nothing was tried");
    println!("dishonest outputs tried   {:>10}", trial.tried);
    println!("dishonest outputs missed  {:>10}", trial.missed);
    println!("honest positions checked  {:>10}", trial.honest);
    println!("of these rejected         {:>10}", trial.rejected);
    println!(
        "{{\"edits_tried\":{},\"edits_missed\":{},\"honest_positions\":{},\"false_rejects\":{}}}",
        trial.tried, trial.missed, trial.honest, trial.rejected
    );
    Ok(())
}
