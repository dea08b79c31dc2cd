// SPDX-License-Identifier: Apache-2.0
//! Outputs that end with a control token: one of several end tokens, or one that a stop string names.

mod models;

use assay_engine::{
    draft::{Drafter, PromptLookup},
    generate_with_draft, FinishReason, GenerateSpec, Generation, Limits, Model, Positions,
    RejectReason, StopStrings, Threads, Transcript, Verification,
};
use candle_core::quantized::gguf_file::Value;
use models::{
    check,
    named::{named, CONTROL, NORMAL, USER_DEFINED},
    run, sampled, spec, transcript, NEVER,
};

const PROMPT: &[u8] = b"And it came to pass";
/// The token that the tests are about.
const TOKEN: u32 = 258;

/// Returns a model of which that token has the text and the kind.
fn model(text: &str, kind: i32) -> Model {
    named(&[(TOKEN as usize, text, kind)], &[])
}

/// Returns a spec of that seed with the stop strings.
fn stopping(seed: u64, stops: &[&str]) -> GenerateSpec {
    let stops = StopStrings::new(stops.iter().map(|stop| stop.as_bytes()));
    GenerateSpec { stops, ..spec(sampled(131_072, 0, 65_536, seed), 400) }
}

/// Returns a seed, and the place of the first [`TOKEN`] in its output. The model `plain` does not end there.
fn place(plain: &Model) -> (u64, usize) {
    let found = (0..100).find_map(|seed| {
        let generation = run(plain, PROMPT, &stopping(seed, &[]));
        let at = generation.tokens.iter().position(|token| *token == TOKEN)?;
        (at > 2 && at + 2 < generation.tokens.len()).then_some((seed, at))
    });
    found.expect("the model draws every token")
}

/// Asserts that an output ends at a place for a reason, with and without a drafter, and that a verifier accepts
/// it there and nowhere else.
fn assert_ends(model: &Model, spec: &GenerateSpec, at: usize, finish: FinishReason) -> Generation {
    let alone = run(model, PROMPT, spec);
    assert_eq!((alone.tokens.len(), alone.finish), (at + 1, finish));
    let (input, limits) = (model.tokenize(PROMPT).unwrap(), Limits::default());
    let drafter: Box<dyn Drafter> = Box::new(PromptLookup);
    let threads = Threads::new(1);
    let drafted = generate_with_draft(
        model,
        &threads,
        &input,
        drafter,
        spec,
        &limits,
        &NEVER,
        &mut |_, _| (),
    );
    assert_eq!(drafted.unwrap(), alone);
    let honest = transcript(model, PROMPT, &alone);
    let verdict = |claimed: &Transcript| {
        check(model, PROMPT, claimed, spec, &Positions::All).expect("a verdict")
    };
    let accept = Verification::Accept { digest_root: Some(alone.digest_root) };
    assert_eq!(verdict(&honest), accept);
    let mut longer = honest.clone();
    longer.output.push(65);
    let early = Verification::Reject { position: at as u32, reason: RejectReason::EarlyEnd };
    assert_eq!(verdict(&longer), early);
    for other in [FinishReason::EndToken, FinishReason::Stop(0), FinishReason::Stop(1)] {
        let claimed = Transcript { finish: other, ..honest.clone() };
        let wrong = Verification::Reject { position: at as u32, reason: RejectReason::WrongFinish };
        assert_eq!(verdict(&claimed), if other == finish { accept } else { wrong });
    }
    alone
}

#[test]
fn output_ends_with_any_token_whose_text_is_that_of_an_end() {
    let plain = model("<pad>", CONTROL);
    assert!(!plain.is_end_token(TOKEN));
    let (seed, at) = place(&plain);
    let spec = stopping(seed, &[]);
    for kind in [CONTROL, USER_DEFINED, NORMAL] {
        for text in ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>"] {
            let model = model(text, kind);
            assert!(model.is_end_token(TOKEN) && model.is_end_token(257), "{text}");
            let made = assert_ends(&model, &spec, at, FinishReason::EndToken);
            assert_eq!(model.detokenize(&made.tokens[at..]), b"", "an end has no text");
        }
    }
}

#[test]
fn output_ends_with_each_token_that_the_file_names_as_an_end() {
    for name in ["eot", "eom", "fim_pad", "fim_rep", "fim_sep"] {
        let key = format!("tokenizer.ggml.{name}_token_id");
        let model = named(&[(TOKEN as usize, "over", NORMAL)], &[(&key, Value::U32(TOKEN))]);
        assert!(model.is_end_token(TOKEN), "{name}");
        assert!(!model.is_end_token(65));
    }
}

#[test]
fn html_that_closes_a_tag_ends_an_output_only_as_a_control_token() {
    let end = |kind| named(&[(257, "<eos>", CONTROL), (5, "</s>", kind)], &[]).is_end_token(5);
    assert!(end(CONTROL) && !end(NORMAL) && !end(USER_DEFINED));
}

#[test]
fn stop_string_that_is_a_control_token_ends_the_output_with_it() {
    let model = model("<|tool|>", CONTROL);
    let (seed, at) = place(&model);
    let goes_on = run(&model, PROMPT, &stopping(seed, &["<|tool", "|tool|>", "<|tool|> "]));
    assert!(goes_on.tokens.len() > at + 1, "only the whole text names the token");
    let spec = stopping(seed, &["\0never", "<|tool|>"]);
    let made = assert_ends(&model, &spec, at, FinishReason::Stop(1));
    let text = model.detokenize(&made.tokens);
    assert_eq!(spec.stops.shown(&text), text, "nothing of it is in the text");
}

#[test]
fn stop_string_that_is_an_end_token_is_named_as_the_reason() {
    let plain = model("<pad>", CONTROL);
    let (seed, at) = place(&plain);
    let model = model("<|im_end|>", CONTROL);
    let spec = stopping(seed, &["\0never", "<|im_end|>"]);
    assert_ends(&model, &spec, at, FinishReason::Stop(1));
}
