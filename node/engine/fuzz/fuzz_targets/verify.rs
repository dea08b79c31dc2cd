// SPDX-License-Identifier: Apache-2.0
//! Verifies any transcript for any job. The result must be a verdict or an error, without a panic
//! and without memory beyond the limit.
#![no_main]

use arbitrary::Arbitrary;
use assay_engine::{
    generate, verify, Adjustments, FinishReason, GenerateSpec, Limits, Positions, Prompt, SampleSpec,
    Sampling, Transcript, Verification,
};
use assay_engine_fuzz::{measured, MODEL, NEVER, THREADS};
use libfuzzer_sys::fuzz_target;

/// The most that a verification may take in addition to its limit: its copies of the input, and the
/// tables of the model, which are computed once.
const BESIDE: usize = 16 << 20;

#[derive(Arbitrary, Debug)]
struct Case {
    prompt: Vec<u8>,
    /// The input that the transcript claims; the prompt's tokens if there is none.
    input: Option<Vec<u32>>,
    /// The tokens after the honest ones.
    output: Vec<u32>,
    /// The number of honest tokens at the beginning of the output.
    honest: u8,
    ended: bool,
    max_tokens: u32,
    seed: u64,
    sampling: (u32, u32, u32),
    min_p: u32,
    presence: i32,
    frequency: i32,
    repetition: u32,
    bias: (u32, i32),
    ignore_end: bool,
    logprobs: u8,
    /// The log probability that is claimed at a position in place of the right one.
    claimed: Option<(u8, i32)>,
    /// The likeliest tokens that are claimed after the right ones.
    more: Vec<(u32, i32)>,
    positions: Option<Vec<u32>>,
    memory_bytes: u32,
}

fuzz_target!(|case: Case| {
    let (model, threads) = (&*MODEL, &*THREADS);
    let (temperature, top_k, top_p) = case.sampling;
    let sampling = Sampling { temperature, top_k, top_p, min_p: case.min_p };
    // Most jobs should be ones that an operator can run.
    let max_tokens = if case.max_tokens > 1 << 31 { case.max_tokens } else { case.max_tokens % 70 };
    let sample = SampleSpec::new(case.seed, &[0; 32], sampling);
    let adjustments = Adjustments {
        presence: case.presence,
        frequency: case.frequency,
        repetition: case.repetition,
        ..Adjustments::NONE.with_bias([(case.bias.0, case.bias.1)])
    };
    let spec = GenerateSpec {
        adjustments,
        ignore_end: case.ignore_end,
        logprobs: case.logprobs,
        ..GenerateSpec::new(sample, max_tokens, [0; 32])
    };
    let limits = Limits { memory_bytes: case.memory_bytes.into(), ..Limits::default() };
    let Ok(input) = model.tokenize(&case.prompt) else { return };
    let wide = Limits::default();
    let honest = generate(model, threads, &input, &spec, &wide, &NEVER, &mut |_, _| ()).ok();
    let mut output = honest.as_ref().map_or(vec![], |done| done.tokens.clone());
    output.truncate(case.honest.into());
    output.extend(&case.output);
    let finish = if case.ended { FinishReason::EndToken } else { FinishReason::Length };
    let claimed = case.input.unwrap_or(input.clone());
    let mut logprobs = honest.as_ref().map(|done| done.logprobs.clone()).unwrap_or_default();
    if let Some((at, claim)) = case.claimed {
        if let Some(own) = logprobs.chosen.get_mut(usize::from(at)) {
            *own = claim;
        }
    }
    logprobs.top.extend(case.more);
    let transcript = Transcript { input: claimed, output, finish, logprobs };
    let prompt = Prompt::text(case.prompt);
    let positions = case.positions.map_or(Positions::All, Positions::Sample);

    let verdict = measured(case.memory_bytes as usize + BESIDE, || {
        verify(model, threads, &prompt, &transcript, &spec, &positions, &limits, &NEVER)
    });

    let accepted = matches!(verdict, Ok(Verification::Accept { .. }));
    if let (true, Positions::All, Some(done)) = (verdict.is_ok(), &positions, honest) {
        let right = transcript.input == input
            && transcript.output == done.tokens
            && transcript.finish == done.finish
            && transcript.logprobs == done.logprobs;
        assert_eq!(accepted, right, "{verdict:?} for {transcript:?}");
    }
});
