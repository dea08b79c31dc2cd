// SPDX-License-Identifier: Apache-2.0
//! A client scales the bond of its job with its tip, so that one job puts an operator's whole stake
//! at risk.

use crate::scene::*;
use assay_primitives::job::Payment;
use assay_runtime::{
    presets::{TINY_CONTEXT, TINY_MODEL, TINY_PRICES},
    Operators, RuntimeOrigin, UNIT,
};
use frame_support::assert_ok;
use pallet_operators::Offer;

#[test]
fn tip_does_not_raise_the_bond_beyond_what_the_operator_allows() {
    on_chain(|| {
        let all = operators();
        let [open, cautious @ ..] = &all[..] else { panic!("there are operators") };
        for operator in cautious {
            let offer = Offer::unlimited(TINY_MODEL, TINY_PRICES, TINY_CONTEXT);
            let offers = vec![Offer { max_bond: 100 * UNIT, ..offer }].try_into().unwrap();
            assert_ok!(Operators::set_offers(RuntimeOrigin::signed(operator.clone()), offers));
        }
        let spec = spec(17, 8);
        let payment = Payment { tip: 1_000 * UNIT, ..quoted(&spec) };
        for _ in 0..3 {
            let job = create(spec.clone(), payment);
            assert_eq!(assigned(&job), *open);
        }
    });
}

#[test]
fn operator_takes_no_jobs_of_a_client_that_it_refuses() {
    on_chain(|| {
        let all = operators();
        let [open, others @ ..] = &all[..] else { panic!("there are operators") };
        for operator in others {
            let origin = RuntimeOrigin::signed(operator.clone());
            assert_ok!(Operators::refuse_client(origin, client()));
        }
        let spec = spec(17, 8);
        for _ in 0..3 {
            let job = create(spec.clone(), quoted(&spec));
            assert_eq!(assigned(&job), *open);
        }
    });
}
