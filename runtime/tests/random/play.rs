// SPDX-License-Identifier: Apache-2.0
//! A sequence played from the genesis of the development network until everything has ended.

use crate::{
    acts::{act, call, set},
    blocks,
    books::wealth,
    chain,
    counts::Counts,
    invariants,
    people::PEOPLE,
    steps::Step,
};
use assay_runtime::{
    parameters::{dynamic_params, RuntimeParameters, RuntimeParametersKey, RuntimeParametersValue},
    presets, AccountId, Balance, Balances, Escrow, Operators, Runtime, System, MINUTES, UNIT,
};
use frame_support::{
    traits::{fungible::Inspect, Get},
    weights::Weight,
};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_runtime::{MultiAddress, Permill, Storage};
use std::sync::LazyLock;

/// The storage of the development preset.
static GENESIS: LazyLock<Storage> = LazyLock::new(|| chain::genesis(presets::development()));

/// Endows one of [`PEOPLE`], and shortens the retention of settled jobs.
fn begin(counts: &mut Counts) {
    let retention =
        dynamic_params::jobs::Parameters::Retention(dynamic_params::jobs::Retention, Some(MINUTES));
    set(counts, RuntimeParameters::Jobs(retention));
    let (dest, value) = (MultiAddress::Id(PEOPLE[6].clone()), 100_000 * UNIT);
    call(counts, &PEOPLE[5], pallet_balances::Call::transfer_keep_alive { dest, value });
    assert_eq!(Balances::free_balance(&PEOPLE[6]), value);
    next_block(u16::MAX, false, counts);
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
/// Extrinsics have filled the block before it, or not.
fn next_block(alive: u16, full: bool, counts: &mut Counts) {
    let alive: Vec<_> = PEOPLE
        .iter()
        .enumerate()
        .filter(|(who, stash)| alive >> who & 1 == 1 && Operators::view(stash).is_some())
        .map(|(_, stash)| stash.clone())
        .collect();
    System::reset_events();
    counts.watch(|_| {
        if full {
            let output = H256(blake2_256(&System::block_number().to_le_bytes()));
            blocks::next_block_with(&alive, output, Weight::zero());
        } else {
            blocks::next_block(&alive);
        }
    });
    counts.heartbeats();
}

/// Advances without any acts until every job, audit and slash has ended.
fn everything_ends(counts: &mut Counts) {
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
        next_block(0, false, counts);
    }
    invariants::check();
    assert!(ended(), "a job, an audit, an escrow, a reservation or a slash has not ended");
}

/// Lets everybody leave and withdraw their money, so that nothing stays on hold or in the accounts
/// of the pallets.
fn everybody_leaves(counts: &mut Counts) {
    type Operator = pallet_operators::Call<Runtime>;
    let delegations: Vec<_> = pallet_operators::Delegations::<Runtime>::iter_keys().collect();
    counts.watch(|counts| {
        for (delegator, operator) in &delegations {
            let (operator, amount) = (operator.clone(), Balance::MAX);
            call(counts, delegator, Operator::undelegate { operator, amount });
        }
        for who in PEOPLE.iter() {
            call(counts, who, Operator::leave {});
            call(counts, who, pallet_escrow::Call::claim {});
            call(counts, who, pallet_addresses::Call::unregister_address {});
        }
    });
    let unbonding: u32 = <Runtime as pallet_operators::Config>::UnbondingPeriod::get();
    for _ in 0..unbonding {
        next_block(0, false, counts);
    }
    counts.watch(|counts| {
        for stash in PEOPLE.iter() {
            call(counts, &PEOPLE[5], Operator::withdraw_unbonded { stash: stash.clone() });
        }
        for (delegator, operator) in delegations {
            call(counts, &PEOPLE[5], Operator::withdraw_delegation { operator, delegator });
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

/// Plays a sequence to its end and counts what happens. Operators are trusted from the beginning, or
/// all of their jobs are audited.
pub fn play(steps: Vec<Step>, trusted: bool, counts: &mut Counts) {
    // Reads of what lies over the state are many times as fast as those of the state's own trie.
    sp_io::TestExternalities::default().execute_with(|| {
        for (key, value) in &GENESIS.top {
            sp_io::storage::set(key, value);
        }
        begin(counts);
        if trusted {
            leave_some_unaudited();
        }
        for step in steps {
            match step {
                Step::Act(what) => counts.watch(|counts| act(counts, what)),
                Step::Blocks { count, alive, full } => {
                    for _ in 0..count {
                        next_block(alive, full, counts);
                    }
                }
            }
            invariants::check();
            counts.states();
        }
        everything_ends(counts);
        everybody_leaves(counts);
    });
}
