// SPDX-License-Identifier: Apache-2.0
//! Log probabilities: all paths of the engine compute the same ones, and an operator that returns a wrong one, one
//! too few or one too many is rejected at that position.

mod models;

use assay_engine::{
    serve::{Server, ServerConfig, VerifyJob},
    Adjustments, GenerateSpec, Generation, Limits, Logprobs, Model, Positions, Prompt,
    RejectReason, SampleSpec, Sampling, Threads, Transcript, Verification,
};
use models::{
    check, model,
    paths::{drafted, together},
    run, sampled, spec, transcript,
};
use std::sync::Arc;

const PROMPT: &[u8] = b"And it came to pass";

/// Returns a job of 24 tokens whose choice of tokens differs from the model's likeliest ones.
fn asking(logprobs: u8) -> GenerateSpec {
    let warm = Sampling { temperature: 90_000, top_k: 40, ..Sampling::GREEDY };
    let adjustments = Adjustments { frequency: 1 << 16, ..Adjustments::NONE };
    let sample = SampleSpec::new(1, &[9; 32], warm);
    GenerateSpec { logprobs, adjustments, ..spec(sample, 24) }
}

fn honest(model: &Model, spec: &GenerateSpec) -> (Generation, Transcript) {
    let done = run(model, PROMPT, spec);
    let claim = transcript(model, PROMPT, &done);
    (done, claim)
}

#[test]
fn log_probabilities_change_neither_the_tokens_nor_their_digests() {
    let tiny = Model::tiny().unwrap();
    let (without, _) = honest(&tiny, &asking(0));
    assert_eq!(without.logprobs, Logprobs::default());
    for count in [1, 3, 16] {
        let (done, claim) = honest(&tiny, &asking(count));
        let logprobs = done.logprobs.clone();
        assert_eq!(Generation { logprobs: Logprobs::default(), ..done.clone() }, without);
        let count = usize::from(count);
        assert_eq!((logprobs.chosen.len(), logprobs.top.len()), (24, 24 * count));
        for (at, top) in logprobs.top.chunks(count).enumerate() {
            assert!(top.is_sorted_by(|one, next| one.1 >= next.1), "{top:?}");
            let own = top.iter().find(|(token, _)| *token == done.tokens[at]);
            assert!(own.is_none_or(|&(_, value)| value == logprobs.chosen[at]), "{top:?}");
            assert!(logprobs.chosen[at] <= top[0].1);
        }
        let verdict = check(&tiny, PROMPT, &claim, &asking(count as u8), &Positions::All).unwrap();
        assert_eq!(verdict, Verification::Accept { digest_root: Some(without.digest_root) });
    }
}

#[test]
fn small_vocabulary_has_fewer_than_are_asked_for() {
    let model = model(Default::default());
    let spec = GenerateSpec { logprobs: u8::MAX, ..spec(sampled(0, 0, 65_536, 1), 3) };
    let (done, claim) = honest(&model, &spec);
    assert_eq!(done.logprobs.top.len(), 3 * 255.min(model.info().vocab_size as usize));
    let verdict = check(&model, PROMPT, &claim, &spec, &Positions::All).unwrap();
    assert!(matches!(verdict, Verification::Accept { .. }), "{verdict:?}");
}

/// Changes log probabilities as an operator does that lies about them.
type Lie = fn(&mut Logprobs);

#[test]
fn verify_rejects_a_wrong_a_missing_and_a_superfluous_one_at_its_position() {
    let model = model(Default::default());
    let spec = asking(3);
    let (_, honest) = honest(&model, &spec);
    let lies: [(&str, Lie, u32); 12] = [
        ("the first", |lie| lie.chosen[0] -= 1, 0),
        ("one in the middle", |lie| lie.chosen[11] += 1, 11),
        ("the last", |lie| lie.chosen[23] = i32::MIN, 23),
        ("a likely token", |lie| lie.top[3 * 7 + 2].0 ^= 1, 7),
        ("that of a likely token", |lie| lie.top[3 * 7].1 -= 1, 7),
        ("the order", |lie| lie.top.swap(3 * 9, 3 * 9 + 1), 9),
        ("none", |lie| *lie = Logprobs::default(), 0),
        ("no likely tokens", |lie| lie.top.clear(), 0),
        ("one too few", |lie| lie.chosen.truncate(23), 23),
        ("one likely token too few", |lie| lie.top.truncate(3 * 24 - 1), 23),
        ("one too many", |lie| lie.chosen.push(0), 24),
        ("one likely token too many", |lie| lie.top.push((0, 0)), 24),
    ];
    for (name, lie, position) in lies {
        let mut claim = honest.clone();
        lie(&mut claim.logprobs);
        let found = check(&model, PROMPT, &claim, &spec, &Positions::All).unwrap();
        let rejected = Verification::Reject { position, reason: RejectReason::Logprobs };
        assert_eq!(found, rejected, "{name}");
    }
    // Another number than the job asks for.
    for asked in [0, 2, 4] {
        let found = check(&model, PROMPT, &honest, &asking(asked), &Positions::All).unwrap();
        assert!(
            matches!(found, Verification::Reject { reason: RejectReason::Logprobs, .. }),
            "{found:?}"
        );
    }
}

#[test]
fn verify_compares_the_checked_positions_of_a_sample_and_tokens_first() {
    let model = model(Default::default());
    let spec = asking(2);
    let (_, honest) = honest(&model, &spec);
    let mut claim = honest.clone();
    claim.logprobs.chosen[5] -= 1;
    let sample = |positions: &[u32]| {
        check(&model, PROMPT, &claim, &spec, &Positions::Sample(positions.to_vec())).unwrap()
    };
    let rejected = Verification::Reject { position: 5, reason: RejectReason::Logprobs };
    assert_eq!(sample(&[5]), rejected);
    assert_eq!(sample(&[4, 6]), Verification::Accept { digest_root: None });
    // A wrong token is the reason, whatever its log probability.
    claim.output[5] ^= 1;
    let found = check(&model, PROMPT, &claim, &spec, &Positions::All).unwrap();
    assert_eq!(found, Verification::Reject { position: 5, reason: RejectReason::Integrity });
}

#[test]
fn all_paths_compute_the_same_log_probabilities() {
    let tiny = Arc::new(Model::tiny().unwrap());
    let threads = Arc::new(Threads::new(2));
    let input = tiny.tokenize(PROMPT).unwrap();
    let server = Server::start(tiny.clone(), threads.clone(), ServerConfig::default()).unwrap();
    let jobs: Vec<GenerateSpec> = [0, 1, 5, 16].map(asking).into();
    let alone: Vec<(Generation, Transcript)> =
        jobs.iter().map(|spec| honest(&tiny, spec)).collect();
    // The second round finds the pages of the first.
    for round in 0..2 {
        let outputs = together(&server, &input, &jobs, round);
        assert!(outputs.iter().eq(alone.iter().map(|(expected, _)| expected)));
    }
    assert!(server.metrics().reused > 0, "the second round shares pages");
    for (spec, (expected, claim)) in jobs.iter().zip(&alone) {
        assert_eq!(&drafted(&tiny, &threads, &input, spec), expected);
        let verify = |transcript: Transcript| {
            let job = VerifyJob {
                prompt: Prompt::text(PROMPT),
                transcript,
                spec: spec.clone(),
                positions: Positions::All,
                limits: Limits::default(),
                cancel: Arc::default(),
            };
            server.verify(job).unwrap().wait().unwrap()
        };
        let accepted = Verification::Accept { digest_root: Some(expected.digest_root) };
        assert_eq!(verify(claim.clone()), accepted);
        if spec.logprobs > 0 {
            let mut lie = claim.clone();
            lie.logprobs.chosen[12] -= 1;
            let rejected = Verification::Reject { position: 12, reason: RejectReason::Logprobs };
            assert_eq!(verify(lie), rejected);
        }
    }
}
