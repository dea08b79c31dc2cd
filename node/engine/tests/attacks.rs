// SPDX-License-Identifier: Apache-2.0
//! Every honest output is accepted, and every attack in the specification is rejected for its
//! reason.

mod models;

use assay_engine::{
    digest, synthetic::Synthetic, FinishReason, GenerateSpec, Generation, Model, Positions,
    RejectReason, SampleSpec, Transcript, Verification,
};
use models::{check, model, run, sampled, spec, transcript};

const PROMPT: &[u8] = b"And it came to pass";

fn settings() -> Vec<SampleSpec> {
    vec![
        sampled(0, 0, 65_536, 1),
        sampled(65_536, 0, 65_536, 2),
        sampled(52_429, 40, 65_536, 3),
        sampled(65_536, 0, 58_982, 4),
        sampled(80_000, 20, 60_000, 5),
    ]
}

fn honest(model: &Model, sample: SampleSpec, max: u32) -> (GenerateSpec, Transcript) {
    let spec = spec(sample, max);
    let transcript = transcript(model, PROMPT, &run(model, PROMPT, &spec));
    (spec, transcript)
}

fn reason(
    model: &Model,
    prompt: &[u8],
    transcript: &Transcript,
    spec: &GenerateSpec,
) -> (u32, RejectReason) {
    match check(model, prompt, transcript, spec, &Positions::All).expect("a verdict") {
        Verification::Reject { position, reason } => (position, reason),
        Verification::Accept { .. } => panic!("accepted {transcript:?}"),
    }
}

/// Returns a job of the tiny model whose output the model ends itself, after at least two tokens.
fn ended(model: &Model) -> (GenerateSpec, Transcript) {
    (0..200)
        .map(|seed| honest(model, sampled(78_643, 0, 65_536, seed), 600))
        .find(|(_, t)| t.finish == FinishReason::EndToken && t.output.len() > 2)
        .expect("an output that ends within 600 tokens")
}

#[test]
fn verify_accepts_honest_outputs() {
    for model in [Model::tiny().unwrap(), model(Synthetic::default())] {
        for sample in settings() {
            for max in [1, 2, 15, 16, 17, 130] {
                let spec = spec(sample, max);
                let generation = run(&model, PROMPT, &spec);
                let transcript = transcript(&model, PROMPT, &generation);
                let verdict = check(&model, PROMPT, &transcript, &spec, &Positions::All).unwrap();
                let digest_root = Some(generation.digest_root);
                assert_eq!(verdict, Verification::Accept { digest_root });
                let Generation { tokens, digests, digest_root, .. } = generation;
                assert_eq!(digest::root(&spec.digest_key, &digests, &tokens), digest_root);
            }
        }
    }
}

#[test]
fn root_of_another_job_or_operator_is_not_this_ones() {
    let model = model(Synthetic::default());
    let spec = spec(sampled(0, 0, 65_536, 1), 40);
    let foreign = GenerateSpec { digest_key: [8; 32], ..spec.clone() };
    let (own, other) = (run(&model, PROMPT, &spec), run(&model, PROMPT, &foreign));
    assert_eq!(own.tokens, other.tokens, "greedy outputs of one prompt are the same");
    assert!(own.digests.iter().all(|digest| !other.digests.contains(digest)));
    // Neither the root of the other nor its digests under this key are what a verifier computes.
    let copied = digest::root(&spec.digest_key, &other.digests, &other.tokens);
    let claim = transcript(&model, PROMPT, &own);
    let verdict = check(&model, PROMPT, &claim, &spec, &Positions::All).unwrap();
    assert_eq!(verdict, Verification::Accept { digest_root: Some(own.digest_root) });
    assert!(own.digest_root != other.digest_root && own.digest_root != copied);
}

#[test]
fn verify_accepts_an_output_that_the_model_ends() {
    let model = Model::tiny().unwrap();
    let (spec, transcript) = ended(&model);
    let verdict = check(&model, PROMPT, &transcript, &spec, &Positions::All).unwrap();
    assert!(matches!(verdict, Verification::Accept { digest_root: Some(_) }));
}

#[test]
fn verify_accepts_a_sample_without_a_root() {
    let model = model(Synthetic::default());
    let (spec, transcript) = honest(&model, sampled(0, 0, 65_536, 1), 50);
    let sample = Positions::Sample(vec![7, 30]);
    let verdict = check(&model, PROMPT, &transcript, &spec, &sample).unwrap();
    assert_eq!(verdict, Verification::Accept { digest_root: None });
}

#[test]
fn verify_rejects_an_edit_of_any_token() {
    let model = model(Synthetic::default());
    for sample in settings() {
        let (spec, honest) = honest(&model, sample, 60);
        let last = honest.output.len() - 1;
        for at in 0..=last {
            let mut edited = honest.clone();
            edited.output[at] = (edited.output[at] + 1) % 256;
            edited.finish = FinishReason::Length;
            if honest.output.len() < 60 {
                // The edit removed the end token.
                edited.output.resize(60, 0);
            }
            let wanted = if at == 0 { RejectReason::Continuity } else { RejectReason::Integrity };
            assert_eq!(reason(&model, PROMPT, &edited, &spec), (at as u32, wanted));
        }
    }
}

#[test]
fn verify_rejects_an_edit_of_the_first_or_last_token_in_any_sample() {
    let model = model(Synthetic::default());
    let (spec, honest) = honest(&model, sampled(65_536, 0, 65_536, 2), 40);
    for at in [0, honest.output.len() - 1] {
        let mut edited = honest.clone();
        edited.output[at] = (edited.output[at] + 1) % 256;
        let sample = Positions::Sample(vec![]);
        let verdict = check(&model, PROMPT, &edited, &spec, &sample).unwrap();
        let position = at as u32;
        assert!(matches!(verdict, Verification::Reject { position: p, .. } if p == position));
    }
}

#[test]
fn verify_rejects_an_output_that_stops_early() {
    let model = model(Synthetic::default());
    let (spec, mut cut) = honest(&model, sampled(0, 0, 65_536, 1), 40);
    cut.output.truncate(25);
    assert_eq!(reason(&model, PROMPT, &cut, &spec), (25, RejectReason::Truncation));
}

#[test]
fn verify_rejects_a_forged_end_token() {
    let model = model(Synthetic::default());
    let (spec, honest) = honest(&model, sampled(0, 0, 65_536, 1), 40);
    for length in [1, 2, 25, 40] {
        let mut forged = honest.clone();
        forged.output.truncate(length);
        forged.output[length - 1] = model.end_token();
        forged.finish = FinishReason::EndToken;
        let wanted = if length == 1 { RejectReason::Continuity } else { RejectReason::Integrity };
        assert_eq!(reason(&model, PROMPT, &forged, &spec), (length as u32 - 1, wanted));
    }
}

#[test]
fn verify_rejects_an_end_token_before_the_end() {
    let model = Model::tiny().unwrap();
    let (spec, mut longer) = ended(&model);
    let end = longer.output.len() as u32 - 1;
    longer.output.extend([97, 98]);
    assert_eq!(reason(&model, PROMPT, &longer, &spec), (end, RejectReason::EarlyEnd));
}

#[test]
fn verify_rejects_a_wrong_prompt() {
    let model = model(Synthetic::default());
    let (spec, transcript) = honest(&model, sampled(0, 0, 65_536, 1), 10);
    let other = b"And it came to Pass";
    assert_eq!(reason(&model, other, &transcript, &spec), (0, RejectReason::Binding));
    let mut foreign = transcript.clone();
    foreign.input[3] = u32::MAX;
    assert_eq!(reason(&model, PROMPT, &foreign, &spec), (0, RejectReason::Binding));
    // The input tokens are right, but the output belongs to another prompt.
    let mut swapped = transcript;
    swapped.input = model.tokenize(b"So they went").unwrap();
    assert!(matches!(
        reason(&model, b"So they went", &swapped, &spec).1,
        RejectReason::Continuity | RejectReason::Integrity
    ));
}

#[test]
fn verify_rejects_a_wrong_seed_and_a_wrong_temperature() {
    let model = model(Synthetic::default());
    let (right, transcript) = honest(&model, sampled(65_536, 0, 65_536, 2), 60);
    for sample in
        [sampled(65_536, 0, 65_536, 3), sampled(32_768, 0, 65_536, 2), sampled(0, 0, 0, 2)]
    {
        let wrong = GenerateSpec { sample, ..right.clone() };
        assert!(matches!(
            reason(&model, PROMPT, &transcript, &wrong).1,
            RejectReason::Continuity | RejectReason::Integrity
        ));
    }
}

#[test]
fn verify_rejects_a_wrong_model_and_a_wrong_quantisation() {
    let tiny = Model::tiny().unwrap();
    let q4 = tiny.requantised_q4_0().unwrap();
    let synthetic = model(Synthetic::default());
    let other = model(Synthetic { seed: 5, ..Synthetic::default() });
    assert_eq!(
        (tiny.info().quantisation.as_str(), q4.info().quantisation.as_str()),
        ("Q8_0", "Q4_0")
    );
    assert_ne!(tiny.root(), q4.root());
    for (right, wrong) in [(&tiny, &q4), (&q4, &tiny), (&synthetic, &other), (&tiny, &synthetic)] {
        for sample in settings() {
            let (spec, transcript) = honest(wrong, sample, 200);
            assert!(matches!(
                reason(right, PROMPT, &transcript, &spec).1,
                RejectReason::Continuity | RejectReason::Integrity
            ));
        }
    }
}

#[test]
fn verify_rejects_a_wrong_max_tokens() {
    let model = model(Synthetic::default());
    let (right, transcript) = honest(&model, sampled(0, 0, 65_536, 1), 30);
    let fewer = GenerateSpec { max_tokens: 20, ..right.clone() };
    assert_eq!(reason(&model, PROMPT, &transcript, &fewer), (20, RejectReason::TooLong));
    let more = GenerateSpec { max_tokens: 40, ..right };
    assert_eq!(reason(&model, PROMPT, &transcript, &more), (30, RejectReason::Truncation));
}

#[test]
fn verify_rejects_malformed_outputs() {
    let model = model(Synthetic::default());
    let (spec, honest) = honest(&model, sampled(0, 0, 65_536, 1), 20);
    let empty = Transcript { output: vec![], ..honest.clone() };
    assert_eq!(reason(&model, PROMPT, &empty, &spec), (0, RejectReason::Empty));
    for token in [259, u32::MAX] {
        let mut unknown = honest.clone();
        unknown.output[4] = token;
        assert_eq!(reason(&model, PROMPT, &unknown, &spec), (4, RejectReason::UnknownToken));
    }
    let huge = Transcript { output: vec![u32::MAX; 1 << 20], ..honest.clone() };
    assert_eq!(reason(&model, PROMPT, &huge, &spec), (20, RejectReason::TooLong));
    let finish = Transcript { finish: FinishReason::EndToken, ..honest };
    assert_eq!(reason(&model, PROMPT, &finish, &spec), (19, RejectReason::WrongFinish));
}
