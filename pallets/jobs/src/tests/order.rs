// SPDX-License-Identifier: Apache-2.0
//! The client's calls.

use crate::{mock::*, Error, Event, JobNonce, Jobs as Stored};
use assay_primitives::{
    job::{job_id, JobSpec, JobState, Payment, Privacy},
    settlement::Outcome,
    Balance, Prices,
};
use frame_support::{assert_noop, assert_ok, BoundedVec};

/// Changes one thing about a good order and expects it to be refused for that.
fn refused(change: impl FnOnce(&mut JobSpec<AccountId>, &mut Payment), error: Error<Test>) {
    with_jobs(|| {
        let (mut spec, mut payment) = (spec(), PAYMENT);
        change(&mut spec, &mut payment);
        assert_noop!(Jobs::create(signed(CLIENT), spec, payment), error);
    });
}

#[test]
fn create_holds_the_payment_and_opens_the_job() {
    with_jobs(|| {
        let id = order();
        assert_eq!(state(&id), JobState::Open { until: 21 });
        assert_eq!(Balances::reserved_balance(CLIENT), 113 + BOUNTY);
        assert_eq!(wealth(CLIENT), ENDOWMENT);
        assert_eq!(
            last_event(),
            Event::JobCreated { job: id, client: CLIENT, payment: PAYMENT, until: 21 }
        );
        assert_eq!(Jobs::jobs_of(&CLIENT, None, 9), vec![id]);
    });
}

#[test]
fn create_names_the_job_by_genesis_client_nonce_and_spec() {
    with_jobs(|| {
        let first = order();
        let second = order();
        assert_eq!(first, job_id(&System::block_hash(0), &CLIENT, 0, &spec()));
        assert_eq!(second, job_id(&System::block_hash(0), &CLIENT, 1, &spec()));
        assert_eq!(JobNonce::<Test>::get(CLIENT), 2);
        assert_ne!(Jobs::next_job_id(&OTHER_CLIENT, &spec()), first);
    });
}

#[test]
fn create_waits_for_the_timelock() {
    with_jobs(|| {
        let id = order_with(CLIENT, JobSpec { not_before: 10, ..spec() }, PAYMENT);
        assert_eq!(state(&id), JobState::Open { until: 30 });
        run_to(9);
        assert_eq!(state(&id), JobState::Open { until: 30 });
        run_to(10);
        assert!(matches!(state(&id), JobState::Assigned { .. }));
    });
}

#[test]
fn create_refuses_no_tokens() {
    refused(|spec, _| spec.max_tokens = 0, Error::MaxTokensZero);
}

#[test]
fn create_refuses_too_many_tokens() {
    refused(|spec, _| spec.max_tokens = 1_001, Error::MaxTokensTooHigh);
}

#[test]
fn create_refuses_an_empty_prompt() {
    refused(|spec, _| spec.input_tokens = 0, Error::InputEmpty);
}

#[test]
fn create_refuses_a_prompt_that_is_too_long() {
    refused(|spec, _| spec.input_tokens = 1_001, Error::InputTooLong);
}

#[test]
fn create_refuses_sampling_out_of_range() {
    refused(|spec, _| spec.sampling.top_p = 0, Error::SamplingOutOfRange);
}

#[test]
fn create_refuses_a_deadline_out_of_range() {
    refused(|spec, _| spec.deadline = 4, Error::DeadlineOutOfRange);
    refused(|spec, _| spec.deadline = 101, Error::DeadlineOutOfRange);
}

#[test]
fn create_refuses_a_timelock_too_far_ahead() {
    refused(|spec, _| spec.not_before = 52, Error::NotBeforeTooFar);
}

#[test]
fn create_refuses_sealed_jobs() {
    refused(|spec, _| spec.privacy = Privacy::Sealed, Error::SealedNotAvailable);
    refused(|spec, _| spec.output_key = Some([1; 32]), Error::SealedNotAvailable);
}

#[test]
fn create_refuses_a_peer_id_that_is_none() {
    let peers: [&[u8]; 4] = [&[0x12], &[0x12, 3, 1, 1], &[0x13, 2, 1, 1], &[0x00, 0]];
    for peer in peers {
        refused(
            |spec, _| spec.peer = BoundedVec::truncate_from(peer.to_vec()),
            Error::PeerIdMalformed,
        );
    }
}

#[test]
fn create_takes_the_peer_ids_of_libp2p() {
    with_jobs(|| {
        let mut identity = vec![0x00, 36];
        identity.extend([7; 36]);
        let mut sha256 = vec![0x12, 32];
        sha256.extend([7; 32]);
        for peer in [identity, sha256] {
            let peer = BoundedVec::truncate_from(peer);
            assert_ok!(Jobs::create(signed(CLIENT), JobSpec { peer, ..spec() }, PAYMENT));
        }
    });
}

#[test]
fn create_refuses_a_model_that_nobody_serves() {
    refused(|spec, _| spec.model = model(2), Error::ModelNotServed);
}

#[test]
fn create_refuses_more_than_the_longest_context() {
    refused(|spec, _| spec.input_tokens = CONTEXT - 19, Error::ContextExceeded);
    with_jobs(|| {
        let spec = JobSpec { input_tokens: CONTEXT - 20, ..spec() };
        assert_ok!(Jobs::create(signed(CLIENT), spec, PAYMENT));
    });
}

#[test]
fn create_refuses_a_cost_that_no_offer_meets() {
    refused(|_, payment| payment.cost = 99, Error::CostBelowOffers);
    with_jobs(|| {
        serve::<Test>(NEWCOMER, model(1), PRICE - 1, CONTEXT, STAKE);
        let payment = Payment { cost: 80, ..PAYMENT };
        assert_ok!(Jobs::create(signed(CLIENT), spec(), payment));
        let payment = Payment { cost: 79, ..PAYMENT };
        assert_noop!(Jobs::create(signed(CLIENT), spec(), payment), Error::<Test>::CostBelowOffers);
    });
}

#[test]
fn create_refuses_a_payment_beyond_what_a_balance_can_be() {
    refused(|_, payment| payment.tip = Balance::MAX, Error::PaymentOverflow);
    refused(|_, payment| payment.tip = Balance::MAX - 110 - BOUNTY + 1, Error::PaymentOverflow);
    let with_deposit = |_: &mut _, payment: &mut Payment| {
        Deposit::set(30);
        payment.tip = Balance::MAX - 110 - BOUNTY - 30 + 1;
    };
    refused(with_deposit, Error::PaymentOverflow);
}

#[test]
fn create_refuses_a_payment_that_the_client_does_not_have() {
    with_jobs(|| {
        let payment = Payment { cost: ENDOWMENT, ..PAYMENT };
        assert_noop!(
            Jobs::create(signed(CLIENT), spec(), payment),
            pallet_escrow::Error::<Test>::BalanceTooLow
        );
    });
}

#[test]
fn create_refuses_a_client_out_of_nonces() {
    with_jobs(|| {
        JobNonce::<Test>::insert(CLIENT, u64::MAX);
        assert_noop!(Jobs::create(signed(CLIENT), spec(), PAYMENT), Error::<Test>::NonceExhausted);
    });
}

#[test]
fn raise_payment_adds_to_each_part() {
    with_jobs(|| {
        let id = order();
        let more = Payment { down: 1, cost: 2, tip: 3 };
        assert_ok!(Jobs::raise_payment(signed(CLIENT), id, more));
        let payment = Payment { down: 11, cost: 102, tip: 6 };
        assert_eq!(job(&id).payment, payment);
        assert_eq!(Balances::reserved_balance(CLIENT), 119 + BOUNTY);
        assert_eq!(last_event(), Event::PaymentRaised { job: id, payment });
    });
}

#[test]
fn raise_payment_finds_an_operator_for_a_job_that_paid_too_little() {
    with_jobs(|| {
        let id = order();
        ask(Prices { input: 0, output: PRICE + 1 });
        run_blocks(3);
        assert!(matches!(state(&id), JobState::Open { .. }));
        assert_ok!(Jobs::raise_payment(signed(CLIENT), id, Payment { cost: 20, ..<_>::default() }));
        run_blocks(1);
        assert!(matches!(state(&id), JobState::Assigned { .. }));
    });
}

#[test]
fn raise_payment_refuses_an_assigned_job() {
    with_jobs(|| {
        let (id, _) = assigned();
        assert_noop!(Jobs::raise_payment(signed(CLIENT), id, PAYMENT), Error::<Test>::JobNotOpen);
    });
}

#[test]
fn raise_payment_refuses_overflow() {
    with_jobs(|| {
        Deposit::set(30);
        let id = order();
        for more in [
            Payment { down: Balance::MAX, ..<_>::default() },
            Payment { tip: Balance::MAX - 113 - BOUNTY - 30 + 1, ..<_>::default() },
        ] {
            assert_noop!(
                Jobs::raise_payment(signed(CLIENT), id, more),
                Error::<Test>::PaymentOverflow
            );
        }
    });
}

#[test]
fn raise_payment_refuses_strangers_and_unknown_jobs() {
    with_jobs(|| {
        let id = order();
        assert_noop!(
            Jobs::raise_payment(signed(OTHER_CLIENT), id, PAYMENT),
            Error::<Test>::NotTheClient
        );
        assert_noop!(
            Jobs::raise_payment(signed(CLIENT), Default::default(), PAYMENT),
            Error::<Test>::JobNotFound
        );
    });
}

#[test]
fn cancel_refunds_everything() {
    with_jobs(|| {
        let id = order();
        assert_ok!(Jobs::cancel(signed(CLIENT), id));
        let settlement = settlement(&id);
        assert_eq!(settlement.outcome, Outcome::Cancelled);
        assert_eq!(settlement.operator, None);
        assert_eq!((settlement.paid, settlement.refunded), (0, 113 + BOUNTY));
        assert_eq!(Balances::reserved_balance(CLIENT), 0);
        assert_eq!(last_event(), Event::JobSettled { job: id, settlement });
        run_blocks(2);
        assert!(Stored::<Test>::contains_key(id), "an entry for the draw does nothing any more");
    });
}

#[test]
fn cancel_refuses_an_assigned_job() {
    with_jobs(|| {
        let (id, _) = assigned();
        assert_noop!(Jobs::cancel(signed(CLIENT), id), Error::<Test>::JobNotOpen);
    });
}

#[test]
fn cancel_refuses_strangers() {
    with_jobs(|| {
        let id = order();
        assert_noop!(Jobs::cancel(signed(KEEPER), id), Error::<Test>::NotTheClient);
    });
}
