// SPDX-License-Identifier: Apache-2.0
//! Registration, and changes of offers.

use crate::{mock::*, Error, Event, Operators as OperatorMap, Serving, Workers};
use assay_primitives::{
    api::{CommissionView, OfferView, OperatorView, SlashView},
    traits::{Duty, Operators as _},
    Balance, Prices,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, DispatchResult};
use std::collections::BTreeSet;

fn try_register(
    stash: AccountId,
    worker: AccountId,
    offered: &[(u64, Balance, u32)],
    concurrency: u32,
    bond: Balance,
) -> DispatchResult {
    let (contact, offers) = (contact(stash, b"one"), offers(offered));
    Operators::register(signed(stash), worker, contact, offers, concurrency, bond)
}

#[test]
fn register_bonds_and_records() {
    with_operators(|| {
        assert_ok!(try_register(ALICE, WORKER, &[(1, 5, 100), (2, 9, 50)], 2, MIN_BOND));
        let alice = operator(ALICE);
        assert_eq!(alice.worker, WORKER);
        assert_eq!(alice.offers, offers(&[(1, 5, 100), (2, 9, 50)]));
        assert_eq!((alice.concurrency, alice.running), (2, 0));
        assert_eq!((alice.bonded, alice.reserved), (MIN_BOND, 0));
        assert_eq!(Workers::<Test>::get(WORKER), Some(ALICE));
        assert_eq!(held(ALICE), MIN_BOND);
        let contact = contact(ALICE, b"one").contact;
        assert_eq!(
            events(),
            [
                Event::Registered { operator: ALICE, worker: WORKER, bond: MIN_BOND },
                Event::ContactSet { operator: ALICE, contact }
            ]
        );
    });
}

#[test]
fn register_allows_no_offers() {
    with_operators(|| {
        assert_ok!(try_register(ALICE, WORKER, &[], 1, MIN_BOND));
    });
}

#[test]
fn register_refuses_an_operator() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_noop!(
            try_register(ALICE, OTHER_WORKER, &[], 1, MIN_BOND),
            Error::<Test>::AlreadyOperator
        );
    });
}

#[test]
fn register_takes_an_account_that_another_has_named_its_worker() {
    with_operators(|| {
        // BOB need not have agreed, and it keeps him from nothing.
        assert_ok!(try_register(ALICE, BOB, &[], 1, MIN_BOND));
        assert_ok!(try_register(BOB, WORKER, &[], 1, MIN_BOND));
        assert_eq!((operator(ALICE).worker, operator(BOB).worker), (BOB, WORKER));
    });
}

#[test]
fn register_refuses_a_worker_of_another() {
    with_operators(|| {
        assert_ok!(try_register(ALICE, WORKER, &[], 1, MIN_BOND));
        assert_noop!(try_register(BOB, WORKER, &[], 1, MIN_BOND), Error::<Test>::WorkerTaken);
    });
}

#[test]
fn register_refuses_a_stash_as_worker() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        for worker in [ALICE, BOB] {
            assert_noop!(try_register(BOB, worker, &[], 1, MIN_BOND), Error::<Test>::WorkerIsStash);
        }
    });
}

#[test]
fn register_refuses_more_operators_than_can_be() {
    with_operators(|| {
        for stash in [ALICE, BOB, CAROL, DAVE] {
            register(stash, MIN_BOND);
        }
        assert_noop!(try_register(5, 105, &[], 1, MIN_BOND), Error::<Test>::OperatorsFull);
    });
}

#[test]
fn register_refuses_a_bond_below_the_minimum() {
    with_operators(|| {
        assert_noop!(
            try_register(ALICE, WORKER, &[], 1, MIN_BOND - 1),
            Error::<Test>::BondBelowMinimum
        );
    });
}

#[test]
fn register_leaves_the_existential_deposit() {
    with_operators(|| {
        let most = ENDOWMENT - EXISTENTIAL_DEPOSIT;
        assert_noop!(try_register(DAVE, WORKER, &[], 1, most + 1), Error::<Test>::BalanceTooLow);
        assert_ok!(try_register(DAVE, WORKER, &[], 1, most));
    });
}

#[test]
fn register_refuses_offers_without_sense() {
    with_operators(|| {
        let refuses = |offered: &[(u64, Balance, u32)], error: Error<Test>| {
            assert_noop!(try_register(ALICE, WORKER, offered, 1, MIN_BOND), error);
        };
        refuses(&[(1, 5, 100), (2, 0, 100)], Error::PriceZero);
        refuses(&[(1, 5, 0)], Error::ContextZero);
        refuses(&[(1, 5, 100), (2, 5, 100), (1, 6, 100)], Error::DuplicateOffer);
    });
}

#[test]
fn register_refuses_a_concurrency_out_of_bounds() {
    with_operators(|| {
        assert_noop!(try_register(ALICE, WORKER, &[], 0, MIN_BOND), Error::<Test>::ConcurrencyZero);
        assert_noop!(
            try_register(ALICE, WORKER, &[], 5, MIN_BOND),
            Error::<Test>::ConcurrencyTooHigh
        );
        assert_ok!(try_register(ALICE, WORKER, &[], 4, MIN_BOND));
    });
}

#[test]
fn set_offers_replaces_them() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        let alice = RuntimeOrigin::signed(ALICE);
        assert_ok!(Operators::set_offers(alice.clone(), offers(&[(2, 7, 10)])));
        assert_eq!(operator(ALICE).offers, offers(&[(2, 7, 10)]));
        assert_eq!(
            last_event(),
            Event::OffersSet { operator: ALICE, offers: offers(&[(2, 7, 10)]) }
        );
        assert_ok!(Operators::set_offers(alice, offers(&[])));
        assert!(operator(ALICE).offers.is_empty());
    });
}

#[test]
fn set_offers_refuses_offers_without_sense() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        let refuses = |offered: &[(u64, Balance, u32)], error: Error<Test>| {
            assert_noop!(
                Operators::set_offers(RuntimeOrigin::signed(ALICE), offers(offered)),
                error
            );
        };
        refuses(&[(1, 0, 1)], Error::PriceZero);
        refuses(&[(1, 1, 0)], Error::ContextZero);
        refuses(&[(1, 1, 1), (1, 2, 2)], Error::DuplicateOffer);
    });
}

#[test]
fn set_worker_moves_the_key_at_once_without_duties() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 100));
        Operators::release(&ALICE, Duty::Run(job(1)));
        assert_ok!(Operators::set_worker(RuntimeOrigin::signed(ALICE), 200));
        assert_eq!(operator(ALICE).worker, 200);
        assert_eq!(operator(ALICE).retiring, None);
        assert_eq!(Workers::<Test>::get(200), Some(ALICE));
        assert_eq!(Workers::<Test>::get(101), None);
        assert_eq!(last_event(), Event::WorkerSet { operator: ALICE, worker: 200 });
    });
}

#[test]
fn set_worker_refuses_workers_and_stashes() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        register(BOB, MIN_BOND);
        let refuses = |worker: AccountId, error: Error<Test>| {
            assert_noop!(Operators::set_worker(RuntimeOrigin::signed(ALICE), worker), error);
        };
        refuses(101, Error::WorkerTaken);
        refuses(102, Error::WorkerTaken);
        refuses(ALICE, Error::WorkerIsStash);
        refuses(BOB, Error::WorkerIsStash);
    });
}

#[test]
fn set_concurrency_leaves_running_jobs_alone() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 100));
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(2)), 100));
        assert_ok!(Operators::set_concurrency(RuntimeOrigin::signed(ALICE), 1));
        assert_eq!((operator(ALICE).concurrency, operator(ALICE).running), (1, 2));
        assert_eq!(last_event(), Event::ConcurrencySet { operator: ALICE, concurrency: 1 });
        Operators::release(&ALICE, Duty::Run(job(1)));
        assert_noop!(Operators::reserve(&ALICE, Duty::Run(job(3)), 100), Error::<Test>::NoFreeSlot);
    });
}

#[test]
fn set_concurrency_refuses_numbers_out_of_bounds() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        let alice = RuntimeOrigin::signed(ALICE);
        assert_noop!(Operators::set_concurrency(alice.clone(), 0), Error::<Test>::ConcurrencyZero);
        assert_noop!(Operators::set_concurrency(alice, 5), Error::<Test>::ConcurrencyTooHigh);
    });
}

#[test]
fn calls_of_a_stash_refuse_who_is_no_operator() {
    with_operators(|| {
        let alice = || RuntimeOrigin::signed(ALICE);
        let error = Error::<Test>::NotOperator;
        assert_noop!(Operators::bond_extra(alice(), 1), error);
        assert_noop!(Operators::unbond(alice(), 1), Error::<Test>::NotOperator);
        assert_noop!(Operators::withdraw_unbonded(alice(), ALICE), Error::<Test>::NotOperator);
        assert_noop!(Operators::set_offers(alice(), offers(&[])), Error::<Test>::NotOperator);
        assert_noop!(Operators::set_worker(alice(), 200), Error::<Test>::NotOperator);
        assert_noop!(Operators::retire_worker(alice()), Error::<Test>::NotOperator);
        assert_noop!(Operators::set_concurrency(alice(), 1), Error::<Test>::NotOperator);
        assert_noop!(Operators::leave(alice()), Error::<Test>::NotOperator);
        assert_noop!(Operators::set_draining(alice(), true), Error::<Test>::NotOperator);
        assert_noop!(Operators::set_payout(alice(), BOB), Error::<Test>::NotOperator);
        let none = sp_runtime::Perbill::zero();
        assert_noop!(Operators::set_commission(alice(), none), Error::<Test>::NotOperator);
        assert_noop!(Operators::delegate(alice(), BOB, 1_000), Error::<Test>::NotOperator);
        assert_noop!(Operators::undelegate(alice(), BOB, 1_000), Error::<Test>::NotOperator);
        assert_noop!(Operators::rank_operator(alice(), BOB), Error::<Test>::NotOperator);
    });
}

#[test]
fn calls_refuse_an_unsigned_origin() {
    with_operators(|| {
        let none = RuntimeOrigin::none;
        let bad = DispatchError::BadOrigin;
        let contact = contact(ALICE, b"one");
        let nothing = offers(&[]);
        assert_noop!(Operators::register(none(), 200, contact, nothing, 1, MIN_BOND), bad);
        assert_noop!(Operators::bond_extra(none(), 1), bad);
        assert_noop!(Operators::unbond(none(), 1), bad);
        assert_noop!(Operators::withdraw_unbonded(none(), ALICE), bad);
        assert_noop!(Operators::set_offers(none(), offers(&[])), bad);
        assert_noop!(Operators::set_worker(none(), 200), bad);
        assert_noop!(Operators::retire_worker(none()), bad);
        assert_noop!(Operators::set_concurrency(none(), 1), bad);
        assert_noop!(Operators::report(none(), Default::default()), bad);
        assert_noop!(Operators::leave(none()), bad);
        assert_noop!(Operators::set_draining(none(), true), bad);
        assert_noop!(Operators::set_payout(none(), BOB), bad);
        assert_noop!(Operators::set_commission(none(), sp_runtime::Perbill::zero()), bad);
        assert_noop!(Operators::delegate(none(), BOB, 1_000), bad);
        assert_noop!(Operators::undelegate(none(), BOB, 1_000), bad);
        assert_noop!(Operators::withdraw_delegation(none(), BOB, ALICE), bad);
        assert_noop!(Operators::apply_slash(none(), 0), bad);
        assert_noop!(Operators::cancel_slash(RuntimeOrigin::signed(ALICE), 0), bad);
        assert_noop!(Operators::rank_operator(none(), BOB), bad);
        assert_noop!(Operators::refuse_client(none(), BOB), bad);
        assert_noop!(Operators::admit_client(none(), BOB), bad);
    });
}

#[test]
fn view_shows_an_operator() {
    with_operators(|| {
        register(BOB, MIN_BOND);
        register(ALICE, 2 * MIN_BOND);
        assert_ok!(Operators::unbond(RuntimeOrigin::signed(ALICE), 400));
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 100));
        let percent = sp_runtime::Perbill::from_percent;
        assert_ok!(Operators::set_commission(RuntimeOrigin::signed(ALICE), percent(5)));
        delegate(EVE, ALICE, 3_000);
        assert_ok!(Operators::set_commission(RuntimeOrigin::signed(ALICE), percent(9)));
        assert_ok!(Operators::undelegate(RuntimeOrigin::signed(EVE), ALICE, 1_000));
        offend(ALICE, percent(1), vec![]);
        let alice = OperatorView {
            stash: ALICE,
            payout: ALICE,
            worker: 101,
            retiring: None,
            offers: vec![OfferView {
                model: model(1),
                prices: Prices { input: 0, output: 5 },
                context: 100,
                max_reward: Balance::MAX,
                max_bond: Balance::MAX,
            }],
            concurrency: 2,
            running: 1,
            draining: false,
            bonded: 1_600,
            delegated: 2_000,
            undelegating: 1_000,
            delegators: 1,
            reserved: 100,
            unbonding: vec![(400, 21)],
            commission: CommissionView { current: 50_000_000, raise: Some((90_000_000, 21)) },
            slashes: vec![SlashView { id: 0, amount: 50, due: 9 }],
            refused: vec![],
            contact: Some(contact(ALICE, b"").contact),
        };
        assert_eq!(Operators::view(&ALICE), Some(alice));
        assert_eq!(Operators::view(&CAROL), None);
    });
}

fn stashes(views: Vec<OperatorView<AccountId>>) -> Vec<AccountId> {
    views.into_iter().map(|view| view.stash).collect()
}

#[test]
fn operators_come_in_pages() {
    with_operators(|| {
        for stash in [ALICE, BOB, CAROL, DAVE] {
            register(stash, MIN_BOND);
        }
        let all = stashes(Operators::views(None, 9));
        assert_eq!(BTreeSet::from_iter(all.clone()), BTreeSet::from([ALICE, BOB, CAROL, DAVE]));
        assert_eq!(stashes(Operators::views(None, 3)), all[..3]);
        assert_eq!(stashes(Operators::views(Some(&all[2]), 3)), all[3..]);
        assert!(Operators::views(Some(&all[3]), 3).is_empty());
        // An operator that has left still says where the next page begins.
        assert!(stashes(Operators::views(Some(&NOBODY), 9)).len() <= 4);
    });
}

#[test]
fn operators_of_a_model_are_those_that_offer_it() {
    with_operators(|| {
        for stash in [ALICE, BOB, CAROL] {
            register(stash, MIN_BOND);
        }
        let of =
            |n: u64| BTreeSet::from_iter(stashes(Operators::views_of_model(&model(n), None, 9)));
        assert_eq!(of(1), BTreeSet::from([ALICE, BOB, CAROL]));
        assert_eq!(of(2), BTreeSet::new());
        assert_ok!(Operators::set_offers(signed(BOB), offers(&[(2, 5, 100), (3, 5, 100)])));
        assert_eq!((of(1), of(2)), (BTreeSet::from([ALICE, CAROL]), BTreeSet::from([BOB])));
        assert_ok!(Operators::set_offers(signed(BOB), offers(&[(3, 6, 100)])));
        assert_eq!((of(2), of(3)), (BTreeSet::new(), BTreeSet::from([BOB])));
        let all = stashes(Operators::views_of_model(&model(1), None, 9));
        assert_eq!(stashes(Operators::views_of_model(&model(1), None, 1)), all[..1]);
        assert_eq!(stashes(Operators::views_of_model(&model(1), Some(&all[0]), 9)), all[1..]);
        // An operator that leaves is gone from the index as well.
        assert_ok!(Operators::leave(signed(BOB)));
        skip(UNBONDING);
        assert_ok!(Operators::withdraw_unbonded(signed(ALICE), BOB));
        assert_eq!(of(3), BTreeSet::new());
    });
}

#[test]
fn try_state_sees_an_index_that_is_not_that_of_the_offers() {
    new_test_ext().execute_with(|| {
        register(ALICE, MIN_BOND);
        Serving::<Test>::insert(model(2), ALICE, ());
        assert!(Operators::do_try_state().is_err());
        Serving::<Test>::remove(model(1), ALICE);
        assert!(Operators::do_try_state().is_err(), "the number alone is right");
    });
}

#[test]
fn try_state_sees_a_worker_of_nobody() {
    new_test_ext().execute_with(|| {
        register(ALICE, MIN_BOND);
        Workers::<Test>::insert(200, ALICE);
        assert!(Operators::do_try_state().is_err());
    });
}

#[test]
fn try_state_sees_stake_that_is_not_held() {
    new_test_ext().execute_with(|| {
        register(ALICE, MIN_BOND);
        OperatorMap::<Test>::mutate(ALICE, |alice| {
            if let Some(alice) = alice {
                alice.bonded += 1;
            }
        });
        assert!(Operators::do_try_state().is_err());
    });
}
