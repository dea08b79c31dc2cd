// SPDX-License-Identifier: Apache-2.0
//! Random sequences of calls keep the maps, the deposits and the money consistent.

use crate::{mock::*, Error};
use assay_primitives::Balance;
use frame_support::traits::{LockableCurrency, WithdrawReasons};
use proptest::prelude::*;
use sp_runtime::{DispatchError, MultiAddress};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Register { caller: u8, key: u8 },
    Unregister { caller: u8 },
    Pay { key: u8, amount: Balance },
    Spend { from: u8, amount: Balance },
    Leave { from: u8 },
    Freeze { who: u8, amount: Balance },
    SetDeposit { amount: Balance },
}

/// Returns one of the keys with money, or one without.
fn any_key() -> impl Strategy<Value = u8> {
    0..=KEYS
}

fn amount() -> impl Strategy<Value = Balance> {
    prop_oneof![0..10_000u128, 0..2 * ENDOWMENT, Just(Balance::MAX)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any_key().prop_map(|key| Step::Register { caller: key, key }),
        1 => (any_key(), any_key()).prop_map(|(caller, key)| Step::Register { caller, key }),
        3 => any_key().prop_map(|caller| Step::Unregister { caller }),
        3 => (any_key(), amount()).prop_map(|(key, amount)| Step::Pay { key, amount }),
        2 => (any_key(), amount()).prop_map(|(from, amount)| Step::Spend { from, amount }),
        1 => any_key().prop_map(|from| Step::Leave { from }),
        1 => (any_key(), amount()).prop_map(|(who, amount)| Step::Freeze { who, amount }),
        1 => (1..20_000u128).prop_map(|amount| Step::SetDeposit { amount }),
    ]
}

/// The accounts that are registered, each with its deposit.
type Model = BTreeMap<u8, Balance>;

/// Returns the reason for which the caller cannot register that key.
fn refusal(caller: u8, other: u8, model: &Model) -> Option<Error<Test>> {
    let balance = System::account(account(caller)).data;
    if caller != other {
        Some(Error::NotTheKeysAccount)
    } else if model.contains_key(&caller) {
        Some(Error::AlreadyRegistered)
    } else if Deposit::get().saturating_add(balance.frozen.max(EXISTENTIAL_DEPOSIT)) > balance.free
    {
        Some(Error::BalanceTooLow)
    } else {
        None
    }
}

/// Takes the step and compares its result with the model's.
fn take(step: Step, model: &mut Model) {
    match step {
        Step::Register { caller, key: other } => {
            let refused = refusal(caller, other, model);
            let signed = RuntimeOrigin::signed(account(caller));
            let result = Addresses::register_address(signed, key(other));
            assert_eq!(result, refused.map_or(Ok(()), |error| Err(error.into())));
            if result.is_ok() {
                model.insert(caller, Deposit::get());
            }
        }
        Step::Unregister { caller } => {
            let expected = match model.remove(&caller) {
                Some(_) => Ok(()),
                None => Err(Error::<Test>::NotRegistered.into()),
            };
            assert_eq!(unregister(caller), expected);
        }
        Step::Pay { key, amount } => {
            let before = (free(&account(key)), free(&other()));
            let result = transfer(MultiAddress::Address20(address(key)), amount);
            if !model.contains_key(&key) {
                assert_eq!(result, Err(DispatchError::CannotLookup));
            }
            let moved = if result.is_ok() { amount } else { 0 };
            assert_eq!((free(&account(key)) - moved, free(&other()) + moved), before);
        }
        Step::Spend { from, amount } => {
            let signed = RuntimeOrigin::signed(account(from));
            let _ = Balances::transfer_keep_alive(signed, other().into(), amount);
        }
        Step::Leave { from } => {
            let signed = RuntimeOrigin::signed(account(from));
            let _ = Balances::transfer_all(signed, other().into(), false);
        }
        Step::Freeze { who, amount } => {
            Balances::set_lock(*b"frozen  ", &account(who), amount, WithdrawReasons::all());
        }
        Step::SetDeposit { amount } => Deposit::set(amount),
    }
}

fn check(model: &Model) {
    Addresses::do_try_state().unwrap();
    for n in 0..=KEYS {
        let registered = model.contains_key(&n);
        assert_eq!(Addresses::account_of(&address(n)), registered.then(|| account(n)));
        assert_eq!(held(&account(n)), model.get(&n).copied().unwrap_or_default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn random_sequences_keep_maps_deposits_and_money(
        steps in prop::collection::vec(step(), 0..200),
    ) {
        new_test_ext().execute_with(|| {
            let issuance = Balances::total_issuance();
            let mut model = Model::new();
            for step in steps {
                take(step, &mut model);
                check(&model);
                assert_eq!(Balances::total_issuance(), issuance);
            }
        });
    }
}
