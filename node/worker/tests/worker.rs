// SPDX-License-Identifier: Apache-2.0
//! The worker with the real engine and the built-in model, as the runtime's off-chain workers use it.

use assay_engine::Model;
use assay_host::Mailbox;
use assay_primitives::{
    worker::Transcript, AbstainReason, DeclineReason, EngineResult, FinishReason, JobId,
    OutputCommitment, RejectReason, Sampling, Task, Verdict, Work,
};
use assay_worker::{Fault, PayloadSource, Worker, WorkerConfig, WorkerMailbox};
use codec::{Decode, Encode};
use parking_lot::Mutex;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

const PROMPT: &[u8] = b"In the beginning";
const PATIENCE: Duration = Duration::from_secs(60);

fn start(dir: &Path, fault: Option<Fault>) -> WorkerMailbox {
    start_with(dir, fault, vec![Model::tiny().unwrap()])
}

fn start_with(dir: &Path, fault: Option<Fault>, models: Vec<Model>) -> WorkerMailbox {
    let config = WorkerConfig {
        dir: dir.into(),
        models,
        threads: 1,
        gate: Arc::default(),
        memory_bytes: 1 << 28,
        fault,
    };
    WorkerMailbox(Arc::new(Worker::start(config, None).unwrap()))
}

fn job() -> JobId {
    JobId::repeat_byte(7)
}

fn task(max_tokens: u32) -> Task {
    Task {
        model: H256(Model::tiny().unwrap().root()),
        input_hash: H256(blake2_256(PROMPT)),
        // The model puts a token of its own before the bytes.
        input_tokens: PROMPT.len() as u32 + 1,
        max_tokens,
        seed: 1,
        sampling: Sampling { temperature: Sampling::ONE, top_k: 0, top_p: Sampling::ONE },
        peer: Default::default(),
    }
}

fn prepare(task: Task) -> Work {
    Work::Prepare { job: job(), task }
}

fn generate(task: Task) -> Work {
    Work::Generate { job: job(), task }
}

fn verify(task: Task, commitment: OutputCommitment) -> Work {
    Work::Verify { job: job(), task, commitment }
}

fn result(mailbox: &WorkerMailbox, work: Work) -> EngineResult {
    assert!(mailbox.submit(work.clone()));
    mailbox.0.wait(&work, PATIENCE).expect("a result in time")
}

fn commitment(mailbox: &WorkerMailbox, max_tokens: u32) -> OutputCommitment {
    match result(mailbox, generate(task(max_tokens))) {
        EngineResult::Generated { commitment, .. } => commitment,
        other => panic!("{other:?}"),
    }
}

fn verdict(mailbox: &WorkerMailbox, task: Task, commitment: OutputCommitment) -> Verdict {
    match result(mailbox, verify(task, commitment)) {
        EngineResult::Verified { verdict, .. } => verdict,
        other => panic!("{other:?}"),
    }
}

/// A worker with the prompt, and its folder.
fn worker(fault: Option<Fault>) -> (tempfile::TempDir, WorkerMailbox) {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start(dir.path(), fault);
    mailbox.0.put_prompt(PROMPT).unwrap();
    (dir, mailbox)
}

#[test]
fn capabilities_are_the_models() {
    let (_dir, mailbox) = worker(None);
    assert_eq!(mailbox.capabilities().unwrap().models, [task(1).model]);
}

#[test]
fn worker_without_models_is_no_engine() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start_with(dir.path(), None, Vec::new());
    assert_eq!(mailbox.capabilities(), None);
}

#[test]
fn job_that_can_be_run_is_ready_at_once() {
    let (_dir, mailbox) = worker(None);
    assert!(mailbox.submit(prepare(task(8))));
    assert_eq!(mailbox.poll(8), [EngineResult::Ready { job: job() }]);
}

#[test]
fn job_with_another_input_length_is_refused() {
    let (_dir, mailbox) = worker(None);
    let wrong = Task { input_tokens: 3, ..task(8) };
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::InputLength };
    assert_eq!(result(&mailbox, prepare(wrong)), refused);
}

#[test]
fn job_over_the_context_is_refused() {
    let (_dir, mailbox) = worker(None);
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::ContextExceeded };
    assert_eq!(result(&mailbox, prepare(task(2_048))), refused);
}

#[test]
fn job_for_a_model_that_is_not_here_is_refused() {
    let (_dir, mailbox) = worker(None);
    let other = Task { model: H256::zero(), ..task(8) };
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
    let stream = mailbox.0.stream(&job()).unwrap().state();
    assert_eq!(stream.tokens, transcript.output);
    assert_eq!(stream.finish, Some(commitment.finish));
    let Verdict::Accept { digest_root } = verdict(&mailbox, task(24), commitment) else { panic!() };
    assert_eq!(blake2_256(digest_root.as_bytes()), commitment.digest_commitment.0);
}

#[test]
fn dishonest_outputs_are_rejected_with_their_reasons() {
    for (fault, reasons) in [
        (Fault::WrongToken, &[RejectReason::Integrity, RejectReason::Continuity][..]),
        (Fault::Truncate, &[RejectReason::Truncation]),
        (Fault::WrongModel, &[RejectReason::Integrity, RejectReason::Continuity]),
    ] {
        let (_dir, mailbox) = worker(Some(fault));
        let commitment = commitment(&mailbox, 24);
        match verdict(&mailbox, task(24), commitment) {
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
    assert!(mailbox.submit(generate(task(1))));
    // Verification is honest and takes longer than giving up.
    let unknown = OutputCommitment {
        output_hash: H256(blake2_256(b"nonsense")),
        digest_commitment: H256::zero(),
        tokens: 1,
        finish: FinishReason::Length,
    };
    mailbox.0.put_prompt(b"nonsense").unwrap();
    let rejected = verdict(&mailbox, task(1), unknown);
    assert_eq!(rejected, Verdict::Reject { position: 0, reason: RejectReason::Malformed });
    assert_eq!(mailbox.poll(8).len(), 1);
}

#[test]
fn output_with_other_digests_is_rejected() {
    let (_dir, mailbox) = worker(None);
    let honest = commitment(&mailbox, 8);
    let forged = OutputCommitment { digest_commitment: H256::zero(), ..honest };
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Digest };
    assert_eq!(verdict(&mailbox, task(8), forged), rejected);
}

#[test]
fn output_of_another_length_than_committed_is_malformed() {
    let (_dir, mailbox) = worker(None);
    let honest = commitment(&mailbox, 8);
    let forged = OutputCommitment { tokens: honest.tokens + 1, ..honest };
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Malformed };
    assert_eq!(verdict(&mailbox, task(8), forged), rejected);
}

#[test]
fn text_that_is_not_of_the_tokens_is_malformed() {
    let (_dir, mailbox) = worker(None);
    let honest = commitment(&mailbox, 8);
    let transcript = mailbox.0.output(&job()).unwrap();
    assert_eq!(transcript.text, Model::tiny().unwrap().detokenize(&transcript.output));
    let forged = Transcript { text: b"something else".to_vec(), ..transcript };
    mailbox.0.keep_output(&job(), &forged.encode()).unwrap();
    let forged = OutputCommitment { output_hash: forged.hash(), ..honest };
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Malformed };
    assert_eq!(verdict(&mailbox, task(8), forged), rejected);
}

#[test]
fn restarted_worker_keeps_its_results_and_makes_the_same_commitment() {
    let (dir, mailbox) = worker(None);
    let first = commitment(&mailbox, 12);
    drop(mailbox);
    let restarted = start(dir.path(), None);
    assert_eq!(restarted.poll(8), [EngineResult::Generated { job: job(), commitment: first }]);
    // Lost results are found again, and are the same: the salt comes from the node's secret.
    restarted.0.retain(&BTreeSet::new()).unwrap();
    assert!(restarted.poll(8).is_empty());
    assert_eq!(commitment(&restarted, 12), first);
}

#[test]
fn worker_that_ends_says_nothing_of_what_it_breaks_off() {
    let (dir, mailbox) = worker(None);
    let long = commitment(&mailbox, 1_500);
    mailbox.0.retain(&BTreeSet::new()).unwrap();
    assert!(mailbox.submit(verify(task(1_500), long)));
    assert!(mailbox.submit(generate(task(1_500))));
    drop(mailbox);
    let restarted = start(dir.path(), None);
    for found in restarted.poll(8) {
        let abstained = matches!(&found, EngineResult::Verified { verdict, .. } if matches!(verdict, Verdict::Abstain(_)));
        let refused = matches!(found, EngineResult::Refused { .. });
        assert!(!abstained && !refused, "{found:?}");
    }
    assert_eq!(commitment(&restarted, 1_500), long);
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
fn work_of_jobs_that_are_over_is_forgotten() {
    let (_dir, mailbox) = worker(None);
    result(&mailbox, prepare(task(8)));
    assert_eq!(mailbox.0.jobs(), BTreeSet::from([job()]));
    mailbox.0.retain(&BTreeSet::from([job()])).unwrap();
    assert_eq!(mailbox.poll(8).len(), 1, "a job that lives is kept");
    mailbox.0.retain(&BTreeSet::new()).unwrap();
    assert!(mailbox.0.jobs().is_empty());
}

#[test]
fn second_worker_on_the_same_folder_is_refused() {
    let (dir, _mailbox) = worker(None);
    let config = WorkerConfig {
        dir: dir.path().into(),
        models: Vec::new(),
        threads: 1,
        gate: Arc::default(),
        memory_bytes: 1 << 20,
        fault: None,
    };
    let error = Worker::start(config, None).err().unwrap().to_string();
    assert!(error.contains("store"), "{error}");
}

/// Another node, with what it serves.
#[derive(Default)]
struct OtherNode {
    payloads: Mutex<BTreeMap<H256, Vec<u8>>>,
    asked: Mutex<Vec<(H256, Vec<u8>)>>,
}

impl PayloadSource for OtherNode {
    fn fetch(&self, hash: H256, peer: &[u8]) -> Option<Vec<u8>> {
        self.asked.lock().push((hash, peer.to_vec()));
        self.payloads.lock().get(&hash).cloned()
    }
}

#[test]
fn payloads_are_fetched_from_the_node_that_the_job_names() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start(dir.path(), None);
    let other = Arc::new(OtherNode::default());
    other.payloads.lock().insert(H256(blake2_256(PROMPT)), PROMPT.to_vec());
    mailbox.0.set_source(other.clone());
    let task = Task { peer: b"client".to_vec().try_into().unwrap(), ..task(8) };
    assert_eq!(result(&mailbox, prepare(task)), EngineResult::Ready { job: job() });
    assert_eq!(*other.asked.lock(), [(H256(blake2_256(PROMPT)), b"client".to_vec())]);
}

#[test]
fn payload_that_nobody_has_is_an_abstention_and_a_decline() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start(dir.path(), None);
    let other = Arc::new(OtherNode::default());
    // Something else than was asked for counts as nothing.
    other.payloads.lock().insert(H256(blake2_256(PROMPT)), b"forged".to_vec());
    mailbox.0.set_source(other);
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::PayloadUnavailable };
    let absent = OutputCommitment {
        output_hash: H256::zero(),
        digest_commitment: H256::zero(),
        tokens: 1,
        finish: FinishReason::Length,
    };
    let check = verify(task(1), absent);
    assert!(mailbox.submit(check));
    assert_eq!(result(&mailbox, prepare(task(8))), refused);
    let abstained = Verdict::Abstain(AbstainReason::PayloadUnavailable);
    assert_eq!(verdict(&mailbox, task(1), absent), abstained);
}

#[test]
fn transcript_of_another_node_is_kept_as_an_output() {
    let (_dir, mailbox) = worker(None);
    let transcript = Transcript {
        input: vec![256, 65],
        output: vec![66],
        text: b"B".to_vec(),
        finish: FinishReason::Length,
        salt: H256::zero(),
    };
    mailbox.0.keep_output(&job(), &transcript.encode()).unwrap();
    assert_eq!(mailbox.0.output(&job()), Some(transcript.clone()));
    assert_eq!(Transcript::decode(&mut transcript.encode().as_slice()).unwrap(), transcript);
}
