// SPDX-License-Identifier: Apache-2.0
//! Outputs under a constraint have its form on all paths of the engine, and an operator that ignores it is rejected
//! at the first token that it changes.

mod models;

use assay_engine::{
    constraint::{Constraint, Form},
    generate,
    serve::{GenerateJob, Server, ServerConfig, VerifyJob},
    Adjustments, EngineError, FinishReason, GenerateSpec, Generation, Limits, Model, Positions,
    Prompt, RejectReason, SampleSpec, Sampling, StopStrings, Threads, Verification,
};
use models::{
    check, model,
    paths::{drafted, together},
    run, spec, transcript, NEVER,
};
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

const PROMPT: &[u8] = b"And it came to pass";
const ONE: i32 = 1 << 16;
const SCHEMA: &str = r#"{
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "array", "items": {"enum": ["a", "ab", 1, null]}, "maxItems": 3}
    },
    "required": ["name", "age", "tags"],
    "additionalProperties": false,
    "x-guidance": {"whitespace_flexible": false}
}"#;
const GRAMMAR: &str = "start: /[a-z]{2,9}/ (\", \" /[a-z]{2,9}/){2,5} \".\"";

static TINY: LazyLock<Arc<Model>> = LazyLock::new(|| Arc::new(Model::tiny().unwrap()));

fn sampled(seed: u64, temperature: u32) -> SampleSpec {
    SampleSpec::new(seed, &[9; 32], Sampling { temperature, ..Sampling::GREEDY })
}

fn constrained(form: Form, source: &str, sample: SampleSpec, max_tokens: u32) -> GenerateSpec {
    let constraint = Some(Constraint::new(form, source));
    GenerateSpec { constraint, ..spec(sample, max_tokens) }
}

fn verdict(generation: &Generation, spec: &GenerateSpec) -> Verification {
    let claimed = transcript(&TINY, PROMPT, generation);
    check(&TINY, PROMPT, &claimed, spec, &Positions::All).unwrap()
}

fn accepted(generation: &Generation) -> Verification {
    Verification::Accept { digest_root: Some(generation.digest_root) }
}

fn rejected(position: usize) -> Verification {
    let reason = if position == 0 { RejectReason::Continuity } else { RejectReason::Integrity };
    Verification::Reject { position: u32::try_from(position).unwrap(), reason }
}

#[test]
fn output_has_the_form_of_its_constraint() {
    let form = regex::Regex::new("^[0-9]{3}(é|日){2}x?$").unwrap();
    for temperature in [0, 65_536, 130_000] {
        for seed in 0..4 {
            let sample = sampled(seed, temperature);
            let asks = constrained(Form::JsonSchema, SCHEMA, sample, 300);
            let done = run(&TINY, PROMPT, &asks);
            assert_eq!(done.finish, FinishReason::EndToken);
            let text = String::from_utf8(TINY.detokenize(&done.tokens)).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(value["name"].as_str().unwrap().chars().count() <= 8, "{text}");
            assert!(value["age"].as_u64().unwrap() <= 150, "{text}");
            assert!(value["tags"].as_array().unwrap().len() <= 3, "{text}");
            assert_eq!(verdict(&done, &asks), accepted(&done));

            let asks = constrained(Form::Regex, "[0-9]{3}(é|日){2}x?", sample, 30);
            let done = run(&TINY, PROMPT, &asks);
            let text = String::from_utf8(TINY.detokenize(&done.tokens)).unwrap();
            assert!(form.is_match(&text), "{text}");
            assert_eq!(verdict(&done, &asks), accepted(&done));

            let asks = constrained(Form::Grammar, GRAMMAR, sample, 80);
            let done = run(&TINY, PROMPT, &asks);
            let text = String::from_utf8(TINY.detokenize(&done.tokens)).unwrap();
            let words: Vec<&str> = text.strip_suffix('.').unwrap().split(", ").collect();
            assert!((3..=6).contains(&words.len()), "{text}");
            assert!(words.iter().all(|word| (2..=9).contains(&word.len())), "{text}");
            assert_eq!(verdict(&done, &asks), accepted(&done));
        }
    }
}

#[test]
fn output_may_end_before_the_form_is_complete() {
    let short = constrained(Form::JsonSchema, SCHEMA, sampled(1, 65_536), 5);
    let done = run(&TINY, PROMPT, &short);
    assert_eq!((done.tokens.len(), done.finish), (5, FinishReason::Length));
    assert_eq!(verdict(&done, &short), accepted(&done));
    let long = GenerateSpec { max_tokens: 300, ..short };
    let stopped = GenerateSpec { stops: StopStrings::new([":"]), ..long };
    let done = run(&TINY, PROMPT, &stopped);
    assert_eq!(done.finish, FinishReason::Stop(0));
    assert_eq!(TINY.detokenize(&done.tokens), br#"{"name":"#);
    assert_eq!(verdict(&done, &stopped), accepted(&done));
}

#[test]
fn operator_that_ignores_the_constraint_is_rejected_where_its_output_leaves_the_form() {
    for temperature in [0, 90_000] {
        let asks = constrained(Form::Regex, "[a-z ]{4}[0-9]+", sampled(3, temperature), 24);
        let lies = GenerateSpec { constraint: None, ..asks.clone() };
        let (right, wrong) = (run(&TINY, PROMPT, &asks), run(&TINY, PROMPT, &lies));
        let differs = right.tokens.iter().zip(&wrong.tokens).position(|(one, other)| one != other);
        assert_eq!(verdict(&wrong, &lies), accepted(&wrong));
        assert_eq!(verdict(&wrong, &asks), rejected(differs.unwrap()));
        // Nor is an output under a constraint that of a job without one.
        assert_eq!(verdict(&right, &lies), rejected(differs.unwrap()));
        let other = constrained(Form::Regex, "[a-z ]{5}[0-9]+", sampled(3, temperature), 24);
        assert!(matches!(verdict(&right, &other), Verification::Reject { .. }));
    }
}

#[test]
fn token_that_leaves_the_form_is_rejected_where_it_stands_also_between_samples() {
    let asks = constrained(Form::Regex, "[a-z ]{30}", sampled(3, 65_536), 40);
    let right = run(&TINY, PROMPT, &asks);
    let mut claimed = transcript(&TINY, PROMPT, &right);
    claimed.output[11] = u32::from(b'7');
    for positions in [Positions::All, Positions::Sample(vec![20]), Positions::Sample(vec![11])] {
        let found = check(&TINY, PROMPT, &claimed, &asks, &positions).unwrap();
        assert_eq!(found, rejected(11), "{positions:?}");
    }
    claimed = transcript(&TINY, PROMPT, &right);
    let found = check(&TINY, PROMPT, &claimed, &asks, &Positions::Sample(vec![20])).unwrap();
    assert_eq!(found, Verification::Accept { digest_root: None });
}

#[test]
fn early_end_of_a_form_is_rejected() {
    let asks = constrained(Form::Regex, "[a-z ]{6}([a-z ]{6})?", sampled(4, 65_536), 40);
    let right = run(&TINY, PROMPT, &asks);
    assert_eq!((right.tokens.len(), right.finish), (13, FinishReason::EndToken));
    for at in [3, 6] {
        let mut claimed = transcript(&TINY, PROMPT, &right);
        claimed.output.truncate(at);
        claimed.output.push(TINY.end_token());
        let found = check(&TINY, PROMPT, &claimed, &asks, &Positions::All).unwrap();
        assert_eq!(found, rejected(at));
    }
}

#[test]
fn constraint_that_cannot_be_is_an_error_and_never_a_rejection() {
    let sample = sampled(1, 0);
    let good = run(&TINY, PROMPT, &constrained(Form::Regex, "a{9}", sample, 20));
    let ignoring = constrained(Form::Regex, "a", sample, 20);
    let claimed = transcript(&TINY, PROMPT, &good);
    for (spec, words) in [
        (constrained(Form::Regex, "(a", sample, 20), "unclosed group"),
        (constrained(Form::JsonSchema, "{", sample, 20), "EOF while parsing"),
        (constrained(Form::Regex, &"a".repeat(200_000), sample, 20), "200000 bytes"),
        (GenerateSpec { ignore_end: true, ..ignoring }, "exclude each other"),
    ] {
        let input = TINY.tokenize(PROMPT).unwrap();
        let (threads, limits) = (Threads::new(1), Limits::default());
        let error = generate(&TINY, &threads, &input, &spec, &limits, &NEVER, &mut |_, _| ());
        let error = error.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        let error = check(&TINY, PROMPT, &claimed, &spec, &Positions::All).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// Returns a form whose first masks are small, and of which the later ones need more items than the compiler may have.
fn too_much() -> String {
    let rules = (0..3_000).map(|at| format!("r{at}: \"x{at}\" \"y\"\n"));
    let names: Vec<String> = (0..3_000).map(|at| format!("r{at}")).collect();
    format!("start: /go/ \" \" rest\nrest: {}\n{}", names.join(" | "), rules.collect::<String>())
}

#[test]
fn compiler_that_gives_up_ends_the_job_with_an_error_of_its_own() {
    let asks = constrained(Form::Grammar, &too_much(), sampled(1, 65_536), 200);
    let input = TINY.tokenize(PROMPT).unwrap();
    let (threads, limits) = (Threads::new(1), Limits::default());
    let ended = generate(&TINY, &threads, &input, &asks, &limits, &NEVER, &mut |_, _| ());
    let error = ended.unwrap_err();
    assert!(matches!(error, EngineError::ConstraintResource { .. }), "{error}");
    // Another job of the same server goes on.
    let server =
        Server::start(TINY.clone(), Arc::new(Threads::new(1)), ServerConfig::default()).unwrap();
    let submit = |spec: &GenerateSpec| {
        let (input, spec) = (input.clone(), spec.clone());
        let (limits, cancel) = (Limits::default(), Arc::default());
        server.generate(GenerateJob { input, spec, limits, cancel, drafter: None })
    };
    let good = constrained(Form::JsonSchema, SCHEMA, sampled(2, 65_536), 300);
    let (bad, other) = (submit(&asks), submit(&good).unwrap());
    let error = bad.and_then(|job| job.wait()).unwrap_err();
    assert!(matches!(error, EngineError::ConstraintResource { .. }), "{error}");
    assert_eq!(other.wait().unwrap(), run(&TINY, PROMPT, &good));
    // A verifier does not judge what it cannot compute.
    let known = constrained(Form::Regex, "go x[0-9]y", sampled(1, 65_536), 200);
    let claimed = transcript(&TINY, PROMPT, &run(&TINY, PROMPT, &known));
    let error = check(&TINY, PROMPT, &claimed, &asks, &Positions::All).unwrap_err();
    assert!(matches!(error, EngineError::ConstraintResource { .. }), "{error}");
    let error = check(&TINY, PROMPT, &claimed, &asks, &Positions::Sample(vec![4])).unwrap_err();
    assert!(matches!(error, EngineError::ConstraintResource { .. }), "{error}");
}

#[test]
fn models_with_vocabularies_of_words_are_constrained_too() {
    for (name, shape) in models::families() {
        let model = model(shape);
        let asks = constrained(Form::JsonSchema, SCHEMA, sampled(1, 65_536), 100);
        let done = run(&model, PROMPT, &asks);
        let claimed = transcript(&model, PROMPT, &done);
        let found = check(&model, PROMPT, &claimed, &asks, &Positions::All).unwrap();
        assert_eq!(found, accepted(&done), "{name}");
    }
}

fn forms() -> impl Strategy<Value = Option<Constraint>> {
    prop_oneof![
        Just(None),
        Just(Some(Constraint::new(Form::JsonSchema, SCHEMA))),
        Just(Some(Constraint::new(Form::Regex, "([a-z]{1,5} ){3,}(end|fin)"))),
        Just(Some(Constraint::new(Form::Grammar, GRAMMAR))),
    ]
}

fn jobs() -> impl Strategy<Value = GenerateSpec> {
    let number = || prop_oneof![Just(0), -3 * ONE..3 * ONE];
    let bias = prop::collection::btree_map(0u32..259, -30 * ONE..30 * ONE, 0..9);
    let temperature = prop_oneof![Just(0u32), 1u32..200_000];
    let cut = (0u32..30, prop_oneof![Just(65_536), 0u32..65_536], 0u32..30_000);
    let stops = prop_oneof![Just(vec![]), Just(vec!["\"", "e"])];
    let rest = (bias, number(), number(), stops);
    (forms(), temperature, cut, any::<u64>(), 1u32..60, rest).prop_map(
        |(constraint, temperature, (top_k, top_p, min_p), seed, max_tokens, rest)| {
            let sampling = Sampling { temperature, top_k, top_p, min_p };
            let (bias, presence, frequency, stops) = rest;
            let changes = Adjustments { presence, frequency, ..Adjustments::NONE };
            let (adjustments, stops) = (changes.with_bias(bias), StopStrings::new(stops));
            let sample = SampleSpec::new(seed, &[9; 32], sampling);
            GenerateSpec { adjustments, constraint, stops, ..spec(sample, max_tokens) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn all_paths_keep_to_the_form_alike(jobs in prop::collection::vec(jobs(), 1..6)) {
        let threads = Arc::new(Threads::new(2));
        let server = Server::start(TINY.clone(), threads.clone(), ServerConfig::default()).unwrap();
        let input = TINY.tokenize(PROMPT).unwrap();
        let alone: Vec<Generation> = jobs.iter().map(|spec| run(&TINY, PROMPT, spec)).collect();
        prop_assert_eq!(&together(&server, &input, &jobs, 0), &alone);
        for (spec, expected) in jobs.iter().zip(&alone) {
            let limits = Limits::default();
            prop_assert_eq!(&drafted(&TINY, &threads, &input, spec), expected);
            prop_assert_eq!(verdict(expected, spec), accepted(expected));
            let job = server
                .verify(VerifyJob {
                    prompt: Prompt::text(PROMPT),
                    transcript: transcript(&TINY, PROMPT, expected),
                    spec: spec.clone(),
                    positions: Positions::All,
                    limits,
                    cancel: Arc::default(),
                })
                .unwrap();
            prop_assert_eq!(job.wait().unwrap(), accepted(expected));
        }
    }
}
