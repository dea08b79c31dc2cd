// SPDX-License-Identifier: Apache-2.0
//! Outputs that end with a stop string, however they are generated, and attacks on the rule.

mod models;

use assay_engine::{
    draft::{Drafter, PromptLookup},
    generate_with_draft,
    serve::{GenerateJob, Server, ServerConfig, VerifyJob},
    FinishReason, GenerateSpec, Generation, Limits, Model, Positions, Prompt, RejectReason,
    SampleSpec, StopStrings, Threads, Transcript, Verification,
};
use models::{check, run, sampled, spec, transcript, NEVER};
use std::sync::Arc;

const PROMPT: &[u8] = b"And it came to pass";

fn stopping(stops: &[&[u8]]) -> GenerateSpec {
    let stops = StopStrings::new(stops.iter().copied());
    GenerateSpec { stops, ..spec(sampled(0, 0, 65_536, 1), 60) }
}

/// Returns the greedy output of 60 tokens, and its bytes: each token of the tiny model is a byte.
fn whole(model: &Model) -> (Generation, Vec<u8>) {
    let whole = run(model, PROMPT, &stopping(&[]));
    assert_eq!(whole.finish, FinishReason::Length);
    let text = model.detokenize(&whole.tokens);
    assert_eq!(text.len(), whole.tokens.len());
    (whole, text)
}

fn verdict(model: &Model, claimed: &Transcript, spec: &GenerateSpec) -> Verification {
    check(model, PROMPT, claimed, spec, &Positions::All).unwrap()
}

fn rejected(position: u32, reason: RejectReason) -> Verification {
    Verification::Reject { position, reason }
}

/// A drafter that knows what comes next, and goes on beyond the stop string.
struct Prophet(Vec<u32>);

impl Drafter for Prophet {
    fn draft(&mut self, _: &SampleSpec, tokens: &[u32], count: usize) -> Vec<u32> {
        let known = self.0.iter().skip(tokens.len());
        known.copied().take(count).collect()
    }
}

#[test]
fn output_ends_at_the_first_stop_string_on_every_path() {
    let model = Arc::new(Model::tiny().unwrap());
    let (whole, text) = whole(&model);
    let input = model.tokenize(PROMPT).unwrap();
    let threads = Arc::new(Threads::new(2));
    let server = Server::start(model.clone(), threads.clone(), ServerConfig::default()).unwrap();
    for end in [1, 2, 7, 23, 59, 60] {
        let stop = &text[end - end.min(4)..end];
        let at = text.windows(stop.len()).position(|part| part == stop).unwrap() + stop.len();
        let spec = stopping(&[b"\0never", stop]);
        let alone = run(&model, PROMPT, &spec);
        assert_eq!(alone.finish, FinishReason::Stop(1), "also where max_tokens is reached");
        assert_eq!(alone.tokens, whole.tokens[..at], "the tokens of the stop string are kept");
        assert_eq!(alone.digests, whole.digests[..at]);
        let shown = model.detokenize(&alone.tokens);
        assert_eq!(spec.stops.shown(&shown), &text[..at - stop.len()]);
        let drafters: [Box<dyn Drafter>; 2] =
            [Box::new(PromptLookup), Box::new(Prophet([&input[..], &whole.tokens].concat()))];
        for drafter in drafters {
            let limits = Limits::default();
            let drafted = generate_with_draft(
                &model,
                &threads,
                &input,
                drafter,
                &spec,
                &limits,
                &NEVER,
                &mut |_, _| (),
            );
            assert_eq!(drafted.unwrap(), alone);
        }
        // Together with a job that goes on, and then from the cache of prefixes.
        let job = |spec: &GenerateSpec| GenerateJob {
            input: input.clone(),
            spec: spec.clone(),
            limits: Limits::default(),
            cancel: Arc::default(),
            drafter: None,
        };
        let unstopped = stopping(&[]);
        let jobs = [&spec, &unstopped, &spec].map(|spec| server.generate(job(spec)).unwrap());
        let [first, other, again] = jobs.map(|job| job.wait().unwrap());
        assert_eq!((&first, &other, &again), (&alone, &whole, &alone));
        let claimed = transcript(&model, PROMPT, &alone);
        let accept = Verification::Accept { digest_root: Some(alone.digest_root) };
        assert_eq!(verdict(&model, &claimed, &spec), accept);
        let verification = VerifyJob {
            prompt: Prompt::text(PROMPT),
            transcript: claimed,
            spec: spec.clone(),
            positions: Positions::All,
            limits: Limits::default(),
            cancel: Arc::default(),
        };
        assert_eq!(server.verify(verification).unwrap().wait().unwrap(), accept);
    }
}

#[test]
fn verify_rejects_an_output_that_goes_on_after_a_stop_string() {
    let model = Model::tiny().unwrap();
    let (whole, text) = whole(&model);
    let ignored = transcript(&model, PROMPT, &whole);
    for end in [1, 2, 30, 59] {
        let stop = &text[end - 1..end];
        let first = text.iter().position(|byte| *byte == stop[0]).unwrap() as u32;
        let spec = stopping(&[stop]);
        let early = rejected(first, RejectReason::EarlyEnd);
        assert_eq!(verdict(&model, &ignored, &spec), early);
        // Nor does it help to name the stop string at the end.
        let claimed = Transcript { finish: FinishReason::Stop(0), ..ignored.clone() };
        assert_eq!(verdict(&model, &claimed, &spec), early);
    }
    // The last position is where it ends, so there the reason alone is wrong.
    let spec = stopping(&[&text[50..]]);
    assert_eq!(verdict(&model, &ignored, &spec), rejected(59, RejectReason::WrongFinish));
}

#[test]
fn verify_rejects_an_output_that_stops_before_its_stop_string() {
    let model = Model::tiny().unwrap();
    let (_, text) = whole(&model);
    let spec = stopping(&[&text[20..30]]);
    let honest = transcript(&model, PROMPT, &run(&model, PROMPT, &spec));
    assert_eq!((honest.output.len(), honest.finish), (30, FinishReason::Stop(0)));
    for length in [1, 20, 29] {
        let output = honest.output[..length].to_vec();
        for finish in [FinishReason::Stop(0), FinishReason::EndToken, FinishReason::Length] {
            let cut = Transcript { output: output.clone(), finish, ..honest.clone() };
            let truncated = rejected(length as u32, RejectReason::Truncation);
            assert_eq!(verdict(&model, &cut, &spec), truncated);
        }
    }
    // A stop string that the model does not write is no way to end early.
    let mut forged = honest.clone();
    forged.output.truncate(10);
    forged.output.extend(text[20..30].iter().map(|&byte| u32::from(byte)));
    let verdict = verdict(&model, &forged, &spec);
    assert!(matches!(
        verdict,
        Verification::Reject { position: 10.., reason: RejectReason::Integrity }
    ));
}

#[test]
fn verify_rejects_another_stop_string_than_the_one_that_ends_the_output() {
    let model = Model::tiny().unwrap();
    let (_, text) = whole(&model);
    // The second ends with the same byte as the third, and is longer.
    let spec = stopping(&[b"\0never", &text[20..30], &text[25..30]]);
    let honest = transcript(&model, PROMPT, &run(&model, PROMPT, &spec));
    assert_eq!((honest.output.len(), honest.finish), (30, FinishReason::Stop(1)));
    for finish in [
        FinishReason::Stop(0),
        FinishReason::Stop(2),
        FinishReason::Stop(255),
        FinishReason::EndToken,
        FinishReason::Length,
    ] {
        let claimed = Transcript { finish, ..honest.clone() };
        let wrong = rejected(29, RejectReason::WrongFinish);
        assert_eq!(verdict(&model, &claimed, &spec), wrong);
    }
}
