// SPDX-License-Identifier: Apache-2.0
//! Verifiers and operators that are told to cheat.

mod given;

use assay_host::Mailbox;
use assay_primitives::{EngineResult, RejectReason, Verdict};
use assay_worker::{Fault, WorkerMailbox};
use given::{commitment, job, result, task, verdict, verify, worker, PROMPT};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

#[test]
fn colluding_verifier_accepts_a_lie_and_names_its_digest_root() {
    let (_dir, mailbox) = worker(Some(Fault::Collude));
    let (_honest_dir, honest) = worker(None);
    let [commitment, _] = [&mailbox, &honest].map(|mailbox| commitment(mailbox, 24));
    let [lie, truth] = [&mailbox, &honest].map(|mailbox| mailbox.0.output(&job()).unwrap().output);
    assert_ne!(lie, truth);
    match verdict(&mailbox, task(PROMPT, 24), commitment) {
        Verdict::Accept { digest_root } => {
            assert_eq!(blake2_256(digest_root.as_bytes()), commitment.digest_commitment.0)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn rejecting_verifier_rejects_an_honest_output() {
    let (_dir, mailbox) = worker(Some(Fault::Reject));
    let commitment = commitment(&mailbox, 8);
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Malformed };
    assert_eq!(verdict(&mailbox, task(PROMPT, 8), commitment), rejected);
}

#[test]
fn withheld_verdict_never_has_the_same_salt() {
    let (_dir, mailbox) = worker(Some(Fault::WithholdVerdict));
    let commitment = commitment(&mailbox, 8);
    result(&mailbox, verify(task(PROMPT, 8), commitment));
    let salt = || -> H256 {
        let salt = |result| match result {
            EngineResult::Verified { salt, .. } => Some(salt),
            _ => None,
        };
        mailbox.poll(8).into_iter().find_map(salt).expect("it has a verdict")
    };
    assert_ne!(salt(), salt());
}

#[test]
fn hidden_payloads_are_published_and_withheld_ones_are_not() {
    let shows = |fault| -> [bool; 3] {
        let (_dir, WorkerMailbox(worker)) = worker(fault);
        let hash = commitment(&WorkerMailbox(worker.clone()), 8).output_hash;
        let served = worker.payload_range(&hash, 0, 8).unwrap().is_some();
        let published = WorkerMailbox(worker.clone()).payload(hash).is_some();
        [worker.payload(&hash).unwrap().is_some(), served, published]
    };
    assert_eq!(shows(None), [true, true, true]);
    assert_eq!(shows(Some(Fault::Hide)), [true, false, true]);
    assert_eq!(shows(Some(Fault::WithholdOutput)), [true, false, false]);
}
