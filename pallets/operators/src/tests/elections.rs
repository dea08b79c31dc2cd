// SPDX-License-Identifier: Apache-2.0
//! Validators of the next session, in the session pallet itself.

use crate::{mock::*, GenesisConfig, GenesisValidators};
use frame_support::{assert_ok, BoundedVec};
use pallet_session::{historical, SessionManager};
use sp_runtime::Perbill;

/// Returns the validators two sessions later, which are those elected now.
fn elected() -> Vec<AccountId> {
    Session::rotate_session();
    Session::rotate_session();
    Session::validators()
}

#[test]
fn elections_fill_up_with_validators_of_genesis() {
    with_operators(|| {
        assert_eq!(elected(), [VALIDATOR, OTHER_VALIDATOR]);
        register(ALICE, MIN_BOND);
        assert_eq!(elected(), [ALICE, VALIDATOR]);
        register(BOB, 2 * MIN_BOND);
        assert_eq!(elected(), [BOB, ALICE]);
    });
}

#[test]
fn elections_take_the_most_stake_and_then_the_lowest_account() {
    with_operators(|| {
        GenesisValidators::<Test>::kill();
        register(CAROL, MIN_BOND);
        register(BOB, MIN_BOND);
        register(ALICE, 2 * MIN_BOND);
        assert_eq!(elected(), [ALICE, BOB, CAROL]);
        assert_ok!(Operators::bond_extra(RuntimeOrigin::signed(CAROL), 2 * MIN_BOND));
        assert_eq!(elected(), [CAROL, ALICE, BOB]);
    });
}

#[test]
fn elections_bound_the_validators() {
    with_operators(|| {
        let keys = SessionKeys { dummy: sp_runtime::testing::UintAuthorityId(DAVE) };
        pallet_session::NextKeys::<Test>::insert(DAVE, keys);
        for (stash, bond) in [(ALICE, 4_000), (BOB, 3_000), (CAROL, 2_000), (DAVE, 1_000)] {
            register(stash, bond);
        }
        assert_eq!(elected(), [ALICE, BOB, CAROL]);
    });
}

#[test]
fn elections_give_no_seat_to_less_than_half_of_the_average_stake() {
    with_operators(|| {
        GenesisValidators::<Test>::kill();
        register(ALICE, 3 * MIN_BOND);
        register(BOB, MIN_BOND);
        assert_eq!(elected(), [ALICE, BOB], "half of the average");
        assert_ok!(Operators::bond_extra(RuntimeOrigin::signed(ALICE), 1));
        assert_eq!(elected(), [ALICE]);
    });
}

#[test]
fn elections_pass_over_who_has_no_keys_or_too_little_stake() {
    with_operators(|| {
        register(DAVE, 10 * MIN_BOND);
        register(ALICE, MIN_BOND);
        register(BOB, MIN_BOND);
        slash(BOB, Perbill::from_percent(1));
        assert_eq!(elected(), [ALICE, VALIDATOR]);
    });
}

#[test]
fn elections_name_a_validator_of_genesis_that_is_an_operator_once() {
    with_operators(|| {
        register(OTHER_VALIDATOR, MIN_BOND);
        assert_eq!(elected(), [OTHER_VALIDATOR, VALIDATOR]);
    });
}

#[test]
fn elections_without_anyone_keep_the_validators() {
    with_operators(|| {
        GenesisValidators::<Test>::put(BoundedVec::try_from(vec![DAVE]).unwrap());
        assert_eq!(<Operators as SessionManager<_>>::new_session(1), None);
        assert_eq!(<Operators as historical::SessionManager<_, _>>::new_session(1), None);
        assert_eq!(elected(), [VALIDATOR, OTHER_VALIDATOR]);
    });
}

#[test]
fn elections_identify_validators_by_their_accounts() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        let expected = Some(vec![(ALICE, ()), (VALIDATOR, ())]);
        type Historical = Operators;
        assert_eq!(
            <Historical as historical::SessionManager<AccountId, ()>>::new_session(1),
            expected
        );
        assert_eq!(
            <Historical as historical::SessionManager<AccountId, ()>>::new_session_genesis(1),
            expected
        );
    });
}

#[test]
fn elections_of_genesis_weigh_nothing() {
    with_operators(|| {
        let before = System::block_weight().total();
        <Operators as SessionManager<AccountId>>::new_session_genesis(0);
        assert_eq!(System::block_weight().total(), before);
        <Operators as SessionManager<AccountId>>::new_session(1);
        assert!(System::block_weight().total().all_gt(before));
    });
}

#[test]
fn elections_at_genesis_fall_back_to_the_keys_of_genesis() {
    new_test_ext_with(GenesisConfig::default()).execute_with(|| {
        assert_eq!(Session::validators(), [VALIDATOR, OTHER_VALIDATOR]);
        assert_eq!(elected(), [VALIDATOR, OTHER_VALIDATOR]);
    });
}
