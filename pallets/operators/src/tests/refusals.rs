// SPDX-License-Identifier: Apache-2.0
//! Clients that operators refuse, and the limits of their offers.

use crate::{mock::*, Error, Event, Offer, Refused};
use assay_primitives::{traits::Operators as _, Prices};
use frame_support::{assert_noop, assert_ok};

#[test]
fn refused_client_is_refused_until_it_is_admitted() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert!(!Operators::refuses(&ALICE, &EVE));
        assert_ok!(Operators::refuse_client(signed(ALICE), EVE));
        assert_eq!(last_event(), Event::ClientRefused { operator: ALICE, client: EVE });
        assert!(Operators::refuses(&ALICE, &EVE) && !Operators::refuses(&ALICE, &BOB));
        assert!(!Operators::refuses(&BOB, &EVE));
        assert_eq!(Operators::view(&ALICE).unwrap().refused, [EVE]);
        assert_ok!(Operators::admit_client(signed(ALICE), EVE));
        assert_eq!(last_event(), Event::ClientAdmitted { operator: ALICE, client: EVE });
        assert!(!Operators::refuses(&ALICE, &EVE));
        assert_eq!(Refused::<Test>::iter().count(), 0);
    });
}

#[test]
fn refusals_are_of_operators_and_each_client_is_refused_once() {
    with_operators(|| {
        let refuse = |who, client| Operators::refuse_client(signed(who), client);
        assert_noop!(refuse(EVE, BOB), Error::<Test>::NotOperator);
        register(ALICE, MIN_BOND);
        assert_ok!(refuse(ALICE, BOB));
        assert_noop!(refuse(ALICE, BOB), Error::<Test>::AlreadyRefused);
        let admit = Operators::admit_client(signed(ALICE), EVE);
        assert_noop!(admit, Error::<Test>::NotRefused);
    });
}

#[test]
fn refusals_have_a_limit() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        for client in 50..53 {
            assert_ok!(Operators::refuse_client(signed(ALICE), client));
        }
        let refuse = Operators::refuse_client(signed(ALICE), 53);
        assert_noop!(refuse, Error::<Test>::TooManyRefused);
        assert_ok!(Operators::admit_client(signed(ALICE), 51));
        assert_ok!(Operators::refuse_client(signed(ALICE), 53));
    });
}

#[test]
fn refusals_end_with_the_operator() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::refuse_client(signed(ALICE), EVE));
        assert_ok!(Operators::leave(signed(ALICE)));
        skip(UNBONDING);
        assert_ok!(Operators::withdraw_unbonded(signed(EVE), ALICE));
        assert_eq!(Refused::<Test>::iter().count(), 0);
    });
}

#[test]
fn terms_have_the_limits_of_the_offer() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        let offer = Offer::unlimited(model(1), Prices { input: 0, output: 5 }, 100);
        let offer = Offer { max_reward: 7, max_bond: 9, ..offer };
        let offers = vec![offer].try_into().unwrap();
        assert_ok!(Operators::set_offers(signed(ALICE), offers));
        let terms = Operators::terms(&ALICE, &model(1)).unwrap();
        assert_eq!((terms.max_reward, terms.max_bond), (7, 9));
        let view = &Operators::view(&ALICE).unwrap().offers[0];
        assert_eq!((view.max_reward, view.max_bond), (7, 9));
    });
}
