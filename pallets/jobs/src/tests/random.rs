// SPDX-License-Identifier: Apache-2.0
//! Random sequences of calls, reports and blocks: no invariant breaks, no money appears, and every
//! job ends.

use crate::{mock::*, Event};
use assay_primitives::{
    job::{JobId, JobSpec, JobState, Payment, Verification},
    report::Report,
    settlement::{AuditOutcome, Outcome},
    traits::AuditedJobs,
    Balance, DeclineReason,
};
use frame_support::{storage::with_storage_layer, traits::Hooks, weights::Weight};
use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::Permill;

/// Something that happens. Numbers are reduced to what there is when it happens.
#[derive(Clone, Debug)]
enum Step {
    Create { client: u64, down: u16, cost: u16, tip: u16, tokens: u8, delay: u8, audit: bool },
    Challenge { job: usize, by: u64 },
    Raise { job: usize, more: u16 },
    Cancel { job: usize },
    Confirm { job: usize },
    Settle { job: usize, by: u64 },
    Expire { job: usize, by: u64 },
    Accept { job: usize },
    Decline { job: usize, reason: DeclineReason },
    Commit { job: usize, tokens: u8 },
    Conclude { job: usize, outcome: u8, verifiers: usize },
    Randomness { some: Option<u8> },
    Blocks { count: u8, idle: bool },
}

/// Returns reasons that lie with the client and one that does not.
fn reason() -> impl Strategy<Value = DeclineReason> {
    prop_oneof![
        3 => Just(DeclineReason::PayloadUnavailable),
        3 => Just(DeclineReason::InputLength),
        1 => Just(DeclineReason::Resource),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let job = 0..100usize;
    prop_oneof![
        3 => (1..3u64, any::<u16>(), any::<u16>(), any::<u16>(), any::<u8>(), 0..8u8, any::<bool>()).prop_map(
            |(client, down, cost, tip, tokens, delay, audit)| {
                Step::Create { client, down: down % 50, cost: cost % 2_000, tip: tip % 50, tokens: tokens % 30, delay, audit }
            }
        ),
        1 => (job.clone(), 1..4u64).prop_map(|(job, by)| Step::Challenge { job, by }),
        1 => (job.clone(), any::<u16>()).prop_map(|(job, more)| Step::Raise { job, more: more % 500 }),
        1 => job.clone().prop_map(|job| Step::Cancel { job }),
        1 => job.clone().prop_map(|job| Step::Confirm { job }),
        1 => (job.clone(), 1..4u64).prop_map(|(job, by)| Step::Settle { job, by }),
        2 => (job.clone(), 1..4u64).prop_map(|(job, by)| Step::Expire { job, by }),
        6 => job.clone().prop_map(|job| Step::Accept { job }),
        1 => (job.clone(), reason()).prop_map(|(job, reason)| Step::Decline { job, reason }),
        5 => (job.clone(), any::<u8>()).prop_map(|(job, tokens)| Step::Commit { job, tokens: tokens % 30 }),
        4 => (job, 0..5u8, 0..4usize).prop_map(|(job, outcome, verifiers)| Step::Conclude { job, outcome, verifiers }),
        1 => any::<Option<u8>>().prop_map(|some| Step::Randomness { some }),
        6 => (1..8u8, any::<bool>()).prop_map(|(count, idle)| Step::Blocks { count, idle }),
    ]
}

/// The job that a number stands for, preferring those that are not over.
fn pick(n: usize) -> JobId {
    let mut all: Vec<_> = crate::Jobs::<Test>::iter().collect();
    all.sort_by_key(|(id, job)| (matches!(job.state, JobState::Settled(_)), *id));
    let live = all.iter().filter(|(_, job)| !matches!(job.state, JobState::Settled(_))).count();
    let among = live.max(1).min(all.len().max(1));
    all.get(n % among).map(|(id, _)| *id).unwrap_or_default()
}

fn holder(id: &JobId) -> AccountId {
    match crate::Jobs::<Test>::get(id).map(|job| job.state) {
        Some(JobState::Assigned { operator, .. } | JobState::Running { operator, .. }) => operator,
        _ => OPERATORS[0],
    }
}

fn take(step: Step) {
    // A refused call changes nothing, so all outcomes are fine.
    let _ = match step {
        Step::Create { client, down, cost, tip, tokens, delay, audit } => {
            let not_before = now() + u32::from(delay);
            let verification =
                if tokens % 3 == 0 { Verification::Required } else { Verification::IfPossible };
            let max_tokens = tokens.into();
            let spec = JobSpec { max_tokens, not_before, verification, audit, ..spec() };
            let payment = Payment { down: down.into(), cost: cost.into(), tip: tip.into() };
            with_storage_layer(|| Jobs::create(signed(client), spec, payment))
        }
        Step::Raise { job, more } => {
            let more = Payment { down: 1, cost: more.into(), tip: 1 };
            let id = pick(job);
            let client = crate::Jobs::<Test>::get(id).map_or(CLIENT, |job| job.client);
            with_storage_layer(|| Jobs::raise_payment(signed(client), id, more))
        }
        Step::Challenge { job, by } => {
            let id = pick(job);
            if Jobs::challengeable(&id).is_some() {
                Jobs::challenge(&id, &by);
            }
            Ok(())
        }
        Step::Cancel { job } => with_storage_layer(|| Jobs::cancel(signed(CLIENT), pick(job))),
        Step::Confirm { job } => {
            with_storage_layer(|| Jobs::confirm_received(signed(CLIENT), pick(job)))
        }
        Step::Settle { job, by } => with_storage_layer(|| Jobs::settle(signed(by), pick(job))),
        Step::Expire { job, by } => with_storage_layer(|| Jobs::expire(signed(by), pick(job))),
        Step::Accept { job } => {
            let job = pick(job);
            report(holder(&job), Report::Accept { job })
        }
        Step::Decline { job, reason } => {
            let job = pick(job);
            report(holder(&job), Report::Decline { job, reason })
        }
        Step::Commit { job, tokens } => {
            let job = pick(job);
            let commitment = commitment(tokens.into());
            report(holder(&job), Report::CommitOutput { job, commitment })
        }
        Step::Conclude { job, outcome, verifiers } => {
            let outcome = match outcome {
                0 => AuditOutcome::NotAudited,
                1 => AuditOutcome::Accepted,
                2 => AuditOutcome::Rejected,
                3 => AuditOutcome::Withheld,
                _ => AuditOutcome::Undecided,
            };
            let id = pick(job);
            if Jobs::subject(&id).is_some() {
                let forfeited = 3 - u32::try_from(verifiers).unwrap();
                Jobs::conclude(&id, outcome, &OPERATORS[..verifiers], 0, forfeited);
            }
            Ok(())
        }
        Step::Randomness { some } => {
            ParentRandomness::set(some.map(H256::repeat_byte));
            Ok(())
        }
        Step::Blocks { count, idle } => {
            for _ in 0..count {
                if idle {
                    Jobs::on_idle(now().into(), Weight::MAX);
                }
                skip_block();
            }
            Ok(())
        }
    };
}

/// Everything that all accounts have.
fn everything() -> Balance {
    let known = [CLIENT, OTHER_CLIENT, KEEPER, NEWCOMER].into_iter().chain(OPERATORS);
    let pots =
        [Escrow::pot(), Escrow::fund(), Operators::vault()].map(wealth).iter().sum::<Balance>();
    known.map(wealth).sum::<Balance>() + pots
}

/// Every settlement accounts for all that was on hold, and for all that was slashed.
fn check_settlements() {
    for event in events() {
        let Event::JobSettled { job: id, settlement } = event else { continue };
        let Some(job) = crate::Jobs::<Test>::get(id) else { continue };
        let audit = Jobs::audit_of(&job.spec, job.payment.cost);
        assert!(settlement.audit_fees <= audit, "no more than was held for the audit");
        let held = job.payment.total().unwrap() + BOUNTY + Deposit::get() + audit;
        let out = settlement.paid + settlement.refunded;
        match settlement.outcome {
            Outcome::Paid | Outcome::Expired | Outcome::Cancelled | Outcome::Unverified => {
                assert_eq!(out, held);
                assert_eq!(settlement.slashed, 0);
            }
            Outcome::Refunded | Outcome::Slashed => {
                let compensation = out - held;
                assert!(compensation >= job.payment.down, "the down payment is back");
                assert!(compensation <= settlement.slashed, "out of nothing but the bond");
            }
        }
    }
}

proptest! {
    #[test]
    fn sequences_keep_the_invariants_and_end_every_job(
        steps in proptest::collection::vec(step(), 1..120)
    ) {
        with_jobs(|| {
            BurnShare::set(Permill::from_percent(5));
            VerificationPrice::set(1);
            Deposit::set(11);
            FewestVerifiers::set(3);
            VerifiersStake::set(Permill::from_percent(70));
            GenerationSpeed::set(9);
            let issued = Balances::total_issuance();
            for step in steps {
                take(step);
                check_state();
                prop_assert_eq!(everything(), Balances::total_issuance());
                prop_assert!(Balances::total_issuance() <= issued);
            }
            check_settlements();
            // Nobody acts any more but the auditor, who always ends an audit.
            for id in crate::Jobs::<Test>::iter_keys().collect::<Vec<_>>() {
                if Jobs::subject(&id).is_some() {
                    Jobs::conclude(&id, AuditOutcome::Undecided, &[], 0, 0);
                }
            }
            ParentRandomness::set(Some(H256::zero()));
            run_blocks(300);
            prop_assert_eq!(crate::Jobs::<Test>::iter().count(), 0);
            prop_assert_eq!(crate::FirstTryEntries::<Test>::iter().count(), 0);
            prop_assert_eq!(crate::AssignmentEntries::<Test>::iter().count(), 0);
            prop_assert_eq!(crate::DeadlineEntries::<Test>::iter().count(), 0);
            for client in [CLIENT, OTHER_CLIENT] {
                prop_assert_eq!(Balances::reserved_balance(client), 0);
            }
            Ok(())
        })?;
    }
}
