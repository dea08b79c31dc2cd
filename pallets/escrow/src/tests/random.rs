// SPDX-License-Identifier: Apache-2.0
//! Any sequence of operations conserves the money and never fails to settle.

use crate::mock::*;
use assay_primitives::{traits::Escrow as _, Balance, Payment};
use frame_support::traits::{fungible::Balanced, LockableCurrency, WithdrawReasons};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Open { job: u64, client: AccountId, payment: Payment, bounty: Balance, deposit: Balance },
    Raise { job: u64, more: Payment },
    PayDown { job: u64, payee: AccountId },
    PutBack { job: u64 },
    Pay { job: u64, payee: AccountId, amount: Balance },
    PayBounty { job: u64, payee: AccountId },
    Levy { job: u64, amount: Balance },
    DrawFund { payee: AccountId, amount: Balance },
    BurnDeposit { job: u64 },
    BurnDown { job: u64, amount: Balance },
    HoldAudit { job: u64, amount: Balance },
    DrawAudit { job: u64, payee: AccountId, amount: Balance },
    HoldBond { job: u64, amount: Balance },
    SeizeBond { job: u64, payee: AccountId },
    ReleaseBond { job: u64 },
    Refund { job: u64 },
    Deposit { payee: AccountId, amount: Balance },
    Claim { who: AccountId },
    Transfer { from: AccountId, to: AccountId, amount: Balance },
    Freeze { who: AccountId, amount: Balance },
}

fn account() -> impl Strategy<Value = AccountId> {
    // Mostly the same few, so that one step meets what another has left.
    prop_oneof![5 => 1..4u64, 1 => 1..10u64]
}

fn id() -> impl Strategy<Value = u64> {
    0..3u64
}

fn amount() -> impl Strategy<Value = Balance> {
    prop_oneof![0..200u128, 0..500_000u128, Just(Balance::MAX)]
}

fn any_payment() -> impl Strategy<Value = Payment> {
    (amount(), amount(), amount()).prop_map(|(down, cost, tip)| payment(down, cost, tip))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (id(), account(), any_payment(), amount(), amount()).prop_map(
            |(job, client, payment, bounty, deposit)| Step::Open {
                job,
                client,
                payment,
                bounty,
                deposit,
            }
        ),
        1 => (id(), any_payment()).prop_map(|(job, more)| Step::Raise { job, more }),
        1 => (id(), account()).prop_map(|(job, payee)| Step::PayDown { job, payee }),
        1 => id().prop_map(|job| Step::PutBack { job }),
        2 => (id(), account(), amount())
            .prop_map(|(job, payee, amount)| Step::Pay { job, payee, amount }),
        1 => (id(), account()).prop_map(|(job, payee)| Step::PayBounty { job, payee }),
        1 => (id(), amount()).prop_map(|(job, amount)| Step::Levy { job, amount }),
        1 => (account(), amount())
            .prop_map(|(payee, amount)| Step::DrawFund { payee, amount }),
        1 => (id(), amount()).prop_map(|(job, amount)| Step::BurnDown { job, amount }),
        1 => id().prop_map(|job| Step::BurnDeposit { job }),
        1 => (id(), amount()).prop_map(|(job, amount)| Step::HoldAudit { job, amount }),
        1 => (id(), account(), amount())
            .prop_map(|(job, payee, amount)| Step::DrawAudit { job, payee, amount }),
        1 => (id(), amount()).prop_map(|(job, amount)| Step::HoldBond { job, amount }),
        1 => (id(), account()).prop_map(|(job, payee)| Step::SeizeBond { job, payee }),
        1 => id().prop_map(|job| Step::ReleaseBond { job }),
        1 => id().prop_map(|job| Step::Refund { job }),
        1 => (account(), 0..500u128)
            .prop_map(|(payee, amount)| Step::Deposit { payee, amount }),
        1 => account().prop_map(|who| Step::Claim { who }),
        1 => (account(), account(), amount())
            .prop_map(|(from, to, amount)| Step::Transfer { from, to, amount }),
        1 => (account(), amount()).prop_map(|(who, amount)| Step::Freeze { who, amount }),
    ]
}

/// Does the step; returns what it added to the total issuance, less what it burnt.
fn take(step: Step) -> i128 {
    match step {
        Step::Open { job: n, client, payment, bounty, deposit } => {
            let _ = Escrow::open(&job(n), &client, payment, bounty, deposit);
        }
        Step::Raise { job: n, more } => {
            let _ = Escrow::raise(&job(n), more);
        }
        Step::PayDown { job: n, payee } => {
            pay_down(&job(n), &payee);
        }
        Step::PutBack { job: n } => {
            // As much as was paid, as an operator returns it.
            let paid =
                Escrow::escrow(&job(n)).map_or(0, |record| record.payment.down - record.left.down);
            Escrow::put_back(&job(n), Balances::issue(paid));
            return i128::try_from(paid).unwrap();
        }
        Step::Pay { job: n, payee, amount } => {
            let left = Escrow::escrow(&job(n)).map_or(0, |record| record.left.price);
            assert_eq!(Escrow::pay(&job(n), &payee, amount), left.min(amount));
        }
        Step::PayBounty { job: n, payee } => {
            let left = Escrow::escrow(&job(n)).map_or(0, |record| record.left.bounty);
            assert_eq!(Escrow::pay_bounty(&job(n), &payee), left);
        }
        Step::Levy { job: n, amount } => {
            let left = Escrow::escrow(&job(n)).map_or(0, |record| record.left.price);
            let room = FundMost::get().saturating_sub(Escrow::in_fund());
            let levied = Escrow::levy(&job(n), amount);
            assert_eq!(levied.total(), left.min(amount));
            assert_eq!(levied.kept, left.min(amount).min(room));
            return -i128::try_from(levied.burnt).unwrap();
        }
        Step::DrawFund { payee, amount } => {
            let paid = Escrow::in_fund().min(amount);
            assert_eq!(Escrow::deposit(&payee, Escrow::draw_fund(amount)), paid);
        }
        Step::BurnDown { job: n, amount } => {
            let left = Escrow::escrow(&job(n)).map_or(0, |record| record.left.down);
            assert_eq!(Escrow::burn_down(&job(n), amount), left.min(amount));
            return -i128::try_from(left.min(amount)).unwrap();
        }
        Step::BurnDeposit { job: n } => {
            let left = Escrow::escrow(&job(n)).map_or(0, |record| record.left.deposit);
            assert_eq!(Escrow::burn_deposit(&job(n)), left);
            return -i128::try_from(left).unwrap();
        }
        Step::HoldAudit { job: n, amount } => {
            let _ = Escrow::hold_audit(&job(n), amount);
        }
        Step::DrawAudit { job: n, payee, amount } => {
            let left = Escrow::escrow(&job(n)).map_or(0, |record| record.left.audit);
            let credit = Escrow::draw_audit(&job(n), &payee, amount);
            assert_eq!(Escrow::deposit(&payee, credit), left.min(amount));
        }
        Step::HoldBond { job: n, amount } => {
            let _ = Escrow::hold_bond(&job(n), amount);
        }
        Step::SeizeBond { job: n, payee } => {
            let bond = Escrow::bond(&job(n));
            assert_eq!(Escrow::deposit(&payee, Escrow::seize_bond(&job(n))), bond);
        }
        Step::ReleaseBond { job: n } => {
            let bond = Escrow::bond(&job(n));
            assert_eq!(Escrow::release_bond(&job(n)), bond);
            assert_eq!(Escrow::bond(&job(n)), 0);
        }
        Step::Refund { job: n } => {
            let left = Escrow::escrow(&job(n)).and_then(|record| record.left.total());
            assert_eq!(Escrow::refund(&job(n)), left.unwrap_or_default());
            assert_eq!(Escrow::escrow(&job(n)), None);
        }
        Step::Deposit { payee, amount } => {
            assert_eq!(Escrow::deposit(&payee, Balances::issue(amount)), amount);
            return i128::try_from(amount).unwrap();
        }
        Step::Claim { who } => {
            let _ = Escrow::claim(RuntimeOrigin::signed(who));
        }
        Step::Transfer { from, to, amount } => {
            let _ = Balances::transfer_keep_alive(RuntimeOrigin::signed(from), to, amount);
        }
        Step::Freeze { who, amount } => {
            Balances::set_lock(*b"frozen  ", &who, amount, WithdrawReasons::all());
        }
    }
    0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_sequences_conserve_the_money(steps in prop::collection::vec(step(), 0..120)) {
        FundMost::set(100_000);
        new_test_ext().execute_with(|| {
            let mut issuance = Balances::total_issuance();
            for step in steps {
                issuance = issuance.checked_add_signed(take(step)).unwrap();
                check_state();
                assert_eq!(Balances::total_issuance(), issuance);
            }
        });
    }
}
