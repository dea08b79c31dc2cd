// SPDX-License-Identifier: Apache-2.0
//! A client that is also the operator pays itself, for a record of accepted jobs, and one that pays
//! next to nothing lets others check its jobs.

use crate::scene::*;
use assay_primitives::{
    job::{JobSpec, Payment},
    AbstainReason, Prices, Verdict,
};
use assay_runtime::{presets, AccountId, Balance, Escrow, Runtime, MILLI_UNIT, UNIT};
use pallet_verification::Stage;
use sp_keyring::Sr25519Keyring;

#[test]
fn paying_oneself_burns_a_part_of_each_payment() {
    on_chain(|| {
        let spec = spec(17, 100);
        let payment = Payment { down: UNIT, tip: UNIT, ..quoted(&spec) };
        let everybody: Vec<AccountId> = operators().into_iter().chain([client()]).collect();
        let before = wealth(&everybody);
        let job = create(spec, payment);
        deliver(&job, 100);
        judge(&job, |_, _, _| accepts());
        let lost = before - wealth(&everybody);
        // Nobody gets it: it is burnt, or kept for juries.
        assert_eq!(lost, settlement(&job).burnt + settlement(&job).fund);
        assert_eq!(lost, settlement(&job).paid / 20);
    });
}

#[test]
fn group_that_is_its_own_jury_takes_no_more_out_of_the_fund_than_it_brings() {
    on_chain(|| {
        let spec = spec(1_000, 1_000);
        let everybody: Vec<AccountId> = operators().into_iter().chain([client()]).collect();
        let play = |unavailable: bool| {
            let before = wealth(&everybody);
            let job = create(spec.clone(), quoted(&spec));
            deliver(&job, 1_000);
            judge(&job, |stage, seat, _| match (stage, seat) {
                (Stage::Committee, 0) if unavailable => {
                    Verdict::Abstain(AbstainReason::PayloadUnavailable)
                }
                _ => accepts(),
            });
            (before, wealth(&everybody))
        };
        while Escrow::in_fund() < UNIT {
            play(false);
        }
        for _ in 0..20 {
            let (before, after) = play(true);
            assert!(after <= before, "{} ASY were gained", (after - before) / UNIT);
        }
    });
}

#[test]
fn job_pays_for_its_own_check_however_cheap_it_is() {
    on_chain(|| {
        let own = Sr25519Keyring::Alice.to_account_id();
        ask(&own, Prices { input: 0, output: 1 });
        let spec = JobSpec { allowed: vec![own.clone()].try_into().unwrap(), ..spec(1_000, 1_000) };
        let least = assay_runtime::Jobs::quote(&spec.model, 1_000, 1_000).unwrap().least_cost;
        let job = create(spec, Payment { down: 0, cost: least, tip: 0 });
        let others: Vec<AccountId> = operators().into_iter().filter(|who| *who != own).collect();
        let before = others.iter().map(|who| wealth([who])).collect::<Vec<_>>();
        deliver(&job, 1_000);
        let panels = judge(&job, |_, _, _| accepts());
        let fee: Balance = 2_000 * MILLI_UNIT / 100;
        for (other, before) in others.iter().zip(before) {
            let is_paid = panels[0].1.contains(other);
            assert_eq!(wealth([other]) - before, if is_paid { fee } else { 0 });
        }
    });
}

/// Returns the operator's record of audits, and the tokens by which its speed was measured.
fn counted(operator: &AccountId) -> (u64, u64) {
    let member = pallet_routing::Members::<Runtime>::get(operator).unwrap();
    let tokens = member.of(&presets::TINY_MODEL).unwrap().work.tokens;
    (pallet_verification::Records::<Runtime>::get(operator), tokens)
}

/// Plays a job of 1,000 tokens with that payment to its end, and returns its operator.
fn play(payment: Payment) -> AccountId {
    let job = create(spec(1, 1_000), payment);
    let operator = deliver(&job, 1_000);
    judge(&job, |_, _, _| accepts());
    operator
}

#[test]
fn job_at_a_price_that_its_operator_alone_asks_counts_for_nothing() {
    on_chain(|| {
        let own = Sr25519Keyring::Alice.to_account_id();
        ask(&own, Prices { input: 0, output: 1 });
        let cost = assay_runtime::Jobs::quote(&presets::TINY_MODEL, 1, 1_000).unwrap().least_cost;
        assert_eq!(play(Payment { down: UNIT, cost, tip: 0 }), own);
        assert_eq!(counted(&own), (0, 0));
    });
}

#[test]
fn job_that_friends_alone_would_run_counts_for_nothing() {
    on_chain(|| {
        let friends: Vec<AccountId> = operators().into_iter().take(5).collect();
        for friend in &friends {
            ask(friend, Prices { input: 0, output: 1 });
        }
        let cost = assay_runtime::Jobs::quote(&presets::TINY_MODEL, 1, 1_000).unwrap().least_cost;
        let operator = play(Payment { down: UNIT, cost, tip: 0 });
        assert!(friends.contains(&operator));
        assert_eq!(counted(&operator), (0, 0));
    });
}

#[test]
fn job_at_the_price_of_the_market_counts() {
    on_chain(|| {
        let operator = play(quoted(&spec(1, 1_000)));
        let (record, tokens) = counted(&operator);
        assert!(record > 0);
        assert_eq!(tokens, 1_000);
    });
}
