// SPDX-License-Identifier: Apache-2.0
//! Random sequences of reports and blocks over several audits: no invariant breaks, no money appears,
//! every audit ends, and every job with it.

use crate::mock::*;
use assay_primitives::{
    job::{JobSpec, JobState},
    publication::Part,
    report::Report,
    traits::Duties,
    Verdict,
};
use frame_support::{parameter_types, storage::with_storage_layer};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use sp_core::H256;

#[derive(Clone, Debug)]
enum Step {
    Order { client: usize, audit: bool },
    Challenge { job: usize, who: usize },
    Work { commit: bool },
    Commit { seat: usize, verdict: u8 },
    Reveal { seat: usize, verdict: u8 },
    Vacate { seat: usize },
    Publish { job: usize, transcript: bool, whole: bool },
    Advance { job: usize },
    Settle { job: usize },
    Randomness { some: Option<u8> },
    Blocks { count: u8 },
    Skip { count: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let seat = 0..100usize;
    prop_oneof![
        3 => (0..4usize, any::<bool>()).prop_map(|(client, audit)| Step::Order { client, audit }),
        4 => (seat.clone(), 0..14usize).prop_map(|(job, who)| Step::Challenge { job, who }),
        4 => any::<bool>().prop_map(|commit| Step::Work { commit }),
        12 => (seat.clone(), 0..8u8).prop_map(|(seat, verdict)| Step::Commit { seat, verdict }),
        12 => (seat.clone(), 0..8u8).prop_map(|(seat, verdict)| Step::Reveal { seat, verdict }),
        2 => seat.clone().prop_map(|seat| Step::Vacate { seat }),
        2 => (seat.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(job, transcript, whole)| Step::Publish { job, transcript, whole }),
        2 => seat.clone().prop_map(|job| Step::Advance { job }),
        1 => seat.prop_map(|job| Step::Settle { job }),
        1 => any::<Option<u8>>().prop_map(|some| Step::Randomness { some }),
        6 => (1..4u8).prop_map(|count| Step::Blocks { count }),
        1 => (1..8u8).prop_map(|count| Step::Skip { count }),
    ]
}

parameter_types! {
    /// The number of challenges that were made.
    static Challenged: u32 = 0;
}

/// Mostly the truth.
fn verdict(n: u8) -> Verdict {
    match n {
        0 => rejects(),
        1 => abstains(),
        2 => Verdict::Accept { digest_root: H256::zero() },
        _ => accepts(),
    }
}

fn pick<V>(mut all: Vec<V>, n: usize) -> Option<V> {
    (!all.is_empty()).then(|| all.swap_remove(n % all.len()))
}

fn seat(n: usize) -> Option<(AccountId, H256)> {
    let mut all: Vec<_> =
        crate::SeatsOf::<Test>::iter().map(|(verifier, job, ())| (verifier, job)).collect();
    all.sort();
    pick(all, n)
}

fn job(n: usize) -> H256 {
    let mut all: Vec<_> = pallet_jobs::Jobs::<Test>::iter_keys().collect();
    all.sort();
    pick(all, n).unwrap_or_default()
}

/// A refused step changes nothing, so all outcomes are fine.
fn take(step: Step) {
    match step {
        Step::Order { client, audit } => {
            let client = [CLIENT, OPERATORS[0], OPERATORS[1], KEEPER][client];
            // Neither audits nor challenges are had without it.
            let verification = assay_primitives::Verification::Required;
            let spec = JobSpec { deadline: 50, audit, verification, ..spec() };
            let _ = with_storage_layer(|| Jobs::create(signed(client), spec, PAYMENT));
        }
        Step::Challenge { job: n, who } => {
            let mut all: Vec<_> = pallet_jobs::Jobs::<Test>::iter_keys()
                .filter(|id| Verification::challenge_bond(id).is_some())
                .collect();
            all.sort();
            if let Some(id) = pick(all, n) {
                let client = pallet_jobs::Jobs::<Test>::get(id).map_or(CLIENT, |job| job.client);
                let who = OPERATORS.into_iter().chain([client, client]).nth(who).unwrap_or(client);
                let done = with_storage_layer(|| Verification::challenge(signed(who), id));
                Challenged::mutate(|count| *count += u32::from(done.is_ok()));
            }
        }
        Step::Work { commit } => {
            for (job, stored) in pallet_jobs::Jobs::<Test>::iter().collect::<Vec<_>>() {
                let report = match stored.state {
                    JobState::Assigned { operator, .. } => (operator, Report::Accept { job }),
                    JobState::Running { operator, .. } if commit => {
                        (operator, Report::CommitOutput { job, commitment: commitment() })
                    }
                    _ => continue,
                };
                let _ = with_storage_layer(|| Jobs::handle(&report.0, &report.1).unwrap());
            }
        }
        Step::Commit { seat: n, verdict: said } => {
            if let Some((verifier, id)) = seat(n) {
                let _ = commit(verifier, id, verdict(said));
            }
        }
        Step::Reveal { seat: n, verdict: said } => {
            if let Some((verifier, id)) = seat(n) {
                let _ = reveal(verifier, id, verdict(said));
            }
        }
        Step::Publish { job: n, transcript, whole } => {
            let mut all: Vec<_> = crate::ProducingOf::<Test>::iter()
                .map(|(operator, job, ())| (operator, job))
                .collect();
            all.sort();
            if let Some((operator, id)) = pick(all, n) {
                let (part, payload) = if transcript {
                    (Part::Transcript, TRANSCRIPT)
                } else {
                    (Part::Request, REQUEST)
                };
                let payload = if whole { payload } else { &payload[1..] };
                let _ = publish(operator, id, part, payload, 10);
            }
        }
        Step::Vacate { seat: n } => {
            if let Some((verifier, id)) = seat(n) {
                let _ = vacate(verifier, id);
            }
        }
        Step::Advance { job: n } => {
            let _ = with_storage_layer(|| Verification::advance(signed(KEEPER), job(n)));
        }
        Step::Settle { job: n } => {
            let _ = with_storage_layer(|| Jobs::settle(signed(KEEPER), job(n)));
        }
        Step::Randomness { some } => ParentRandomness::set(some.map(H256::repeat_byte)),
        Step::Blocks { count } => run_blocks(count.into()),
        Step::Skip { count } => skip_blocks(count.into()),
    }
}

/// Plays a sequence and lets everything end.
fn play(steps: Vec<Step>) -> Result<(), TestCaseError> {
    SecondLooks::set(sp_runtime::Permill::from_percent(50));
    with_operators(|| {
        // Half of the operators have long records, so that some of their jobs are not audited.
        for operator in OPERATORS.into_iter().step_by(2) {
            crate::Records::<Test>::insert(operator, 1_000 * crate::WHOLE);
        }
        let issued = Balances::total_issuance();
        for step in steps {
            take(step);
            check_state();
            prop_assert_eq!(everything(), Balances::total_issuance());
            prop_assert!(Balances::total_issuance() <= issued);
        }
        ParentRandomness::set(Some(H256::zero()));
        run_blocks(400);
        prop_assert_eq!(crate::Audits::<Test>::iter().count(), 0);
        prop_assert_eq!(crate::AgendaEntries::<Test>::iter().count(), 0);
        prop_assert_eq!(crate::SeatsOf::<Test>::iter().count(), 0);
        prop_assert_eq!(pallet_jobs::Jobs::<Test>::iter().count(), 0);
        Ok(())
    })
}

proptest! {
    #[test]
    fn sequences_keep_the_invariants_and_end_every_audit(
        steps in proptest::collection::vec(step(), 1..150)
    ) {
        play(steps)?;
    }
}

/// Plays the same sequences each time.
#[test]
fn sequences_challenge_outputs() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..40 {
        let steps = proptest::collection::vec(step(), 150).new_tree(&mut runner).unwrap().current();
        play(steps).unwrap();
    }
    assert!(Challenged::get() >= 10, "{} challenges", Challenged::get());
}
