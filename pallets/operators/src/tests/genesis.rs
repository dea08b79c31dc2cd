// SPDX-License-Identifier: Apache-2.0
//! Operators and validators of genesis.

use crate::{mock::*, GenesisConfig, GenesisValidators};
use assay_primitives::{traits::Operators as _, Prices};

#[test]
fn genesis_registers_operators_and_validators() {
    let config = GenesisConfig {
        operators: vec![(
            ALICE,
            WORKER,
            vec![(model(1), Prices { input: 2, output: 5 }, 100)],
            2,
            3 * MIN_BOND,
        )],
        validators: vec![VALIDATOR],
    };
    new_test_ext_with(config).execute_with(|| {
        assert_eq!(operator(ALICE).bonded, 3 * MIN_BOND);
        assert_eq!(held(ALICE), 3 * MIN_BOND);
        assert_eq!(Operators::view(&ALICE).unwrap().contact, None);
        assert_eq!(Operators::prices(&model(1), 1, 1), Some(Prices { input: 2, output: 5 }));
        assert_eq!(GenesisValidators::<Test>::get().to_vec(), [VALIDATOR]);
        Operators::do_try_state().unwrap();
    });
}

#[test]
fn genesis_reads_json() {
    let model = serde_json::to_value(model(1)).unwrap();
    let json = serde_json::json!({
        "operators": [[ALICE, WORKER, [[model, { "input": 0, "output": 5 }, 100]], 2, 3_000]],
        "validators": [VALIDATOR],
    });
    let config: GenesisConfig<Test> = serde_json::from_value(json).unwrap();
    new_test_ext_with(config).execute_with(|| {
        assert_eq!(operator(ALICE).offers, offers(&[(1, 5, 100)]));
    });
}

#[test]
#[should_panic(expected = "genesis operator 1")]
fn genesis_refuses_an_operator_that_could_not_register() {
    new_test_ext_with(GenesisConfig {
        operators: vec![(ALICE, WORKER, vec![], 1, MIN_BOND - 1)],
        validators: vec![],
    });
}

#[test]
#[should_panic(expected = "genesis operator 1")]
fn genesis_refuses_more_offers_than_can_be() {
    let prices = Prices { input: 0, output: 5 };
    let offers = (1..=4).map(|n| (model(n), prices, 100)).collect();
    new_test_ext_with(GenesisConfig {
        operators: vec![(ALICE, WORKER, offers, 1, MIN_BOND)],
        validators: vec![],
    });
}

#[test]
#[should_panic(expected = "more than MaxValidators")]
fn genesis_refuses_more_validators_than_can_be() {
    new_test_ext_with(GenesisConfig { operators: vec![], validators: vec![1, 2, 3, 4] });
}
