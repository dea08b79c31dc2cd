// SPDX-License-Identifier: Apache-2.0
//! Any sequence of operations keeps the records in step with the balances.

use crate::mock::*;
use assay_primitives::{
    traits::{Duty, Operators as _},
    Balance,
};
use frame_support::traits::{fungible::Balanced, Imbalance, LockableCurrency, WithdrawReasons};
use proptest::prelude::*;
use sp_runtime::Perbill;

#[derive(Clone, Debug)]
enum Step {
    Register { stash: AccountId, worker: AccountId, concurrency: u32, bond: Balance },
    BondExtra { stash: AccountId, amount: Balance },
    Unbond { stash: AccountId, amount: Balance },
    Withdraw { stash: AccountId },
    SetWorker { stash: AccountId, worker: AccountId },
    SetConcurrency { stash: AccountId, concurrency: u32 },
    Reserve { stash: AccountId, duty: Duty, amount: Balance },
    FreeSlot { stash: AccountId, duty: Duty },
    Release { stash: AccountId, duty: Duty },
    Seize { stash: AccountId, duty: Duty, amount: Balance, burn: bool },
    Offend { stash: AccountId, percent: u32 },
    Freeze { stash: AccountId, amount: Balance },
    Pass { blocks: u64 },
}

fn account() -> impl Strategy<Value = AccountId> {
    // Mostly the same few, so that one step meets what another has left.
    prop_oneof![5 => 1..3u64, 1 => 1..7u64]
}

fn amount() -> impl Strategy<Value = Balance> {
    prop_oneof![0..3_000u128, 0..1_100_000u128, Just(Balance::MAX)]
}

fn duty() -> impl Strategy<Value = Duty> {
    (0..2u64, any::<bool>()).prop_map(|(n, run)| match run {
        true => Duty::Run(job(n)),
        false => Duty::Verify(job(n)),
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (account(), 3..12u64, 0..6u32, amount()).prop_map(
            |(stash, worker, concurrency, bond)| Step::Register { stash, worker, concurrency, bond }
        ),
        1 => (account(), amount()).prop_map(|(stash, amount)| Step::BondExtra { stash, amount }),
        2 => (account(), amount()).prop_map(|(stash, amount)| Step::Unbond { stash, amount }),
        2 => account().prop_map(|stash| Step::Withdraw { stash }),
        1 => (account(), 3..12u64)
            .prop_map(|(stash, worker)| Step::SetWorker { stash, worker }),
        1 => (account(), 0..6u32)
            .prop_map(|(stash, concurrency)| Step::SetConcurrency { stash, concurrency }),
        3 => (account(), duty(), 0..600u128)
            .prop_map(|(stash, duty, amount)| Step::Reserve { stash, duty, amount }),
        1 => (account(), duty()).prop_map(|(stash, duty)| Step::FreeSlot { stash, duty }),
        2 => (account(), duty()).prop_map(|(stash, duty)| Step::Release { stash, duty }),
        2 => (account(), duty(), 0..600u128, any::<bool>())
            .prop_map(|(stash, duty, amount, burn)| Step::Seize { stash, duty, amount, burn }),
        1 => (account(), 0..101u32)
            .prop_map(|(stash, percent)| Step::Offend { stash, percent }),
        1 => (account(), amount()).prop_map(|(stash, amount)| Step::Freeze { stash, amount }),
        2 => (0..30u64).prop_map(|blocks| Step::Pass { blocks }),
    ]
}

/// Does the step; gives what it burnt.
fn take(step: Step) -> Balance {
    let signed = RuntimeOrigin::signed;
    match step {
        Step::Register { stash, worker, concurrency, bond } => {
            let offers = offers(&[(1, 5, 100)]);
            let _ = Operators::register(signed(stash), worker, offers, concurrency, bond);
        }
        Step::BondExtra { stash, amount } => {
            let _ = Operators::bond_extra(signed(stash), amount);
        }
        Step::Unbond { stash, amount } => {
            let _ = Operators::unbond(signed(stash), amount);
        }
        Step::Withdraw { stash } => {
            let _ = Operators::withdraw_unbonded(signed(stash));
        }
        Step::SetWorker { stash, worker } => {
            let _ = Operators::set_worker(signed(stash), worker);
        }
        Step::SetConcurrency { stash, concurrency } => {
            let _ = Operators::set_concurrency(signed(stash), concurrency);
        }
        Step::Reserve { stash, duty, amount } => {
            let _ = Operators::reserve(&stash, duty, amount);
        }
        Step::FreeSlot { stash, duty } => Operators::free_slot(&stash, duty),
        Step::Release { stash, duty } => Operators::release(&stash, duty),
        Step::Seize { stash, duty, amount, burn } => {
            let reserved = Operators::reserved(&stash, duty);
            let credit = Operators::seize(&stash, duty, amount);
            let taken = credit.peek();
            assert_eq!(taken, amount.min(reserved));
            if burn {
                return taken;
            }
            let beneficiary = VALIDATOR;
            assert!(Balances::resolve(&beneficiary, credit).is_ok());
        }
        Step::Offend { stash, percent } => {
            return Operators::slash_offender(&stash, Perbill::from_percent(percent), 1);
        }
        Step::Freeze { stash, amount } => {
            Balances::set_lock(*b"frozen  ", &stash, amount, WithdrawReasons::all());
        }
        Step::Pass { blocks } => System::set_block_number(System::block_number() + blocks),
    }
    0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_sequences_keep_the_invariants(steps in prop::collection::vec(step(), 0..200)) {
        new_test_ext().execute_with(|| {
            let mut issuance = Balances::total_issuance();
            for step in steps {
                issuance -= take(step);
                Operators::do_try_state().unwrap();
                assert_eq!(Balances::total_issuance(), issuance);
            }
        });
    }
}
