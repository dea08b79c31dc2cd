// SPDX-License-Identifier: Apache-2.0
//! A client that is also the operator pays itself, for a record of accepted jobs, and one that pays
//! next to nothing lets others check its jobs.

use crate::scene::*;
use assay_primitives::{
    job::{JobSpec, Payment},
    Prices,
};
use assay_runtime::{AccountId, Balance, Operators, RuntimeOrigin, MILLI_UNIT, UNIT};
use frame_support::assert_ok;
use pallet_operators::{Offer, OffersOf};
use sp_keyring::Sr25519Keyring;

/// Lets the operator ask next to nothing.
fn ask_next_to_nothing(operator: &AccountId) {
    let model = assay_runtime::presets::TINY_MODEL;
    let offer = Offer::unlimited(model, Prices { input: 0, output: 1 }, 2_048);
    let offers = OffersOf::<assay_runtime::Runtime>::truncate_from(vec![offer]);
    assert_ok!(Operators::set_offers(RuntimeOrigin::signed(operator.clone()), offers));
}

#[test]
fn paying_oneself_burns_a_part_of_each_payment() {
    on_chain(|| {
        let spec = spec(17, 100);
        let payment = Payment { down: UNIT, tip: UNIT, ..quoted(&spec) };
        let everybody: Vec<AccountId> = operators().into_iter().chain([client()]).collect();
        let before = wealth(&everybody);
        let job = create(spec, payment);
        deliver(&job, 100);
        judge(&job, Agreed::Accept);
        let lost = before - wealth(&everybody);
        // Nobody gets it: it is burnt, or kept for juries.
        assert_eq!(lost, settlement(&job).burnt + settlement(&job).fund);
        assert_eq!(lost, settlement(&job).paid / 20);
    });
}

#[test]
fn job_pays_for_its_own_check_however_cheap_it_is() {
    on_chain(|| {
        let own = Sr25519Keyring::Alice.to_account_id();
        ask_next_to_nothing(&own);
        let spec = JobSpec { allowed: vec![own.clone()].try_into().unwrap(), ..spec(1_000, 1_000) };
        let least = assay_runtime::Jobs::quote(&spec.model, 1_000, 1_000).unwrap().least_cost;
        let job = create(spec, Payment { down: 0, cost: least, tip: 0 });
        let others: Vec<AccountId> = operators().into_iter().filter(|who| *who != own).collect();
        let before = others.iter().map(|who| wealth([who])).collect::<Vec<_>>();
        deliver(&job, 1_000);
        judge(&job, Agreed::Accept);
        let fee: Balance = 2_000 * MILLI_UNIT / 100;
        for (verifier, before) in others.iter().zip(before) {
            assert_eq!(wealth([verifier]) - before, fee);
        }
    });
}
