// SPDX-License-Identifier: Apache-2.0
//! The fields of a request that change the choice of a token: all paths of the engine honour them alike, and an
//! operator that ignores one is rejected at the first token that it changes.

mod models;

use assay_engine::{
    serve::{Server, ServerConfig, VerifyJob},
    Adjustments, FinishReason, GenerateSpec, Generation, Limits, Model, Positions, Prompt,
    RejectReason, SampleSpec, Sampling, StopStrings, Threads, Transcript, Verification,
};
use models::{
    check,
    paths::{drafted, together},
    run, spec, transcript,
};
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

const PROMPT: &[u8] = b"And it came to pass";
const ONE: i32 = 1 << 16;

static TINY: LazyLock<Arc<Model>> = LazyLock::new(|| Arc::new(Model::tiny().unwrap()));

fn asked(sampling: Sampling, adjustments: Adjustments) -> GenerateSpec {
    GenerateSpec { adjustments, ..spec(SampleSpec::new(1, &[9; 32], sampling), 60) }
}

fn verdict(claimed: &Transcript, spec: &GenerateSpec) -> Verification {
    check(&TINY, PROMPT, claimed, spec, &Positions::All).unwrap()
}

/// Returns what is found of an output of 60 tokens that was generated as `done` says for a job that `asks` for
/// something else, and the first token that differs from the right output.
fn ignored(asks: &GenerateSpec, done: &GenerateSpec) -> (Verification, u32) {
    let (right, wrong) = (run(&TINY, PROMPT, asks), run(&TINY, PROMPT, done));
    let differs = right.tokens.iter().zip(&wrong.tokens).position(|(one, other)| one != other);
    let differs = differs.expect("the field changes the output");
    (verdict(&transcript(&TINY, PROMPT, &wrong), asks), u32::try_from(differs).unwrap())
}

#[test]
fn operator_that_ignores_a_field_is_rejected_where_its_output_differs() {
    let warm = Sampling { temperature: 90_000, ..Sampling::GREEDY };
    let first = run(&TINY, PROMPT, &asked(Sampling::GREEDY, Adjustments::NONE)).tokens[0];
    let later = *run(&TINY, PROMPT, &asked(warm, Adjustments::NONE)).tokens.last().unwrap();
    let none = Adjustments::NONE;
    let fields = [
        ("bias against the first token", none.clone().with_bias([(first, -40 * ONE)])),
        ("bias for a token", none.clone().with_bias([(later, 6 * ONE)])),
        ("presence", Adjustments { presence: 3 * ONE, ..none.clone() }),
        ("frequency", Adjustments { frequency: ONE, ..none.clone() }),
        ("repetition", Adjustments { repetition: 3 << 15, ..none.clone() }),
        ("repetition below 1", Adjustments { repetition: 1 << 14, ..none.clone() }),
    ];
    let mut checked = 0;
    for (name, adjustments) in fields {
        for sampling in [Sampling::GREEDY, warm] {
            let asks = asked(sampling, adjustments.clone());
            let (found, position) = ignored(&asks, &asked(sampling, none.clone()));
            let reason = match position {
                0 => RejectReason::Continuity,
                _ => RejectReason::Integrity,
            };
            assert_eq!(found, Verification::Reject { position, reason }, "{name}");
            checked += 1;
        }
    }
    assert_eq!(checked, 12);
    let asks = asked(Sampling { min_p: 30_000, ..warm }, none.clone());
    let (found, position) = ignored(&asks, &asked(warm, none));
    assert!(
        matches!(found, Verification::Reject { position: at, .. } if at == position),
        "{found:?}"
    );
}

/// Returns a job whose output the model ends itself, and goes on beyond that if it may.
fn ending() -> GenerateSpec {
    let hot = |seed| {
        SampleSpec::new(seed, &[9; 32], Sampling { temperature: 78_643, ..Sampling::GREEDY })
    };
    (0..200)
        .map(|seed| spec(hot(seed), 600))
        .find(|spec| run(&TINY, PROMPT, spec).finish == FinishReason::EndToken)
        .expect("an output that ends within 600 tokens")
}

#[test]
fn output_goes_on_after_an_end_token_where_it_may_and_nowhere_else() {
    let ends = ending();
    let goes_on = GenerateSpec { ignore_end: true, ..ends.clone() };
    let (short, long) = (run(&TINY, PROMPT, &ends), run(&TINY, PROMPT, &goes_on));
    assert_eq!((long.tokens.len(), long.finish), (600, FinishReason::Length));
    let end = short.tokens.len();
    assert_eq!(long.tokens[..end], short.tokens);
    let accepted = Verification::Accept { digest_root: Some(long.digest_root) };
    let [short, long] = [short, long].map(|done| transcript(&TINY, PROMPT, &done));
    assert_eq!(verdict(&long, &goes_on), accepted);
    let rejected = |position: usize, reason| Verification::Reject {
        position: u32::try_from(position).unwrap(),
        reason,
    };
    assert_eq!(verdict(&short, &goes_on), rejected(end, RejectReason::Truncation));
    assert_eq!(verdict(&long, &ends), rejected(end - 1, RejectReason::EarlyEnd));
    // It still ends with a stop string.
    let stop = TINY.detokenize(&long.output[end..end + 3]);
    let stops = StopStrings::new([stop]);
    let stopped = run(&TINY, PROMPT, &GenerateSpec { stops, ..goes_on });
    assert_eq!(stopped.finish, FinishReason::Stop(0));
}

fn adjustments() -> impl Strategy<Value = Adjustments> {
    let number = || prop_oneof![Just(0), -3 * ONE..3 * ONE, any::<i32>()];
    let factor = prop_oneof![Just(1 << 16), 1u32..4 << 16, any::<u32>()];
    let bias = prop::collection::btree_map(0u32..300, number(), 0..9);
    (bias, number(), number(), factor).prop_map(|(bias, presence, frequency, repetition)| {
        let changes = Adjustments { presence, frequency, repetition, ..Adjustments::NONE };
        changes.with_bias(bias)
    })
}

fn jobs() -> impl Strategy<Value = GenerateSpec> {
    let temperature = prop_oneof![Just(0u32), 1u32..200_000];
    let min_p = prop_oneof![Just(0u32), 0u32..=1 << 16];
    (adjustments(), temperature, min_p, any::<u64>(), any::<bool>(), 1u32..40).prop_map(
        |(adjustments, temperature, min_p, seed, ignore_end, max_tokens)| {
            let sampling = Sampling { temperature, min_p, ..Sampling::GREEDY };
            let sample = SampleSpec::new(seed, &[9; 32], sampling);
            GenerateSpec { adjustments, ignore_end, ..spec(sample, max_tokens) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn all_paths_honour_all_fields_alike(
        jobs in prop::collection::vec(jobs(), 1..5),
    ) {
        let threads = Arc::new(Threads::new(2));
        let server = Server::start(TINY.clone(), threads.clone(), ServerConfig::default()).unwrap();
        let input = TINY.tokenize(PROMPT).unwrap();
        let alone: Vec<Generation> = jobs.iter().map(|spec| run(&TINY, PROMPT, spec)).collect();
        // All go through the model together, each as it is and with guesses.
        prop_assert_eq!(&together(&server, &input, &jobs, 0), &alone);
        for (spec, expected) in jobs.iter().zip(&alone) {
            let limits = Limits::default();
            prop_assert_eq!(&drafted(&TINY, &threads, &input, spec), expected);
            let claim = transcript(&TINY, PROMPT, expected);
            let accepted = Verification::Accept { digest_root: Some(expected.digest_root) };
            prop_assert_eq!(verdict(&claim, spec), accepted);
            let job = server
                .verify(VerifyJob {
                    prompt: Prompt::text(PROMPT),
                    transcript: claim,
                    spec: spec.clone(),
                    positions: Positions::All,
                    limits,
                    cancel: Arc::default(),
                })
                .unwrap();
            prop_assert_eq!(job.wait().unwrap(), accepted);
        }
    }
}
