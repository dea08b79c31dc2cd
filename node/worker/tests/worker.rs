// SPDX-License-Identifier: Apache-2.0
//! The worker with the real engine and the built-in model, as the runtime's off-chain workers use it.

mod given;

use assay_engine::{synthetic::Synthetic, Model};
use assay_host::Mailbox;
use assay_primitives::{
    request::MAX_REQUEST_BYTES, worker::Transcript, AbstainReason, DeclineReason, EngineResult,
    FinishReason, JobId, OutputCommitment, RejectReason, Request, Task, Verdict, Work,
};
use assay_worker::{Fault, Order, StreamState, Worker, WorkerConfig, WorkerMailbox};
use codec::{Decode, Encode};
use given::{
    commitment, config, generate, greedy, job, of_output, prepare, put, result, start,
    start_config, start_with, task, until, until_idle, verdict, verify, worker, OtherNode, LEFT,
    PROMPT, SHORT,
};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

const BLOCK_TIME: Duration = Duration::from_secs(3);

/// Submits a long generation, and waits for its first token.
fn begin_long(mailbox: &WorkerMailbox) {
    assert!(mailbox.submit(generate(greedy(2_000))));
    until("a token is there", || mailbox.0.stream(&job()).is_some_and(|stream| !stream.is_empty()));
}

#[test]
fn capabilities_are_the_models() {
    let (_dir, mailbox) = worker(None);
    assert_eq!(mailbox.capabilities().unwrap().models, [task(PROMPT, 1).model]);
}

#[test]
fn worker_without_models_has_no_capabilities() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start_with(dir.path(), None, Vec::new());
    assert_eq!(mailbox.capabilities(), None);
}

#[test]
fn job_that_can_be_run_is_ready_at_once() {
    let (_dir, mailbox) = worker(None);
    assert!(mailbox.submit(prepare(task(PROMPT, 8))));
    assert_eq!(mailbox.poll(8), [EngineResult::Ready { job: job() }]);
}

#[test]
fn job_over_the_context_is_refused() {
    let (_dir, mailbox) = worker(None);
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::ContextExceeded };
    assert_eq!(result(&mailbox, prepare(task(PROMPT, 2_048))), refused);
}

#[test]
fn job_for_a_model_that_is_not_loaded_is_refused() {
    let (_dir, mailbox) = worker(None);
    let other = Task { model: H256::zero(), ..task(PROMPT, 8) };
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::ModelMissing };
    assert_eq!(result(&mailbox, prepare(other)), refused);
}

#[test]
fn generated_output_is_streamed_stored_and_accepted() {
    let (_dir, mailbox) = worker(None);
    let commitment = commitment(&mailbox, 24);
    let transcript = mailbox.0.output(&job()).unwrap();
    assert_eq!(transcript.hash(), commitment.output_hash);
    assert_eq!(transcript.output.len(), commitment.tokens as usize);
    let stream = mailbox.0.stream(&job()).unwrap().read(StreamState::clone);
    assert_eq!(stream.tokens, transcript.output);
    assert_eq!(stream.finish, Some(commitment.finish));
    let Verdict::Accept { digest_root } = verdict(&mailbox, task(PROMPT, 24), commitment) else {
        panic!()
    };
    assert_eq!(blake2_256(digest_root.as_bytes()), commitment.digest_commitment.0);
}

#[test]
fn dishonest_outputs_are_rejected_with_their_reasons() {
    for (fault, reasons) in [
        (Fault::WrongToken, &[RejectReason::Integrity, RejectReason::Continuity][..]),
        (Fault::Truncate, &[RejectReason::Truncation]),
        (Fault::WrongModel, &[RejectReason::Integrity, RejectReason::Continuity]),
    ] {
        let (_dir, mailbox) = worker(Some(fault.clone()));
        let commitment = commitment(&mailbox, 24);
        match verdict(&mailbox, task(PROMPT, 24), commitment) {
            Verdict::Reject { reason, .. } => {
                assert!(reasons.contains(&reason), "{fault}: {reason:?}")
            }
            other => panic!("{fault}: {other:?}"),
        }
    }
}

#[test]
fn silent_operator_has_no_result() {
    let (_dir, mailbox) = worker(Some(Fault::Silent));
    assert!(mailbox.submit(generate(task(PROMPT, 1))));
    // The work ends and leaves no result.
    until_idle(&mailbox);
    assert_eq!(mailbox.poll(8), []);
}

#[test]
fn output_with_other_digests_is_rejected() {
    let (_dir, mailbox) = worker(None);
    let honest = commitment(&mailbox, 8);
    let forged = OutputCommitment { digest_commitment: H256::zero(), ..honest };
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Digest };
    assert_eq!(verdict(&mailbox, task(PROMPT, 8), forged), rejected);
}

#[test]
fn output_of_another_length_than_committed_is_malformed() {
    let (_dir, mailbox) = worker(None);
    let honest = commitment(&mailbox, 8);
    let forged = OutputCommitment { tokens: honest.tokens + 1, ..honest };
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Malformed };
    assert_eq!(verdict(&mailbox, task(PROMPT, 8), forged), rejected);
}

#[test]
fn text_of_other_tokens_is_malformed() {
    let (_dir, mailbox) = worker(None);
    let honest = commitment(&mailbox, 8);
    let transcript = mailbox.0.output(&job()).unwrap();
    assert_eq!(transcript.text, Model::tiny().unwrap().detokenize(&transcript.output));
    let forged = Transcript { text: b"something else".to_vec(), ..transcript };
    mailbox.0.keep_output(&job(), &forged.encode()).unwrap();
    let forged = OutputCommitment { output_hash: forged.hash(), ..honest };
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Malformed };
    assert_eq!(verdict(&mailbox, task(PROMPT, 8), forged), rejected);
}

#[test]
fn output_that_claims_to_end_at_a_stop_string_without_one_is_rejected() {
    let (_dir, mailbox) = worker(None);
    let honest = commitment(&mailbox, 8);
    let finish = FinishReason::Stop(0);
    let forged = Transcript { finish, ..mailbox.0.output(&job()).unwrap() };
    mailbox.0.keep_output(&job(), &forged.encode()).unwrap();
    let forged = OutputCommitment { output_hash: forged.hash(), finish, ..honest };
    let position = honest.tokens - 1;
    let rejected = Verdict::Reject { position, reason: RejectReason::Truncation };
    assert_eq!(verdict(&mailbox, task(PROMPT, 8), forged), rejected);
}

#[test]
fn restarted_worker_keeps_its_results_and_makes_the_same_commitment() {
    let (dir, mailbox) = worker(None);
    let first = commitment(&mailbox, 12);
    drop(mailbox);
    let restarted = start(dir.path(), None);
    let work = generate(task(PROMPT, 12)).id();
    let kept = EngineResult::Generated { job: job(), commitment: first, work };
    assert_eq!(restarted.poll(8), [kept]);
    // Lost results are computed again and are the same, because the salt comes from the secret.
    restarted.0.forget(&BTreeSet::from([job()]));
    assert!(restarted.poll(8).is_empty());
    assert_eq!(commitment(&restarted, 12), first);
}

#[test]
fn worker_that_ends_reports_nothing_about_work_that_it_stops() {
    let (dir, mailbox) = worker(None);
    begin_long(&mailbox);
    drop(mailbox);
    let restarted = start(dir.path(), None);
    assert_eq!(restarted.poll(8), []);
    assert!(matches!(result(&restarted, generate(greedy(2_000))), EngineResult::Generated { .. }));
}

#[test]
fn work_of_a_job_that_is_over_is_stopped() {
    let (_dir, mailbox) = worker(None);
    begin_long(&mailbox);
    // The work can still be stopped after other work of the job has ended.
    mailbox.0.keep_output(&job(), b"nonsense").unwrap();
    let malformed = Verdict::Reject { position: 0, reason: RejectReason::Malformed };
    assert_eq!(verdict(&mailbox, task(PROMPT, 1), of_output(b"nonsense")), malformed);
    mailbox.0.forget(&BTreeSet::from([job()]));
    until_idle(&mailbox);
    assert_eq!(mailbox.0.output(&job()), None);
}

#[test]
fn job_whose_model_was_missing_for_a_while_is_generated() {
    let dir = tempfile::tempdir().unwrap();
    let other = Model::from_bytes(Synthetic::default().file().unwrap()).unwrap();
    let without = start_with(dir.path(), None, vec![other]);
    put(&without.0, PROMPT);
    assert!(without.submit(generate(task(PROMPT, 8))));
    until_idle(&without);
    assert_eq!(without.poll(8), [], "an accepted job cannot be refused");
    drop(without);
    assert_eq!(commitment(&start(dir.path(), None), 8).tokens, 8);
}

#[test]
fn job_whose_prompt_was_missing_for_a_while_is_generated() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start_config(WorkerConfig { block_time: SHORT, ..config(dir.path()) });
    assert!(mailbox.submit(generate(task(PROMPT, 8))));
    until_idle(&mailbox);
    assert_eq!(mailbox.poll(8), []);
    put(&mailbox.0, PROMPT);
    assert_eq!(commitment(&mailbox, 8).tokens, 8);
}

#[test]
fn verdict_belongs_to_the_commitment_that_was_asked_about() {
    let (_dir, mailbox) = worker(None);
    let honest = commitment(&mailbox, 8);
    let forged = OutputCommitment { digest_commitment: H256::zero(), ..honest };
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Digest };
    assert_eq!(verdict(&mailbox, task(PROMPT, 8), forged), rejected);
    // After a reorganisation of the chain the operator has another commitment.
    assert!(matches!(verdict(&mailbox, task(PROMPT, 8), honest), Verdict::Accept { .. }));
    let work = |verdict| match verdict {
        EngineResult::Verified { verdict: Verdict::Accept { .. }, work, .. } => Some((true, work)),
        EngineResult::Verified { work, .. } => Some((false, work)),
        _ => None,
    };
    let told: BTreeSet<_> = mailbox.poll(8).into_iter().filter_map(work).collect();
    let id = |commitment| verify(task(PROMPT, 8), commitment).id();
    assert_eq!(told, BTreeSet::from([(true, id(honest)), (false, id(forged))]));
}

#[test]
fn job_that_cannot_be_done_in_time_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let block_time = Duration::from_millis(1);
    let mailbox = start_config(WorkerConfig { block_time, ..config(dir.path()) });
    put(&mailbox.0, PROMPT);
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::Resource };
    let hasty = Task { deadline: 5, ..task(PROMPT, 1_900) };
    assert_eq!(result(&mailbox, prepare(hasty)), refused, "a millisecond for 1,900 tokens");
    let patient = Task { deadline: 1_000_000, ..task(PROMPT, 1_900) };
    assert_eq!(result(&mailbox, prepare(patient)), EngineResult::Ready { job: job() });
}

#[test]
fn job_over_the_memory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start_config(WorkerConfig { memory_bytes: 1 << 18, ..config(dir.path()) });
    put(&mailbox.0, PROMPT);
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::Resource };
    assert_eq!(result(&mailbox, prepare(task(PROMPT, 1_900))), refused);
    assert_eq!(result(&mailbox, prepare(task(PROMPT, 8))), EngineResult::Ready { job: job() });
}

/// Submits more prompts than the quota has place for, others for each `n`.
fn flood(worker: &Worker, n: u8) {
    for index in 0..=64u8 {
        let mut prompt = vec![n; MAX_REQUEST_BYTES - 64];
        prompt[0] = index;
        put(worker, &prompt);
    }
}

fn has(worker: &Worker, prompt: &[u8]) -> bool {
    worker.payload(&Request::text(prompt).hash()).unwrap().is_some()
}

#[test]
fn prompt_that_waits_for_its_order_is_not_displaced() {
    let dir = tempfile::tempdir().unwrap();
    let worker = Worker::start(config(dir.path()), None).unwrap();
    put(&worker, PROMPT);
    flood(&worker, 1);
    assert!(has(&worker, PROMPT));
}

#[test]
fn orders_and_what_was_submitted_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let restart = || Worker::start(config(dir.path()), None).unwrap();
    let worker = restart();
    let (ordered, other) = (put(&worker, PROMPT), b"nobody has ordered this yet");
    put(&worker, other);
    let order = |job, request| Order { job, request, opens: 1 };
    let elsewhere = order(JobId::repeat_byte(9), H256::repeat_byte(9));
    worker.keep_for(&[order(job(), ordered), elsewhere]).unwrap();
    assert_eq!(worker.jobs(), BTreeSet::from([job()]), "a request that is elsewhere is not kept");
    drop(worker);
    let worker = restart();
    assert_eq!(worker.jobs(), BTreeSet::from([job()]));
    // Requests that were submitted before the restart may still be ordered.
    flood(&worker, 1);
    assert!(has(&worker, PROMPT) && has(&worker, other));
    worker.forget(&BTreeSet::from([job()]));
    assert!(worker.jobs().is_empty());
}

#[test]
fn transcript_with_another_length_of_input_than_the_job_is_rejected() {
    let (_dir, mailbox) = worker(None);
    let honest = commitment(&mailbox, 8);
    let longer = Task { input_tokens: task(PROMPT, 8).input_tokens + 1, ..task(PROMPT, 8) };
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Binding };
    assert_eq!(verdict(&mailbox, longer, honest), rejected);
}

#[test]
fn accepted_jobs_are_those_that_are_generated_until_they_are_over() {
    let (_dir, mailbox) = worker(None);
    result(&mailbox, prepare(task(PROMPT, 8)));
    assert_eq!(mailbox.0.accepted(), BTreeMap::new());
    begin_long(&mailbox);
    assert_eq!(mailbox.0.accepted(), BTreeMap::from([(job(), BTreeSet::new())]));
    mailbox.0.forget(&BTreeSet::from([job()]));
    until_idle(&mailbox);
    let output = commitment(&mailbox, 8).output_hash;
    assert_eq!(mailbox.0.accepted(), BTreeMap::from([(job(), BTreeSet::from([output]))]));
    mailbox.0.forget(&BTreeSet::from([job()]));
    assert_eq!(mailbox.0.accepted(), BTreeMap::new());
}

#[test]
fn nodes_have_different_salts_and_the_same_digests() {
    let (_one, first) = worker(None);
    let (_two, second) = worker(None);
    let (first, second) = (commitment(&first, 8), commitment(&second, 8));
    assert_ne!(first.output_hash, second.output_hash);
    assert_eq!(first.digest_commitment, second.digest_commitment);
}

#[test]
fn operators_of_one_node_commit_to_digests_of_their_own() {
    let (_dir, mailbox) = worker(None);
    let other = Task { digest_key: H256::repeat_byte(2), ..task(PROMPT, 8) };
    let first = commitment(&mailbox, 8);
    let EngineResult::Generated { commitment: second, .. } =
        result(&mailbox, generate(other.clone()))
    else {
        panic!()
    };
    assert_eq!(first.output_hash, second.output_hash);
    assert_ne!(first.digest_commitment, second.digest_commitment);
    // A verifier tells them apart: one that copies the commitment of the other is rejected.
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Digest };
    assert_eq!(verdict(&mailbox, other.clone(), first), rejected);
    assert!(matches!(verdict(&mailbox, other, second), Verdict::Accept { .. }));
}

#[test]
fn work_of_jobs_that_are_over_is_forgotten() {
    let (_dir, mailbox) = worker(None);
    result(&mailbox, prepare(task(PROMPT, 8)));
    assert_eq!(mailbox.0.jobs(), BTreeSet::from([job()]));
    mailbox.0.forget(&BTreeSet::from([JobId::zero()]));
    assert_eq!(mailbox.poll(8).len(), 1, "a job that is not over is kept");
    mailbox.0.forget(&BTreeSet::from([job()]));
    assert!(mailbox.0.jobs().is_empty());
}

#[test]
fn second_worker_on_the_same_folder_is_refused() {
    let (dir, _mailbox) = worker(None);
    let config = WorkerConfig { models: Vec::new(), ..config(dir.path()) };
    let error = Worker::start(config, None).err().unwrap().to_string();
    assert!(error.contains("store"), "{error}");
}

#[test]
fn payloads_are_fetched_from_the_node_that_the_job_names() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start(dir.path(), None);
    let other = Arc::new(OtherNode::default());
    let request = Request::text(PROMPT);
    other.payloads.lock().insert(request.hash(), request.encode());
    mailbox.0.set_source(other.clone());
    let task = Task { peer: b"client".to_vec().try_into().unwrap(), ..task(PROMPT, 8) };
    assert_eq!(result(&mailbox, prepare(task)), EngineResult::Ready { job: job() });
    assert_eq!(*other.asked.lock(), [(job(), request.hash(), b"client".to_vec())]);
    // A job must be accepted within five blocks, and one look takes at most a third of them.
    assert!(*other.longest.lock() < BLOCK_TIME * 5 / 3);
}

#[test]
fn transcript_of_another_job_is_malformed() {
    let (_dir, mailbox) = worker(None);
    let honest = commitment(&mailbox, 8);
    let other = Transcript { job: JobId::zero(), ..mailbox.0.output(&job()).unwrap() };
    mailbox.0.keep_output(&job(), &other.encode()).unwrap();
    let copied = OutputCommitment { output_hash: other.hash(), ..honest };
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Malformed };
    assert_eq!(verdict(&mailbox, task(PROMPT, 8), copied), rejected);
}

#[test]
fn payload_that_no_node_has_is_declined_and_abstained_from() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start_config(WorkerConfig { block_time: SHORT, ..config(dir.path()) });
    let other = Arc::new(OtherNode::default());
    // A payload with another hash is ignored.
    other.payloads.lock().insert(Request::text(PROMPT).hash(), b"forged".to_vec());
    mailbox.0.set_source(other);
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::PayloadUnavailable };
    assert_eq!(result(&mailbox, prepare(task(PROMPT, 8))), refused);
    let check = Work::Verify {
        job: job(),
        task: task(PROMPT, 1),
        commitment: of_output(b"absent"),
        round: 0,
        left: 3,
    };
    let abstained = Verdict::Abstain(AbstainReason::PayloadUnavailable);
    let EngineResult::Verified { verdict, .. } = result(&mailbox, check) else { panic!() };
    assert_eq!(verdict, abstained);
}

/// Returns an output that another worker has generated, and its commitment.
fn made_elsewhere() -> (OutputCommitment, Vec<u8>) {
    let (_dir, operator) = worker(None);
    let commitment = commitment(&operator, 8);
    (commitment, operator.0.payload(&commitment.output_hash).unwrap().unwrap())
}

#[test]
fn verifier_looks_for_the_transcript_as_long_as_there_is_time() {
    let (commitment, transcript) = made_elsewhere();
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start_config(WorkerConfig { block_time: SHORT, ..config(dir.path()) });
    put(&mailbox.0, PROMPT);
    let withholding = Arc::new(OtherNode { silences: 30, ..OtherNode::default() });
    withholding.payloads.lock().insert(commitment.output_hash, transcript);
    mailbox.0.set_source(withholding);
    assert!(matches!(verdict(&mailbox, task(PROMPT, 8), commitment), Verdict::Accept { .. }));
}

#[test]
fn abstention_holds_for_one_round() {
    let (commitment, transcript) = made_elsewhere();
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start_config(WorkerConfig { block_time: SHORT, ..config(dir.path()) });
    put(&mailbox.0, PROMPT);
    let round = |round, left| {
        let work = Work::Verify { job: job(), task: task(PROMPT, 8), commitment, round, left };
        match result(&mailbox, work) {
            EngineResult::Verified { verdict, .. } => verdict,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(round(0, 2), Verdict::Abstain(AbstainReason::PayloadUnavailable));
    mailbox.0.keep_output(&job(), &transcript).unwrap();
    assert!(matches!(round(1, LEFT), Verdict::Accept { .. }));
}

#[test]
fn transcript_of_another_node_is_kept_as_an_output() {
    let (_dir, mailbox) = worker(None);
    let transcript = Transcript {
        job: job(),
        input: vec![256, 65],
        output: vec![66],
        text: b"B".to_vec(),
        finish: FinishReason::Length,
        salt: H256::zero(),
        logprobs: Default::default(),
    };
    mailbox.0.keep_output(&job(), &transcript.encode()).unwrap();
    assert_eq!(mailbox.0.output(&job()), Some(transcript.clone()));
    assert_eq!(Transcript::decode(&mut transcript.encode().as_slice()).unwrap(), transcript);
}
