// SPDX-License-Identifier: Apache-2.0
//! Verifies honest outputs with every kernel of this machine and with 1, 2 and 4 threads, whichever
//! kernel generated them, and counts the positions that are rejected. There must be none. All that a request
//! can ask for is drawn at random, from a fixed seed.
#![allow(clippy::print_stdout, reason = "the count is this program's output")]

use anyhow::Result;
use assay_engine::{
    generate, synthetic::Synthetic, verify, Adjustments, GenerateSpec, Kernel, Limits, Model,
    Positions, Prompt, SampleSpec, Sampling, StopStrings, Threads, Transcript, Verification,
};
use candle_core::quantized::GgmlDType;
use clap::Parser;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::sync::atomic::AtomicBool;

#[derive(Parser)]
#[command(about = "Count honest positions that any kernel or number of threads rejects")]
struct Options {
    /// Least number of positions to check.
    #[arg(long, default_value_t = 100_000)]
    positions: u64,
}

const PROMPTS: [&[u8]; 4] = [
    b"In the beginning",
    b"a",
    b"fn main() {\n    let x = [1, 2, 3];\n",
    "H\u{e4}nde \u{1f44b}".as_bytes(),
];
/// The most tokens of an output.
const TOKENS: u32 = 256;

/// Requests at random.
struct Requests(ChaCha8Rng);

impl Requests {
    /// Returns a number below that one.
    fn below(&mut self, n: u32) -> u32 {
        self.0.next_u32() % n
    }

    /// Returns one of these in half of the cases, and the neutral value in the other half.
    fn or<T>(&mut self, neutral: T, other: impl FnOnce(&mut Self) -> T) -> T {
        match self.below(2) {
            0 => neutral,
            _ => other(self),
        }
    }

    /// Returns a change of a logit, between -4 and 4.
    fn change(&mut self) -> i32 {
        self.below(8 << 16) as i32 - (4 << 16)
    }

    fn sampling(&mut self) -> Sampling {
        Sampling {
            temperature: self.or(0, |all| 1 + all.below(2 << 16)),
            top_k: self.or(0, |all| all.below(60)),
            top_p: self.or(65_536, |all| all.below(65_537)),
            min_p: self.or(0, |all| all.below(20_000)),
        }
    }

    fn adjustments(&mut self) -> Adjustments {
        let changes = Adjustments {
            presence: self.or(0, Self::change),
            frequency: self.or(0, |all| all.change() / 8),
            repetition: self.or(65_536, |all| 40_000 + all.below(80_000)),
            ..Adjustments::NONE
        };
        let count = self.or(0, |all| all.below(8));
        let bias: Vec<_> = (0..count).map(|_| (self.below(260), self.change())).collect();
        changes.with_bias(bias)
    }

    fn next(&mut self) -> (&'static [u8], GenerateSpec) {
        let sample = SampleSpec::new(u64::from(self.0.next_u32()), &[0; 32], self.sampling());
        let stops = self.or(StopStrings::NONE, |all| {
            StopStrings::new(
                (0..1 + all.below(3)).map(|_| vec![all.below(256) as u8, all.below(256) as u8]),
            )
        });
        let spec = GenerateSpec {
            adjustments: self.adjustments(),
            stops,
            ignore_end: self.below(2) == 0,
            ..GenerateSpec::new(sample, 1 + self.below(TOKENS), [0; 32])
        };
        (PROMPTS[self.below(4) as usize], spec)
    }
}

/// Opens the same model for each kernel.
fn kernels(open: impl Fn() -> Result<Model>) -> Result<Vec<Model>> {
    Kernel::available().into_iter().map(|kernel| Ok(open()?.with_kernel(kernel)?)).collect()
}

fn models() -> Result<Vec<Vec<Model>>> {
    let wide = Synthetic { dim: 256, hidden: 544, heads: 8, kv_heads: 2, ..Synthetic::default() };
    let q4 = Synthetic { dtype: GgmlDType::Q4_0, seed: 2, ..wide };
    Ok(vec![
        kernels(|| Ok(Model::tiny()?))?,
        kernels(|| Ok(Model::tiny()?.requantised_q4_0()?))?,
        kernels(|| Ok(Model::from_bytes(wide.file()?)?))?,
        kernels(|| Ok(Model::from_bytes(q4.file()?)?))?,
    ])
}

fn main() -> Result<()> {
    let options = Options::parse();
    let models = models()?;
    let threads: Vec<Threads> = [1, 2, 4].into_iter().map(Threads::new).collect();
    let (limits, cancel) = (Limits::default(), AtomicBool::new(false));
    let (mut checked, mut rejected, mut outputs) = (0u64, 0u64, 0u64);
    let mut requests = Requests(ChaCha8Rng::from_seed([7; 32]));
    while checked < options.positions {
        for kernels in &models {
            let (asked, spec) = requests.next();
            let operator = &kernels[outputs as usize % kernels.len()];
            let pool = &threads[outputs as usize % threads.len()];
            let input = operator.tokenize(asked)?;
            let done = generate(operator, pool, &input, &spec, &limits, &cancel, &mut |_, _| ())?;
            let accepted = Verification::Accept { digest_root: Some(done.digest_root) };
            let (output, finish, logprobs) = (done.tokens, done.finish, done.logprobs);
            let claim = Transcript { input, output, finish, logprobs };
            for verifier in kernels {
                for pool in &threads {
                    let (prompt, all) = (&Prompt::text(asked), &Positions::All);
                    let found =
                        verify(verifier, pool, prompt, &claim, &spec, all, &limits, &cancel)?;
                    checked += claim.output.len() as u64;
                    if found != accepted {
                        rejected += claim.output.len() as u64;
                        println!("{:?} rejects {found:?}", verifier.kernel());
                    }
                }
            }
            outputs += 1;
        }
    }
    let names: Vec<&str> = Kernel::available().iter().map(|kernel| kernel.name()).collect();
    println!("kernels                   {:>10}", names.join(" "));
    println!("positions checked         {checked:>10}");
    println!("positions rejected        {rejected:>10}");
    println!("{{\"positions_checked\":{checked},\"false_rejects\":{rejected}}}");
    Ok(())
}
