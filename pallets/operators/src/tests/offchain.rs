// SPDX-License-Identifier: Apache-2.0
//! The off-chain worker, with a keystore and an off-chain database.

use crate::{handover::FUNDS, mock::*, tip, SubmitReports};
use assay_primitives::{
    publication::{NextChunk, Part, CHUNK_BYTES},
    reason::DeclineReason,
    traits::{Duty, Operators as _},
    worker::{sr25519::WorkerId, KEY_TYPE},
    EngineResult, FinishReason, OutputCommitment, Report, Work,
};
use frame_support::{
    assert_ok,
    traits::{fungible::Mutate, Hooks},
};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::{
    offchain::{testing::TestOffchainExt, OffchainDbExt, OffchainWorkerExt},
    H256,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};

/// The number of blocks that the mock's worker waits for its extrinsic.
const PATIENCE: u64 = 5;

/// Runs the test on a node with the worker keys of ALICE's and BOB's operators, and one that nobody
/// has registered.
fn with_node(test: impl FnOnce([WorkerId; 2])) {
    let keystore = MemoryKeystore::new();
    let key = || WorkerId::from(keystore.sr25519_generate_new(KEY_TYPE, None).unwrap());
    let keys = [key(), key(), key()];
    let [alice, bob, _] = keys;
    let (offchain, _state) = TestOffchainExt::new();
    let mut ext = new_test_ext();
    ext.register_extension(KeystoreExt::new(keystore));
    ext.register_extension(OffchainDbExt::new(offchain.clone()));
    ext.register_extension(OffchainWorkerExt::new(offchain));
    ext.execute_with(|| {
        for (stash, key) in [(ALICE, &alice), (BOB, &bob)] {
            register(stash, MIN_BOND);
            let worker = RecordingSubmitter::worker_account(key);
            assert_ok!(Operators::set_worker(RuntimeOrigin::signed(stash), worker));
        }
        test([alice, bob]);
        Operators::do_try_state().unwrap();
    });
}

/// Runs the off-chain worker after `block` and returns the extrinsics that it sent.
fn run(block: u64) -> Vec<Sent> {
    System::set_block_number(block);
    Pool::take();
    Operators::offchain_worker(block);
    Pool::take()
}

/// Includes an extrinsic in the chain.
fn include(sent: &Sent) {
    assert_eq!(sent.nonce, System::account_nonce(sent.worker));
    System::inc_account_nonce(sent.worker);
    let reports = sent.reports.clone().try_into().unwrap();
    assert_ok!(Operators::report(RuntimeOrigin::signed(sent.worker), reports));
}

/// Assigns the job to the operator, with the engine ready for it.
fn assign(operator: AccountId, n: u64) {
    Assigned::mutate(|assigned| assigned.push((operator, job(n))));
    Results::mutate(|results| results.push(EngineResult::Ready { job: job(n) }));
}

/// Finishes the job in the engine.
fn finish(n: u64) {
    Results::mutate(|results| {
        results.push(EngineResult::Generated {
            job: job(n),
            commitment: commitment(),
            work: Default::default(),
        })
    });
}

fn commitment() -> OutputCommitment {
    OutputCommitment {
        output_hash: Default::default(),
        digest_commitment: Default::default(),
        tokens: 1,
        finish: FinishReason::EndToken,
    }
}

#[test]
fn worker_sends_a_report_once() {
    with_node(|[alice, _]| {
        assign(ALICE, 1);
        let expected = Sent {
            worker: RecordingSubmitter::worker_account(&alice),
            public: alice,
            reports: vec![Report::Accept { job: job(1) }],
            nonce: 0,
            tip: 0,
        };
        assert_eq!(run(1), [expected]);
        for block in 2..1 + PATIENCE {
            assert!(run(block).is_empty(), "sent again in block {block}");
        }
    });
}

#[test]
fn worker_sends_again_with_a_tip_when_its_patience_ends() {
    with_node(|_| {
        assign(ALICE, 1);
        let first = run(1).remove(0);
        let second = run(1 + PATIENCE).remove(0);
        assert_eq!(second, Sent { tip: tip(1), ..first.clone() });
        assert!(run(2 * PATIENCE).is_empty());
        let third = run(1 + 2 * PATIENCE).remove(0);
        assert_eq!(third, Sent { tip: tip(2), ..first });
        assert!(0 < tip(1) && tip(1) < tip(2));
    });
}

#[test]
fn worker_goes_on_when_its_extrinsic_is_included() {
    with_node(|_| {
        assign(ALICE, 1);
        include(&run(1)[0]);
        assert!(run(2).is_empty());
        finish(1);
        let sent = run(3).remove(0);
        assert_eq!(sent.reports, [Report::CommitOutput { job: job(1), commitment: commitment() }]);
        assert_eq!((sent.nonce, sent.tip), (1, 0));
        include(&sent);
        assert_eq!(reservation(ALICE, job(1)), None);
    });
}

#[test]
fn worker_derives_a_lost_report_again() {
    with_node(|_| {
        assign(ALICE, 1);
        let lost = run(1).remove(0);
        // The pool dropped the extrinsic; meanwhile another job came.
        assign(ALICE, 2);
        let again = run(1 + PATIENCE).remove(0);
        assert_eq!(again.nonce, lost.nonce);
        assert_eq!(again.reports, [Report::Accept { job: job(1) }, Report::Accept { job: job(2) }]);
        include(&again);
        assert_eq!(operator(ALICE).running, 2);
        assert!(run(2 + PATIENCE).is_empty());
    });
}

#[test]
fn worker_sends_at_once_after_the_nonce_went_back() {
    with_node(|_| {
        assign(ALICE, 1);
        let sent = run(1).remove(0);
        System::inc_account_nonce(sent.worker);
        assert_eq!(run(2)[0].nonce, 1);
        // The node follows another fork, on which the first extrinsic is not included.
        frame_system::Account::<Test>::mutate(sent.worker, |account| account.nonce = 0);
        assert_eq!(run(2), [sent]);
    });
}

#[test]
fn worker_waits_as_long_after_the_pool_refused() {
    with_node(|_| {
        PoolOpen::set(false);
        assign(ALICE, 1);
        assert_eq!(run(1).len(), 1);
        assert!(run(2).is_empty());
        PoolOpen::set(true);
        assert_eq!(run(1 + PATIENCE)[0].tip, tip(1));
    });
}

#[test]
fn worker_sends_no_more_reports_than_an_extrinsic_takes() {
    with_node(|_| {
        for n in 1..=5 {
            assign(ALICE, n);
        }
        assert_eq!(run(1)[0].reports.len(), 3);
    });
}

#[test]
fn worker_serves_all_operators_whose_keys_it_has() {
    with_node(|_| {
        assign(ALICE, 1);
        assign(BOB, 2);
        let mut jobs: Vec<_> = run(1).iter().map(|sent| sent.reports[0].job()).collect();
        jobs.sort();
        assert_eq!(jobs, [job(1), job(2)]);
        assert_eq!(Polls::get(), 1);
        assert_eq!(Queue::get().len(), 2);
    });
}

#[test]
fn worker_submits_the_work_of_the_state() {
    with_node(|_| {
        assign(ALICE, 1);
        let sent = run(1);
        assert_eq!(Queue::take(), [Work::Prepare { job: job(1), task: task() }]);
        include(&sent[0]);
        run(2);
        assert_eq!(Queue::take(), [Work::Generate { job: job(1), task: task() }]);
    });
}

#[test]
fn worker_keeps_what_a_full_engine_does_not_take() {
    with_node(|_| {
        assign(ALICE, 1);
        assign(ALICE, 2);
        QueueSpace::set(1);
        run(1);
        assert_eq!(Queue::take(), [Work::Prepare { job: job(1), task: task() }]);
        QueueSpace::set(2);
        run(2);
        assert_eq!(Queue::get().len(), 2);
    });
}

#[test]
fn worker_does_nothing_without_an_engine() {
    with_node(|_| {
        HasEngine::set(false);
        assign(ALICE, 1);
        assert!(run(1).is_empty());
        assert!(Queue::get().is_empty());
        assert_eq!(Polls::get(), 0);
    });
}

#[test]
fn worker_does_nothing_for_operators_whose_keys_it_has_not() {
    with_node(|_| {
        register(CAROL, MIN_BOND);
        assign(CAROL, 1);
        assert!(run(1).is_empty());
        assert!(Queue::get().is_empty());
    });
}

#[test]
fn worker_does_nothing_with_keys_of_nobody() {
    with_node(|_| {
        for stash in [ALICE, BOB] {
            assert_ok!(Operators::set_worker(RuntimeOrigin::signed(stash), stash + 200));
        }
        assign(ALICE, 1);
        assert!(run(1).is_empty());
        assert_eq!(Polls::get(), 0);
    });
}

/// Has ALICE accept job 1 and the engine finish it, and replaces her worker.
fn accept_and_rotate(successor: AccountId) {
    assign(ALICE, 1);
    include(&run(1)[0]);
    finish(1);
    Queue::take();
    assert_ok!(Operators::set_worker(signed(ALICE), successor));
}

/// Returns the key of this node that nobody has registered.
fn spare(keys: &[WorkerId]) -> WorkerId {
    WorkerId::all().into_iter().find(|key| !keys.contains(key)).unwrap()
}

/// Gives the account enough for all reports.
fn fund(worker: AccountId) {
    Balances::set_balance(&worker, FUNDS + EXISTENTIAL_DEPOSIT);
}

#[test]
fn replaced_worker_shares_the_duties_with_a_successor_on_the_same_node() {
    with_node(|keys| {
        let old = RecordingSubmitter::worker_account(&keys[0]);
        let successor = RecordingSubmitter::worker_account(&spare(&keys));
        fund(old);
        fund(successor);
        accept_and_rotate(successor);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(2)), 100));
        assign(ALICE, 2);
        finish(2);
        let mut sent = run(2);
        sent.sort_by_key(|sent| sent.worker != old);
        let commit = |n| vec![Report::CommitOutput { job: job(n), commitment: commitment() }];
        let told: Vec<_> = sent.iter().map(|sent| (sent.worker, sent.reports.clone())).collect();
        assert_eq!(told, [(old, commit(1)), (successor, commit(2))]);
        assert_eq!(Queue::take().len(), 2, "the work is handed over once");
        for sent in &sent {
            include(sent);
        }
        assert_eq!((operator(ALICE).retiring, operator(ALICE).duties), (None, 0));
    });
}

#[test]
fn replaced_worker_keeps_its_duties_while_its_successor_cannot_pay() {
    with_node(|keys| {
        let old = RecordingSubmitter::worker_account(&keys[0]);
        fund(old);
        accept_and_rotate(RecordingSubmitter::worker_account(&spare(&keys)));
        let sent = run(2);
        assert_eq!(sent.iter().map(|sent| sent.worker).collect::<Vec<_>>(), [old]);
        include(&sent[0]);
        assert_eq!(reservation(ALICE, job(1)), None);
    });
}

#[test]
fn replaced_worker_that_cannot_pay_leaves_all_to_a_successor_on_the_same_node() {
    with_node(|keys| {
        let successor = RecordingSubmitter::worker_account(&spare(&keys));
        fund(successor);
        accept_and_rotate(successor);
        let sent = run(2);
        assert_eq!(sent.iter().map(|sent| sent.worker).collect::<Vec<_>>(), [successor]);
        assert_eq!(Queue::take().len(), 1, "the work is handed over once");
        include(&sent[0]);
        assert_eq!(reservation(ALICE, job(1)), None);
    });
}

/// Has ALICE's operator accept job 1 with a worker of another node, and replaces it by one of this node.
fn take_over(own: AccountId) {
    assert_ok!(Operators::set_worker(signed(ALICE), 777));
    assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 100));
    assert_ok!(Operators::set_worker(signed(ALICE), own));
}

#[test]
fn successor_leaves_earlier_duties_to_a_worker_elsewhere_until_they_are_about_due() {
    with_node(|[alice, _]| {
        take_over(RecordingSubmitter::worker_account(&alice));
        assign(ALICE, 1);
        finish(1);
        LastReport::set(20);
        assert!(run(2).is_empty());
        assert_eq!(
            Queue::take().len(),
            1,
            "the work is done, in case that the other worker is dead"
        );
        assert!(run(20 - PATIENCE - 1).is_empty());
        let sent = run(20 - PATIENCE).remove(0);
        let commit = Report::CommitOutput { job: job(1), commitment: commitment() };
        assert_eq!(sent.reports, [commit]);
        // An extrinsic that is lost is still sent again in time.
        let again = run(20).remove(0);
        assert_eq!(again.nonce, sent.nonce);
        include(&again);
        assert_eq!(reservation(ALICE, job(1)), None);
    });
}

#[test]
fn successor_declines_no_job_of_a_worker_elsewhere() {
    with_node(|[alice, _]| {
        take_over(RecordingSubmitter::worker_account(&alice));
        Assigned::mutate(|assigned| assigned.extend([(ALICE, job(1)), (ALICE, job(2))]));
        let reason = DeclineReason::ModelMissing;
        Results::set([1, 2].map(|n| EngineResult::Refused { job: job(n), reason }).into());
        assert_eq!(run(2)[0].reports, [Report::Decline { job: job(2), reason }]);
        assert!(run(20).iter().all(|sent| sent.reports.len() == 1));
    });
}

#[test]
fn successor_takes_earlier_duties_once_the_worker_elsewhere_can_report_no_more() {
    with_node(|[alice, _]| {
        take_over(RecordingSubmitter::worker_account(&alice));
        assign(ALICE, 1);
        finish(1);
        assert!(run(2).is_empty());
        assert_ok!(Operators::retire_worker(signed(ALICE)));
        assert_eq!(run(3)[0].reports.len(), 1);
    });
}

#[test]
fn replaced_worker_reports_on_the_duties_of_its_time_when_its_successor_is_elsewhere() {
    with_node(|[alice, _]| {
        accept_and_rotate(777);
        // A job that came later is the successor's.
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(2)), 100));
        assign(ALICE, 2);
        finish(2);
        let sent = run(2);
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].worker, RecordingSubmitter::worker_account(&alice));
        let commit = Report::CommitOutput { job: job(1), commitment: commitment() };
        assert_eq!(sent[0].reports, [commit]);
        assert_eq!(Queue::take(), [Work::Generate { job: job(1), task: task() }]);
        include(&sent[0]);
        assert!(run(3).is_empty(), "its last duty has ended");
        assert!(Queue::take().is_empty());
    });
}

#[test]
fn worker_polls_and_sends_nothing_without_results() {
    with_node(|_| {
        assert!(run(1).is_empty());
        assert_eq!(Polls::get(), 1);
    });
}

#[test]
fn tip_doubles_up_to_its_bound() {
    assert_eq!(tip(0), 0);
    assert_eq!(tip(1), 1_000_000);
    assert_eq!(tip(2), 2_000_000);
    assert_eq!(tip(11), 1_024_000_000);
    assert_eq!(tip(12), tip(11));
    assert_eq!(tip(u32::MAX), tip(11));
}

/// The payload that the operators publish.
const HASH: H256 = H256::repeat_byte(1);

/// Returns the chunk after `index` whole ones of a payload of job 1.
fn next_chunk(hash: H256, index: u32) -> NextChunk {
    let offset = index * CHUNK_BYTES;
    NextChunk { job: job(1), part: Part::Transcript, hash, index, offset }
}

/// Sets the chunk that is due, of a payload of the node, and returns that payload's length.
fn chunk_due(index: u32) -> usize {
    let payload = vec![7; CHUNK_BYTES as usize + 3];
    ChunksDue::set(vec![next_chunk(HASH, index)]);
    let length = payload.len();
    Payloads::set(vec![(HASH, payload)]);
    length
}

#[test]
fn worker_publishes_the_chunk_that_is_due() {
    with_node(|_| {
        let length = chunk_due(1);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 10));
        run(2);
        let (chunk, nonce) = Published::take().swap_remove(0);
        assert_eq!((chunk.job, chunk.part, chunk.index), (job(1), Part::Transcript, 1));
        assert_eq!(
            (chunk.bytes.len(), chunk.last, nonce),
            (length - CHUNK_BYTES as usize, true, 0)
        );
        // It is not sent again before it is overdue.
        run(3);
        assert_eq!(Published::take(), vec![]);
        run(2 + PATIENCE);
        assert!(!Published::take().is_empty());
    });
}

#[test]
fn worker_publishes_another_job_if_the_payload_of_the_first_is_lost() {
    with_node(|_| {
        chunk_due(0);
        ChunksDue::mutate(|due| due.insert(0, next_chunk(H256::repeat_byte(9), 0)));
        run(2);
        let (chunk, _) = Published::take().swap_remove(0);
        assert_eq!((chunk.index, chunk.bytes.len()), (0, CHUNK_BYTES as usize));
    });
}

#[test]
fn worker_with_reports_in_every_block_still_publishes() {
    with_node(|_| {
        chunk_due(0);
        assign(ALICE, 1);
        let sent = run(2).remove(0);
        assert_eq!((sent.nonce, Published::take().len()), (0, 1), "BOB has no reports");
        include(&sent);
        // The results are never used up.
        assign(ALICE, 2);
        assert_eq!(run(3), vec![]);
        let (chunk, nonce) = Published::take().swap_remove(0);
        assert_eq!((chunk.index, nonce), (0, 1));
        System::inc_account_nonce(sent.worker);
        assert_eq!(run(4).len(), 1, "then reports come next");
    });
}

#[test]
fn worker_whose_chunks_are_refused_still_reports() {
    with_node(|_| {
        chunk_due(0);
        assign(ALICE, 1);
        let sent = run(2).remove(0);
        include(&sent);
        assign(ALICE, 2);
        PoolOpen::set(false);
        assert_eq!(run(3), vec![]);
        let retried = run(3 + PATIENCE);
        assert_eq!(retried.len(), 1);
        assert_eq!((retried[0].worker, retried[0].nonce), (sent.worker, 1));
    });
}

#[test]
fn worker_publishes_nothing_that_its_node_does_not_have() {
    with_node(|_| {
        chunk_due(0);
        Payloads::set(vec![]);
        run(2);
        assert_eq!(Published::take(), vec![]);
    });
}

#[test]
fn worker_sends_reports_before_chunks() {
    with_node(|_| {
        chunk_due(0);
        assign(ALICE, 1);
        assign(BOB, 2);
        assert_eq!(run(2).len(), 2);
        assert_eq!(Published::take(), vec![]);
    });
}
