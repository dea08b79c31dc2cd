// SPDX-License-Identifier: Apache-2.0
//! Verifies honest outputs with every kernel of this machine and with 1, 2 and 4 threads, whichever
//! kernel generated them, and counts the positions that are rejected. There must be none.
#![allow(clippy::print_stdout, reason = "the count is this program's output")]

use anyhow::Result;
use assay_engine::{
    generate, synthetic::Synthetic, verify, GenerateSpec, Kernel, Limits, Model, Positions, Prompt,
    SampleSpec, Sampling, StopStrings, Threads, Transcript, Verification,
};
use candle_core::quantized::GgmlDType;
use clap::Parser;
use std::sync::atomic::AtomicBool;

#[derive(Parser)]
#[command(about = "Count honest positions that any kernel or number of threads rejects")]
struct Options {
    /// Least number of positions to check.
    #[arg(long, default_value_t = 100_000)]
    positions: u64,
}

const PROMPT: &[u8] = b"In the beginning";
/// Number of tokens in an output.
const TOKENS: u32 = 256;

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
    while checked < options.positions {
        for kernels in &models {
            let temperature = [0, 52_429, 65_536][outputs as usize % 3];
            let sampling = Sampling { temperature, top_k: 0, top_p: 65_536 };
            let sample = SampleSpec::new(outputs, &[0; 32], sampling);
            let spec = GenerateSpec {
                sample,
                max_tokens: TOKENS,
                stops: StopStrings::NONE,
                digest_key: [0; 32],
            };
            let operator = &kernels[outputs as usize % kernels.len()];
            let pool = &threads[outputs as usize % threads.len()];
            let input = operator.tokenize(PROMPT)?;
            let done = generate(operator, pool, &input, &spec, &limits, &cancel, &mut |_, _| ())?;
            let accepted = Verification::Accept { digest_root: Some(done.digest_root) };
            let claim = Transcript { input, output: done.tokens, finish: done.finish };
            for verifier in kernels {
                for pool in &threads {
                    let (prompt, all) = (&Prompt::text(PROMPT), &Positions::All);
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
