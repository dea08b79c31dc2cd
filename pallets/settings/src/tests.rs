// SPDX-License-Identifier: Apache-2.0
//! The call and its check.

use crate::{mock::*, ChangesOf, Error, Event};
use assay_primitives::parameters::Violation;
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use sp_runtime::DispatchError;

fn changes(all: &[Number]) -> ChangesOf<Test> {
    all.to_vec().try_into().unwrap()
}

fn set(all: &[Number]) -> Result<(), DispatchError> {
    Settings::set(RuntimeOrigin::root(), changes(all))
}

fn too_short(unbonding: u32, least: u32) -> Violation {
    Violation::UnbondingTooShort { unbonding, least }
}

#[test]
fn changes_are_made_together_and_reported() {
    new_test_ext().execute_with(|| {
        let all = [Number::Unbonding(50), Number::Offences(40)];
        assert_ok!(set(&all));
        assert_eq!(numbers(), (50, 40));
        System::assert_last_event(Event::ParametersSet { changes: changes(&all) }.into());
    });
}

#[test]
fn set_is_refused_to_everybody_but_the_admin() {
    new_test_ext().execute_with(|| {
        let call = Settings::set(RuntimeOrigin::signed(1), changes(&[Number::Offences(1)]));
        assert_noop!(call, DispatchError::BadOrigin);
    });
}

#[test]
fn set_that_violates_an_inequality_is_refused_as_a_whole() {
    new_test_ext().execute_with(|| {
        let all = [Number::Unbonding(30), Number::Offences(30)];
        assert_noop!(set(&all), Error::<Test>::UnbondingTooShort);
        assert_noop!(set(&[Number::Unbonding(101)]), Error::<Test>::ParameterOutOfRange);
        assert_eq!(numbers(), (20, 10));
    });
}

#[test]
fn order_of_changes_does_not_matter() {
    new_test_ext().execute_with(|| {
        assert_noop!(set(&[Number::Offences(40)]), Error::<Test>::UnbondingTooShort);
        assert_ok!(set(&[Number::Offences(40), Number::Unbonding(50)]));
        assert_eq!(numbers(), (50, 40));
    });
}

#[test]
fn check_says_the_numbers_and_changes_nothing() {
    new_test_ext().execute_with(|| {
        assert_eq!(Settings::check(vec![Number::Offences(40)]), Err(too_short(20, 41)));
        assert_eq!(Settings::check(vec![Number::Offences(15)]), Ok(()));
        assert_eq!(numbers(), (20, 10));
    });
}

#[test]
fn violation_of_the_set_before_bars_other_changes_only_with_other_numbers() {
    new_test_ext().execute_with(|| {
        Defaults::set((5, 10));
        assert_ok!(set(&[]));
        assert_eq!(Settings::check(vec![Number::Unbonding(6)]), Err(too_short(6, 11)));
        assert_eq!(Settings::check(vec![Number::Offences(11)]), Err(too_short(5, 12)));
        assert_ok!(set(&[Number::Unbonding(11)]));
    });
}

#[test]
#[should_panic(expected = "the default parameters violate [UnbondingTooShort")]
fn integrity_test_refuses_defaults_that_violate_an_inequality() {
    new_test_ext().execute_with(|| {
        Defaults::set((10, 10));
        Settings::integrity_test();
    });
}

#[test]
fn errors_name_the_inequality() {
    let lying = Violation::LyingPays { audited: 1, detected: 2, bond: 3, least: 4 };
    assert!(matches!(Error::<Test>::from(lying), Error::LyingPays));
    let capture = Violation::CapturePays { second_looks: 1, least: 2 };
    assert!(matches!(Error::<Test>::from(capture), Error::CapturePays));
}
