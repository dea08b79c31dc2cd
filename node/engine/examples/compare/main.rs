// SPDX-License-Identifier: Apache-2.0
//! Compares the engine with llama.cpp on a model: tokens, greedy choices, and bits per byte. It also checks that
//! the output of the model in another quantisation is rejected. `./scripts/test.sh models` runs it.

#![allow(clippy::print_stdout, reason = "the comparison is this program's output")]

mod peer;

use anyhow::{ensure, Context, Result};
use assay_engine::{
    generate, import, plan_import, verify, GenerateSpec, Limits, MatrixType, Model, Positions,
    Prompt, SampleSpec, Sampling, Session, Threads, Transcript, Verification,
};
use clap::Parser;
use peer::{Choice, Peer};
use std::{path::PathBuf, sync::atomic::AtomicBool};

/// The text that is compared: it has prose, code, and characters of many scripts.
const TEXT: &str = concat!(
    include_str!("../../tests/llama_cpp/text.md"),
    include_str!("../../tests/llama_cpp/scripts.txt")
);
/// The part of 100 of positions at which both must choose the same token.
const AGREEMENT: f64 = 98.0;
/// The most by which bits per byte may differ, of 100.
const BITS: f64 = 1.0;
/// Tokens of each output that is verified.
const OUTPUT: u32 = 32;

#[derive(Parser)]
#[command(about = "Compare the engine with llama.cpp on a model")]
struct Options {
    /// The model's file; one in types that the engine does not compute with is imported first.
    model: PathBuf,
    /// A Python that has the package llama-cpp-python.
    #[arg(long, env = "ASSAY_LLAMA_PYTHON")]
    python: PathBuf,
    /// The most tokens of which choices are compared.
    #[arg(long, default_value_t = 1200)]
    tokens: usize,
    /// Number of threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// Returns one choice for each token: that of the row after it, and the bits of the token that follows in the text.
fn choices(model: &Model, threads: &Threads, tokens: &[u32]) -> Result<Vec<Choice>> {
    let limits = Limits::default();
    let mut session = Session::new(model, threads, tokens.len(), &limits)?;
    let judge = |row: assay_engine::Row<'_>| {
        let logit = |x: i32| f64::from(x) / 65_536.0;
        let best = (0..row.logits.len()).rev().max_by_key(|&i| row.logits[i]).unwrap_or(0);
        let largest = logit(row.logits[best]);
        let sum: f64 = row.logits.iter().map(|&x| (logit(x) - largest).exp()).sum();
        let next = tokens.get(row.position + 1);
        let bits = next.map(|&next| largest + sum.ln() - logit(row.logits[next as usize]));
        Choice { best: best as u32, bits: bits.unwrap_or(0.0) / std::f64::consts::LN_2 }
    };
    Ok(session.forward(tokens, &limits, &AtomicBool::new(false), &|_| true, &judge)?)
}

fn compare_tokens(model: &Model, peer: &Peer) -> Result<()> {
    let texts: Vec<&str> = TEXT.lines().chain(TEXT.split("\n\n")).chain([TEXT]).collect();
    let theirs = peer.tokens(&texts)?;
    let mut count = 0;
    for (text, theirs) in texts.iter().zip(theirs) {
        let ours = model.tokenize(text.as_bytes())?;
        ensure!(ours == theirs, "other tokens of {text:?}: {ours:?}, llama.cpp has {theirs:?}");
        count += ours.len();
    }
    println!("tokens: {count} of {} texts are llama.cpp's", texts.len());
    Ok(())
}

fn compare_choices(model: &Model, threads: &Threads, peer: &Peer, most: usize) -> Result<()> {
    let mut tokens = model.tokenize(TEXT.as_bytes())?;
    tokens.truncate(most.min(model.info().context_length as usize));
    let bytes = model.detokenize(&tokens[1..]).len() as f64;
    let (ours, theirs) = (choices(model, threads, &tokens)?, peer.choices(&tokens)?);
    ensure!(ours.len() == theirs.len(), "llama.cpp returned {} rows", theirs.len());
    let same = ours.iter().zip(&theirs).filter(|(a, b)| a.best == b.best).count();
    let agreement = 100.0 * same as f64 / ours.len() as f64;
    let bits = |all: &[Choice]| all.iter().map(|choice| choice.bits).sum::<f64>() / bytes;
    let (own, other) = (bits(&ours), bits(&theirs));
    println!("choices: {same} of {} greedy tokens are llama.cpp's, {agreement:.2} %", ours.len());
    println!("bits per byte: {own:.4}, llama.cpp has {other:.4}");
    ensure!(agreement >= AGREEMENT, "agreement below {AGREEMENT} %");
    ensure!((own / other - 1.0).abs() * 100.0 <= BITS, "bits differ by more than {BITS} %");
    Ok(())
}

/// Ensures that an honest output is accepted, and that of the model in Q4_0 is not.
fn check_outputs(model: &Model, threads: &Threads) -> Result<()> {
    let text = b"The history of the city begins in";
    let (limits, never) = (Limits::default(), AtomicBool::new(false));
    let spec = GenerateSpec::new(SampleSpec::new(1, &[9; 32], Sampling::GREEDY), OUTPUT, [3; 32]);
    let other = model.requantised_q4_0()?;
    for (by, is_honest) in [(model, true), (&other, false)] {
        let input = model.tokenize(text)?;
        let done = generate(by, threads, &input, &spec, &limits, &never, &mut |_, _| ())?;
        let (output, finish, logprobs) = (done.tokens, done.finish, done.logprobs);
        let claim = Transcript { input, output, finish, logprobs };
        let prompt = Prompt::text(text);
        let verdict =
            verify(model, threads, &prompt, &claim, &spec, &Positions::All, &limits, &never)?;
        // Of an output with the model's own tokens, the digests of the logits are others.
        let right = Verification::Accept { digest_root: Some(done.digest_root) };
        ensure!((verdict == right) == is_honest, "honest: {is_honest}, but {verdict:?}");
    }
    println!("outputs: an honest one is accepted, and one in another quantisation is rejected");
    Ok(())
}

fn main() -> Result<()> {
    let options = Options::parse();
    let folder = tempfile::tempdir()?;
    let mut file = options.model.clone();
    let plan = plan_import(&file, MatrixType::Q8_0)?;
    if plan.converted > 0 || plan.parts > 1 {
        file = folder.path().join("imported.gguf");
        import(&options.model, &file, MatrixType::Q8_0, &mut |_| ())?;
    }
    let model = Model::open(&file).with_context(|| file.display().to_string())?;
    let root: String = model.root().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("model: {}, {root}, {} bytes", model.info().name, model.info().file_bytes);
    let threads = Threads::new(options.threads);
    let peer = Peer { python: options.python, file };
    compare_tokens(&model, &peer)?;
    check_outputs(&model, &threads)?;
    compare_choices(&model, &threads, &peer, options.tokens)
}
