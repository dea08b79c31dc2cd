// SPDX-License-Identifier: Apache-2.0
//! Payees that cannot receive, and their claims.

use crate::{mock::*, Claims, Error, Event};
use assay_primitives::traits::Escrow as _;
use frame_support::{
    assert_noop, assert_ok,
    traits::fungible::{Balanced, Mutate},
};

fn claim(who: AccountId) -> sp_runtime::DispatchResult {
    Escrow::claim(RuntimeOrigin::signed(who))
}

#[test]
fn pay_below_the_existential_deposit_becomes_a_claim() {
    with_escrow(|| {
        let id = open_first();
        assert_eq!(Escrow::pay(&id, &NOBODY, EXISTENTIAL_DEPOSIT - 1), EXISTENTIAL_DEPOSIT - 1);
        assert_eq!(free(NOBODY), 0);
        assert_eq!(Escrow::claimable(&NOBODY), EXISTENTIAL_DEPOSIT - 1);
        assert!(events()
            .contains(&Event::ClaimRecorded { payee: NOBODY, amount: EXISTENTIAL_DEPOSIT - 1 }));
        assert_eq!(
            last_event(),
            Event::Paid { job: id, payee: NOBODY, amount: EXISTENTIAL_DEPOSIT - 1 }
        );
    });
}

#[test]
fn pay_of_the_existential_deposit_creates_the_account() {
    with_escrow(|| {
        let id = open_first();
        assert_eq!(Escrow::pay(&id, &NOBODY, EXISTENTIAL_DEPOSIT), EXISTENTIAL_DEPOSIT);
        assert_eq!(free(NOBODY), EXISTENTIAL_DEPOSIT);
        assert_eq!(Escrow::claimable(&NOBODY), 0);
    });
}

#[test]
fn claims_of_all_kinds_of_payments_add_up() {
    with_escrow(|| {
        let id = open_first();
        pay_down(&id, &NOBODY);
        assert_eq!(Escrow::pay_bounty(&id, &NOBODY), 7);
        assert_eq!(Escrow::pay(&id, &NOBODY, 20), 20);
        assert_eq!(Escrow::deposit(&NOBODY, Balances::issue(3)), 3);
        assert_eq!(Escrow::claimable(&NOBODY), 80);
        assert_eq!(held(CLIENT), 1_000);
    });
}

#[test]
fn refund_to_a_client_that_cannot_receive_becomes_a_claim() {
    with_escrow(|| {
        let id = open_first();
        assert_eq!(Escrow::pay(&id, &OPERATOR, 1_000), 1_000);
        // With a provider of its own the client can give away its existential deposit as well.
        System::inc_providers(&CLIENT);
        assert_ok!(Balances::transfer_all(RuntimeOrigin::signed(CLIENT), OPERATOR, false));
        assert_eq!(free(CLIENT), 0);
        assert_eq!(Escrow::refund(&id), 77);
        assert_eq!(Escrow::claimable(&CLIENT), 77);
        assert_eq!(held(CLIENT), 0);
    });
}

#[test]
fn claim_withdraws_all() {
    with_escrow(|| {
        let id = open_first();
        pay_down(&id, &NOBODY);
        assert_ok!(Balances::mint_into(&NOBODY, EXISTENTIAL_DEPOSIT));
        assert_ok!(claim(NOBODY));
        assert_eq!(free(NOBODY), EXISTENTIAL_DEPOSIT + 50);
        assert!(!Claims::<Test>::contains_key(NOBODY));
        assert_eq!(last_event(), Event::Claimed { who: NOBODY, amount: 50 });
    });
}

#[test]
fn claim_large_enough_creates_the_account() {
    with_escrow(|| {
        let id = open_first();
        pay_down(&id, &NOBODY);
        assert_eq!(Escrow::pay(&id, &NOBODY, 50), 50);
        assert_ok!(claim(NOBODY));
        assert_eq!(free(NOBODY), 100);
    });
}

#[test]
fn claim_refuses_who_has_none() {
    with_escrow(|| {
        assert_noop!(claim(OPERATOR), Error::<Test>::NothingToClaim);
    });
}

#[test]
fn claim_refuses_to_create_an_account_below_the_existential_deposit() {
    with_escrow(|| {
        let id = open_first();
        pay_down(&id, &NOBODY);
        assert_noop!(claim(NOBODY), Error::<Test>::AmountBelowExistentialDeposit);
        assert_eq!(Escrow::claimable(&NOBODY), 50);
    });
}

#[test]
fn claim_refuses_an_unsigned_origin() {
    with_escrow(|| {
        assert_noop!(Escrow::claim(RuntimeOrigin::none()), sp_runtime::DispatchError::BadOrigin);
    });
}

#[test]
fn try_state_allows_donations_to_the_pot() {
    new_test_ext().execute_with(|| {
        let id = open_first();
        pay_down(&id, &NOBODY);
        assert_ok!(Balances::mint_into(&Escrow::pot(), 1));
        assert_ok!(Escrow::do_try_state());
    });
}

#[test]
fn try_state_sees_a_claim_that_is_not_covered() {
    new_test_ext().execute_with(|| {
        Claims::<Test>::insert(NOBODY, 1);
        assert!(Escrow::do_try_state().is_err());
    });
}

#[test]
fn try_state_sees_an_escrow_without_its_hold() {
    new_test_ext().execute_with(|| {
        let id = open_first();
        crate::Escrows::<Test>::mutate(id, |record| {
            if let Some(record) = record {
                record.left.bounty -= 1;
            }
        });
        assert!(Escrow::do_try_state().is_err());
    });
}

#[test]
fn try_state_sees_a_hold_without_its_escrow() {
    new_test_ext().execute_with(|| {
        let id = open_first();
        crate::Escrows::<Test>::remove(id);
        assert!(Escrow::do_try_state().is_err());
    });
}

/// Takes the pot's existential deposit away, which nothing on the chain can do.
fn without_pot(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        let pot = Escrow::pot();
        assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), pot, 0));
        test();
        assert_ok!(Escrow::do_try_state());
    });
}

#[test]
fn pay_without_a_pot_leaves_the_amount_to_the_client() {
    without_pot(|| {
        let id = open_first();
        assert_eq!(Escrow::pay(&id, &NOBODY, 20), 0);
        assert_eq!(held(CLIENT), 1_077);
        assert_eq!(Escrow::claimable(&NOBODY), 0);
        assert_eq!(Escrow::refund(&id), 1_077);
    });
}

#[test]
fn refund_without_a_pot_keeps_what_the_client_cannot_receive() {
    without_pot(|| {
        let id = open_first();
        assert_eq!(Escrow::pay(&id, &OPERATOR, 1_000), 1_000);
        System::inc_providers(&CLIENT);
        assert_ok!(Balances::transfer_all(RuntimeOrigin::signed(CLIENT), OPERATOR, false));
        assert_eq!(Escrow::refund(&id), 0);
        assert_eq!(held(CLIENT), 77);
        assert_ok!(Balances::mint_into(&CLIENT, EXISTENTIAL_DEPOSIT));
        assert_eq!(Escrow::refund(&id), 77);
    });
}

#[test]
fn deposit_without_a_pot_burns() {
    without_pot(|| {
        let issuance = Balances::total_issuance();
        assert_eq!(Escrow::deposit(&NOBODY, Balances::issue(3)), 0);
        assert_eq!(Balances::total_issuance(), issuance);
        assert_eq!(Escrow::claimable(&NOBODY), 0);
    });
}
