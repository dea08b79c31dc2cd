// SPDX-License-Identifier: Apache-2.0
//! Any sequence of operations keeps the records in step with the balances.

use crate::{mock::*, OldestSlash, Operators as OperatorMap, Slashes, WeightInfo};
use assay_primitives::{
    traits::{Duty, OperatorChanged, Operators as _},
    Balance, FinishReason, OutputCommitment, Report,
};
use frame_support::traits::{
    fungible::Balanced, Hooks, Imbalance, LockableCurrency, WithdrawReasons,
};
use proptest::prelude::*;
use sp_runtime::Perbill;

#[derive(Clone, Debug)]
enum Step {
    Register { stash: AccountId, worker: AccountId, concurrency: u32, bond: Balance },
    BondExtra { stash: AccountId, amount: Balance },
    Unbond { stash: AccountId, amount: Balance },
    Withdraw { stash: AccountId },
    SetWorker { stash: AccountId, worker: AccountId },
    RetireWorker { stash: AccountId },
    Report { worker: AccountId, n: u64 },
    SetConcurrency { stash: AccountId, concurrency: u32 },
    Reserve { stash: AccountId, duty: Duty, amount: Balance },
    FreeSlot { stash: AccountId, duty: Duty },
    Shrink { stash: AccountId, duty: Duty, amount: Balance },
    Release { stash: AccountId, duty: Duty },
    Seize { stash: AccountId, duty: Duty, amount: Balance, burn: bool },
    SetDraining { stash: AccountId, draining: bool },
    Leave { stash: AccountId },
    SetPayout { stash: AccountId, payout: AccountId },
    SetCommission { stash: AccountId, percent: u32 },
    Delegate { who: AccountId, stash: AccountId, amount: Balance },
    Undelegate { who: AccountId, stash: AccountId, amount: Balance },
    WithdrawDelegation { who: AccountId, stash: AccountId },
    Reward { stash: AccountId, amount: Balance },
    Elect,
    Offend { stash: AccountId, percent: u32, reported: bool },
    CancelSlash { id: u32 },
    ApplySlash { id: u32 },
    Idle,
    Freeze { stash: AccountId, amount: Balance },
    Pass { blocks: u64 },
}

fn account() -> impl Strategy<Value = AccountId> {
    // Operators are mostly the same few, so that steps affect each other.
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
        1 => account().prop_map(|stash| Step::RetireWorker { stash }),
        2 => (3..12u64, 0..2u64).prop_map(|(worker, n)| Step::Report { worker, n }),
        1 => (account(), 0..6u32)
            .prop_map(|(stash, concurrency)| Step::SetConcurrency { stash, concurrency }),
        3 => (account(), duty(), 0..600u128)
            .prop_map(|(stash, duty, amount)| Step::Reserve { stash, duty, amount }),
        1 => (account(), duty(), 0..600u128)
            .prop_map(|(stash, duty, amount)| Step::Shrink { stash, duty, amount }),
        1 => (account(), duty()).prop_map(|(stash, duty)| Step::FreeSlot { stash, duty }),
        2 => (account(), duty()).prop_map(|(stash, duty)| Step::Release { stash, duty }),
        2 => (account(), duty(), 0..600u128, any::<bool>())
            .prop_map(|(stash, duty, amount, burn)| Step::Seize { stash, duty, amount, burn }),
        1 => (account(), any::<bool>())
            .prop_map(|(stash, draining)| Step::SetDraining { stash, draining }),
        1 => account().prop_map(|stash| Step::Leave { stash }),
        1 => (account(), prop_oneof![account(), Just(NOBODY)])
            .prop_map(|(stash, payout)| Step::SetPayout { stash, payout }),
        1 => (account(), 0..101u32)
            .prop_map(|(stash, percent)| Step::SetCommission { stash, percent }),
        5 => (account(), account(), amount())
            .prop_map(|(who, stash, amount)| Step::Delegate { who, stash, amount }),
        3 => (account(), account(), amount())
            .prop_map(|(who, stash, amount)| Step::Undelegate { who, stash, amount }),
        3 => (account(), account())
            .prop_map(|(who, stash)| Step::WithdrawDelegation { who, stash }),
        3 => (account(), 0..20_000u128)
            .prop_map(|(stash, amount)| Step::Reward { stash, amount }),
        1 => Just(Step::Elect),
        2 => (account(), prop_oneof![0..101u32, Just(100u32)], any::<bool>())
            .prop_map(|(stash, percent, reported)| Step::Offend { stash, percent, reported }),
        1 => (0..8u32).prop_map(|id| Step::CancelSlash { id }),
        1 => (0..8u32).prop_map(|id| Step::ApplySlash { id }),
        1 => Just(Step::Idle),
        1 => (account(), amount()).prop_map(|(stash, amount)| Step::Freeze { stash, amount }),
        2 => (0..30u64).prop_map(|blocks| Step::Pass { blocks }),
    ]
}

/// Returns the amount that applying a slash would burn now.
fn burnt_by(id: u32) -> Balance {
    let Some(slash) = Slashes::<Test>::get(id) else { return 0 };
    let operator = operator(slash.operator);
    let cut = Operators::pro_rata_cut(&operator, slash.amount);
    let waits = operator.own_at_stake() - cut.own() < operator.reserved;
    if u64::from(slash.due) > System::block_number() || waits {
        return 0;
    }
    // The reporter's part is rounded down.
    cut.total() - if slash.reporter.is_some() { cut.own() / 2 } else { 0 }
}

/// Takes the step and returns the amounts minted and burnt.
fn take(step: Step) -> (Balance, Balance) {
    match step {
        Step::Register { stash, worker, concurrency, bond } => {
            let offers = offers(&[(1, 5, 100)]);
            let (origin, contact) = (signed(stash), contact(stash, b""));
            let _ = Operators::register(origin, worker, contact, offers, concurrency, bond);
        }
        Step::BondExtra { stash, amount } => {
            let _ = Operators::bond_extra(signed(stash), amount);
        }
        Step::Unbond { stash, amount } => {
            let _ = Operators::unbond(signed(stash), amount);
        }
        Step::Withdraw { stash } => {
            let _ = Operators::withdraw_unbonded(signed(VALIDATOR), stash);
        }
        Step::SetWorker { stash, worker } => {
            let _ = Operators::set_worker(signed(stash), worker);
        }
        Step::RetireWorker { stash } => {
            let _ = Operators::retire_worker(signed(stash));
        }
        Step::Report { worker, n } => {
            let commitment = OutputCommitment {
                output_hash: Default::default(),
                digest_commitment: Default::default(),
                tokens: 1,
                finish: FinishReason::Length,
            };
            let report = Report::CommitOutput { job: job(n), commitment };
            let _ = Operators::report(signed(worker), vec![report].try_into().unwrap());
        }
        Step::SetConcurrency { stash, concurrency } => {
            let _ = Operators::set_concurrency(signed(stash), concurrency);
        }
        Step::SetDraining { stash, draining } => {
            let _ = Operators::set_draining(signed(stash), draining);
        }
        Step::Leave { stash } => {
            let _ = Operators::leave(signed(stash));
        }
        Step::SetPayout { stash, payout } => {
            let _ = Operators::set_payout(signed(stash), payout);
        }
        Step::SetCommission { stash, percent } => {
            let _ = Operators::set_commission(signed(stash), Perbill::from_percent(percent));
        }
        Step::Delegate { who, stash, amount } => {
            let _ = Operators::delegate(signed(who), stash, amount);
        }
        Step::Undelegate { who, stash, amount } => {
            let _ = Operators::undelegate(signed(who), stash, amount);
        }
        Step::WithdrawDelegation { who, stash } => {
            let _ = Operators::withdraw_delegation(signed(VALIDATOR), stash, who);
        }
        Step::Reward { stash, amount } => {
            // As with jobs, only operators are paid.
            if OperatorMap::<Test>::contains_key(stash) {
                reward(stash, amount);
                return (amount, 0);
            }
        }
        Step::Elect => drop(Operators::elect()),
        Step::Reserve { stash, duty, amount } => {
            let _ = Operators::reserve(&stash, duty, amount);
        }
        Step::FreeSlot { stash, duty } => Operators::free_slot(&stash, duty),
        Step::Shrink { stash, duty, amount } => Operators::shrink(&stash, duty, amount),
        Step::Release { stash, duty } => Operators::release(&stash, duty),
        Step::Seize { stash, duty, amount, burn } => {
            let reserved = Operators::reserved(&stash, duty);
            let credit = Operators::seize(&stash, duty, amount);
            let taken = credit.peek();
            assert_eq!(taken, amount.min(reserved));
            if burn {
                return (0, taken);
            }
            let beneficiary = VALIDATOR;
            assert!(Balances::resolve(&beneficiary, credit).is_ok());
        }
        Step::Offend { stash, percent, reported } => {
            let reporters = if reported { vec![VALIDATOR] } else { vec![] };
            offend(stash, Perbill::from_percent(percent), reporters);
        }
        Step::CancelSlash { id } => {
            let _ = Operators::cancel_slash(RuntimeOrigin::root(), id);
        }
        Step::ApplySlash { id } => {
            let burnt = burnt_by(id);
            let _ = Operators::apply_slash(signed(VALIDATOR), id);
            return (0, burnt);
        }
        Step::Idle => {
            // One slash at a time is applied, so that the amount it burns is known.
            let next = OldestSlash::<Test>::get();
            let burnt = burnt_by(next);
            let weights = <() as WeightInfo>::on_idle();
            let one = weights
                .saturating_add(<() as WeightInfo>::apply_slash())
                .saturating_add(<Told as OperatorChanged<AccountId>>::weight());
            Operators::on_idle(System::block_number(), one);
            return (0, burnt);
        }
        Step::Freeze { stash, amount } => {
            Balances::set_lock(*b"frozen  ", &stash, amount, WithdrawReasons::all());
        }
        Step::Pass { blocks } => skip(blocks),
    }
    (0, 0)
}

/// Returns all money of the accounts.
fn wealth_of_all() -> Balance {
    frame_system::Account::<Test>::iter_values()
        .map(|account| account.data.free + account.data.reserved)
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn random_sequences_keep_the_invariants(steps in prop::collection::vec(step(), 0..200)) {
        new_test_ext().execute_with(|| {
            let mut issuance = Balances::total_issuance();
            for step in steps {
                let (made, burnt) = take(step);
                issuance = issuance + made - burnt;
                Operators::do_try_state().unwrap();
                assert_eq!(Balances::total_issuance(), issuance);
                assert_eq!(wealth_of_all(), issuance);
            }
        });
    }
}
