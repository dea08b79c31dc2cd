// SPDX-License-Identifier: Apache-2.0
//! What nodes, clients and dApps read.

use crate::mock::*;
use assay_primitives::{
    api::{Quote, QuoteError},
    job::{JobState, Payment},
    JobId,
};
use frame_support::assert_ok;

#[test]
fn quote_is_what_create_takes_and_holds() {
    with_jobs(|| {
        let quote = Jobs::quote(&model(1), 10, 20).unwrap();
        let payment = Payment { down: 0, cost: 100, tip: 0 };
        assert_eq!(quote, Quote { price: PRICE, payment, bounty: BOUNTY, total: 107 });
        order_with(CLIENT, spec(), quote.payment);
        assert_eq!(Balances::reserved_balance(CLIENT), quote.total);
    });
}

#[test]
fn quote_says_why_there_is_none() {
    with_jobs(|| {
        assert_eq!(Jobs::quote(&model(9), 10, 20), Err(QuoteError::ModelNotServed));
        assert_eq!(
            Jobs::quote(&model(1), 190, 20),
            Err(QuoteError::ContextExceeded { context: CONTEXT })
        );
        assert_eq!(
            Jobs::quote(&model(1), u32::MAX, u32::MAX),
            Err(QuoteError::ContextExceeded { context: CONTEXT })
        );
        assert_eq!(Jobs::quote(&model(1), 10, 0), Err(QuoteError::MaxTokensZero));
        assert_eq!(Jobs::quote(&model(1), 0, 10), Err(QuoteError::InputEmpty));
    });
}

#[test]
fn view_shows_the_payment_after_the_end_too() {
    with_jobs(|| {
        let id = order();
        assert_ok!(Jobs::cancel(signed(CLIENT), id));
        let view = Jobs::view(&id).unwrap();
        assert_eq!((view.client, view.payment, view.attempts), (CLIENT, PAYMENT, 0));
        assert!(matches!(view.state, JobState::Settled(_)));
        assert_eq!(Jobs::view(&JobId::zero()), None);
    });
}

#[test]
fn live_leaves_out_settled_and_unknown_jobs() {
    with_jobs(|| {
        let (cancelled, open) = (order(), order());
        assert_ok!(Jobs::cancel(signed(CLIENT), cancelled));
        assert_eq!(Jobs::live(vec![cancelled, open, JobId::zero()]), vec![open]);
        let mut all = Jobs::jobs_of(&CLIENT);
        all.sort();
        let mut both = vec![cancelled, open];
        both.sort();
        assert_eq!(all, both);
    });
}
