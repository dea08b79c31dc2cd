// SPDX-License-Identifier: Apache-2.0
//! Notices to the listener about operators.

use crate::mock::*;
use assay_primitives::{
    traits::{Duty, Offered, OperatorChanged, Operators as _, Standing, Standings},
    Balance, Prices,
};
use frame_support::{assert_ok, dispatch::GetDispatchInfo, traits::Imbalance};
use sp_runtime::Perbill;

/// Returns the stake, the number of models, and whether ALICE takes duties, as the listener was
/// last notified; `None` after a notice that she is not an operator.
fn told() -> Option<(Balance, usize, bool)> {
    let told = Told::get().get(&ALICE).cloned().expect("the listener was not notified of her");
    assert_eq!(told, Operators::standing(&ALICE), "the listener has another standing");
    told.map(|standing| (standing.stake, standing.models.len(), standing.active))
}

#[test]
fn standing_is_stake_offers_and_whether_it_takes_duties() {
    with_operators(|| {
        register(ALICE, 2_000);
        let prices = Prices { input: 0, output: 5 };
        let models = vec![Offered { model: model(1), context: 100, prices }];
        let standing = Standing { stake: 2_000, models, active: true };
        assert_eq!(Operators::standing(&ALICE), Some(standing));
        assert_eq!(Operators::standing(&BOB), None);
    });
}

#[test]
fn listener_hears_of_every_change() {
    with_operators(|| {
        register(ALICE, 2_000);
        assert_eq!(told(), Some((2_000, 1, true)));
        assert_ok!(Operators::bond_extra(signed(ALICE), 500));
        assert_eq!(told(), Some((2_500, 1, true)));
        delegate(EVE, ALICE, 3_000);
        assert_eq!(told(), Some((5_500, 1, true)));
        assert_ok!(Operators::undelegate(signed(EVE), ALICE, 3_000));
        assert_eq!(told(), Some((2_500, 1, true)));
        assert_ok!(Operators::unbond(signed(ALICE), 1_000));
        assert_eq!(told(), Some((1_500, 1, true)));
        assert_ok!(Operators::set_offers(signed(ALICE), offers(&[(1, 2, 3), (2, 3, 4)])));
        assert_eq!(told(), Some((1_500, 2, true)));
        assert_ok!(Operators::set_draining(signed(ALICE), true));
        assert_eq!(told(), Some((1_500, 2, false)));
        assert_ok!(Operators::set_draining(signed(ALICE), false));
        assert_eq!(told(), Some((1_500, 2, true)));
        offend(ALICE, Perbill::from_percent(50), vec![]);
        skip(SLASH_DELAY);
        assert_ok!(Operators::apply_slash(signed(EVE), 0));
        let (stake, _, active) = told().unwrap();
        assert!(stake < MIN_BOND && !active);
        assert_ok!(Operators::leave(signed(ALICE)));
        assert_eq!(told(), Some((0, 2, false)));
        skip(UNBONDING);
        assert_ok!(Operators::withdraw_unbonded(signed(EVE), ALICE));
        assert_eq!(told(), None);
    });
}

#[test]
fn listener_hears_of_what_duties_take_when_anyone_says_so() {
    with_operators(|| {
        register(ALICE, 2_000);
        let duty = Duty::Run(job(1));
        assert_ok!(Operators::reserve(&ALICE, duty, 1_500));
        assert_eq!(Operators::seize(&ALICE, duty, 1_500).peek(), 1_500);
        assert_eq!(Told::get()[&ALICE].as_ref().map(|told| told.stake), Some(2_000));
        assert_eq!(Operators::standing(&ALICE).map(|now| now.stake), Some(500));
        assert_ok!(Operators::rank_operator(signed(EVE), ALICE));
        assert_eq!(told(), Some((500, 1, false)));
        Operators::release(&ALICE, duty);
    });
}

#[test]
fn calls_weigh_what_the_listener_does() {
    let weight = |call: crate::Call<Test>| call.get_dispatch_info().call_weight;
    let listener = <Told as OperatorChanged<AccountId>>::weight();
    let delegate = crate::Call::delegate { operator: ALICE, amount: 1 };
    let own = <() as crate::WeightInfo>::delegate();
    assert_eq!(weight(delegate), own.saturating_add(listener));
    let set_payout = crate::Call::set_payout { payout: ALICE };
    assert_eq!(weight(set_payout), <() as crate::WeightInfo>::set_payout());
}
