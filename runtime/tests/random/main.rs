// SPDX-License-Identifier: Apache-2.0
//! Random sequences of acts by clients, operators, verifiers, delegators, offenders and root,
//! through all pallets of the real runtime. Every invariant of each pallet holds after every step.
//! No step and no block mints money or loses more than it slashes. Every job ends, and in the end
//! nothing is on hold or owed.

mod acts;
#[path = "../blocks/mod.rs"]
mod blocks;
#[path = "../books/mod.rs"]
mod books;
#[path = "../chain/mod.rs"]
mod chain;
#[path = "../invariants/mod.rs"]
mod invariants;
mod people;
mod steps;

use acts::{act, call, set};
use assay_runtime::{
    parameters::{dynamic_params, RuntimeParameters, RuntimeParametersKey, RuntimeParametersValue},
    presets, AccountId, Balance, Balances, Escrow, Operators, Runtime, System, MINUTES, UNIT,
};
use books::{watched, wealth, Seen};
use frame_support::traits::{fungible::Inspect, Get};
use people::PEOPLE;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use sp_runtime::{MultiAddress, Permill, Storage};
use std::sync::LazyLock;
use steps::{sequence, Step};

/// The storage of the development preset.
static GENESIS: LazyLock<Storage> = LazyLock::new(|| chain::genesis(presets::development()));

/// Endows the last of [`PEOPLE`], and shortens the retention of settled jobs.
fn begin() {
    let retention =
        dynamic_params::jobs::Parameters::Retention(dynamic_params::jobs::Retention, Some(MINUTES));
    set(RuntimeParameters::Jobs(retention));
    let (dest, value) = (MultiAddress::Id(PEOPLE[6].clone()), 100_000 * UNIT);
    call(&PEOPLE[5], pallet_balances::Call::transfer_keep_alive { dest, value });
    assert_eq!(Balances::free_balance(&PEOPLE[6]), value);
    next_block(u16::MAX, &mut Seen::new());
}

/// Gives operators long records, with which few of their jobs are audited, as on no development network.
fn leave_some_unaudited() {
    use dynamic_params::verification;
    let key = verification::ParametersKey::AuditFloor(verification::AuditFloor);
    let value = verification::ParametersValue::AuditFloor(Permill::from_percent(10));
    pallet_parameters::Parameters::<Runtime>::insert(
        RuntimeParametersKey::Verification(key),
        RuntimeParametersValue::Verification(value),
    );
    for operator in PEOPLE.iter() {
        let record = 1_000_000 * pallet_verification::WHOLE;
        pallet_verification::Records::<Runtime>::insert(operator, record);
    }
}

/// Begins the next block, in which the heartbeats of those operators arrive whose bit is set.
fn next_block(alive: u16, seen: &mut Seen) {
    let alive: Vec<_> = PEOPLE
        .iter()
        .enumerate()
        .filter(|(who, stash)| alive >> who & 1 == 1 && Operators::view(stash).is_some())
        .map(|(_, stash)| stash.clone())
        .collect();
    System::reset_events();
    watched(seen, || blocks::next_block(&alive));
}

/// Advances without any acts until every job, audit and slash has ended.
fn everything_ends(seen: &mut Seen) {
    let ended = || {
        pallet_jobs::Jobs::<Runtime>::iter_keys().next().is_none()
            && pallet_verification::Audits::<Runtime>::iter_keys().next().is_none()
            && pallet_verification::Chunks::<Runtime>::iter_keys().next().is_none()
            && pallet_escrow::Escrows::<Runtime>::iter_keys().next().is_none()
            && pallet_operators::Reservations::<Runtime>::iter_keys().next().is_none()
            && pallet_operators::Slashes::<Runtime>::iter_keys().next().is_none()
    };
    for _ in 0..400 {
        if ended() {
            break;
        }
        next_block(0, seen);
    }
    invariants::check();
    assert!(ended(), "a job, an audit, an escrow, a reservation or a slash has not ended");
}

/// Lets everybody leave and withdraw their money, so that nothing stays on hold or in the accounts
/// of the pallets.
fn everybody_leaves(seen: &mut Seen) {
    type Operator = pallet_operators::Call<Runtime>;
    let delegations: Vec<_> = pallet_operators::Delegations::<Runtime>::iter_keys().collect();
    watched(seen, || {
        for (delegator, operator) in &delegations {
            let (operator, amount) = (operator.clone(), Balance::MAX);
            call(delegator, Operator::undelegate { operator, amount });
        }
        for who in PEOPLE.iter() {
            call(who, Operator::leave {});
            call(who, pallet_escrow::Call::claim {});
            call(who, pallet_addresses::Call::unregister_address {});
        }
    });
    let unbonding: u32 = <Runtime as pallet_operators::Config>::UnbondingPeriod::get();
    for _ in 0..unbonding {
        next_block(0, seen);
    }
    watched(seen, || {
        for stash in PEOPLE.iter() {
            call(&PEOPLE[5], Operator::withdraw_unbonded { stash: stash.clone() });
        }
        for (delegator, operator) in delegations {
            call(&PEOPLE[5], Operator::withdraw_delegation { operator, delegator });
        }
    });
    invariants::check();
    assert_eq!(pallet_operators::Operators::<Runtime>::iter().count(), 0, "operators");
    assert_eq!(pallet_operators::Orphans::<Runtime>::iter().count(), 0, "orphans");
    assert_eq!(pallet_operators::Delegations::<Runtime>::iter().count(), 0, "delegations");
    assert_eq!(pallet_escrow::Claims::<Runtime>::iter().count(), 0, "claims");
    assert_eq!(wealth().1, 0, "something is still on hold");
    for pot in [Operators::vault(), Escrow::pot()] {
        assert_eq!(
            Balances::free_balance(pot),
            <Balances as Inspect<AccountId>>::minimum_balance(),
            "a pallet's account does not have the existential deposit alone"
        );
    }
}

/// Plays a sequence to its end and returns the ends seen. Operators are trusted from the beginning, or
/// all of their jobs are audited.
fn play(steps: Vec<Step>, trusted: bool) -> Seen {
    let mut seen = Seen::new();
    sp_io::TestExternalities::new(GENESIS.clone()).execute_with(|| {
        begin();
        if trusted {
            leave_some_unaudited();
        }
        for step in steps {
            match step {
                Step::Act(what) => watched(&mut seen, || act(what)),
                Step::Blocks { count, alive } => {
                    for _ in 0..count {
                        next_block(alive, &mut seen);
                    }
                }
            }
            invariants::check();
        }
        everything_ends(&mut seen);
        everybody_leaves(&mut seen);
    });
    seen
}

proptest! {
    #[test]
    fn sequences_through_all_pallets_keep_the_invariants_and_the_money(
        steps in sequence(),
        trusted in any::<bool>(),
    ) {
        play(steps, trusted);
    }
}

/// Plays the same sequences each time.
#[test]
fn sequences_reach_every_end() {
    let mut runner = TestRunner::deterministic();
    let mut seen = Seen::new();
    for n in 0..300 {
        seen.extend(play(sequence().new_tree(&mut runner).unwrap().current(), n % 2 == 0));
    }
    let all = [
        "AddressUnregistered",
        "AuditPaid",
        "ChallengeBondReturned",
        "ChallengeLost",
        "ChunkPublished",
        "ContactSet",
        "DelegationWithdrawn",
        "JobCancelled",
        "JobExpired",
        "JobPaid",
        "JobRefunded",
        "JobSlashed",
        "JobUnverified",
        "OutputChallenged",
        "Registered",
        "Removed",
        "Seized",
        "SlashCancelled",
        "Slashed",
        "Withdrawn",
        "WorkerRetired",
        "WorkerRetiring",
        "WorkerSet",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), all);
}
