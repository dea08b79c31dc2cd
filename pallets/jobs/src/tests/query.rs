// SPDX-License-Identifier: Apache-2.0
//! The queries of nodes, clients and dApps.

use crate::mock::*;
use assay_primitives::{
    api::{Quote, QuoteError, MAX_PAGE},
    job::{JobState, Payment},
    JobId,
};
use frame_support::assert_ok;
use std::collections::BTreeSet;

#[test]
fn quote_is_what_create_takes_and_holds() {
    with_jobs(|| {
        let quote = Jobs::quote(&model(1), 10, 20).unwrap();
        let payment = Payment { down: 0, cost: 100, tip: 0 };
        let verifiers = quote.verifiers;
        assert_eq!(
            quote,
            Quote {
                verifiers,
                prices: PRICES,
                payment,
                least_cost: 100,
                bounty: BOUNTY,
                deposit: 0,
                total: 107,
                tokens_per_block: 1_000,
                shortest_deadline: 5,
                routed_deadline: 6,
                audit: 30,
            }
        );
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
    });
}

#[test]
fn jobs_of_a_client_come_in_pages() {
    with_jobs(|| {
        let ordered: BTreeSet<_> = (0..5).map(|_| order()).collect();
        let all = Jobs::jobs_of(&CLIENT, None, 9);
        assert_eq!(all.iter().copied().collect::<BTreeSet<_>>(), ordered);
        let mut paged = vec![];
        loop {
            let page = Jobs::jobs_of(&CLIENT, paged.last(), 2);
            let is_last = page.len() < 2;
            paged.extend(page);
            if is_last {
                break;
            }
        }
        assert_eq!(paged, all);
        assert!(Jobs::jobs_of(&CLIENT, all.last(), 9).is_empty());
        // A job that is gone still says where the next page begins.
        crate::JobsOf::<Test>::remove(CLIENT, all[1]);
        assert_eq!(Jobs::jobs_of(&CLIENT, Some(&all[1]), 9), all[2..]);
        crate::JobsOf::<Test>::insert(CLIENT, all[1], ());
    });
}

#[test]
fn page_has_a_limit_of_its_own() {
    with_jobs(|| {
        for n in 0..=MAX_PAGE {
            crate::JobsOf::<Test>::insert(99, JobId::from_low_u64_be(n.into()), ());
        }
        assert_eq!(Jobs::jobs_of(&99, None, u32::MAX).len(), MAX_PAGE as usize);
        let _ = crate::JobsOf::<Test>::clear_prefix(99, u32::MAX, None);
    });
}

#[test]
fn prompts_are_those_of_the_jobs_that_exist() {
    with_jobs(|| {
        let id = order();
        let expected = vec![(id, spec::<AccountId>().request_hash)];
        assert_eq!(Jobs::requests([JobId::zero(), id]), expected);
    });
}
