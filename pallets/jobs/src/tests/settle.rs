// SPDX-License-Identifier: Apache-2.0
//! The money of each party at the ends of jobs.

use crate::{mock::*, Error, Event};
use assay_primitives::{
    job::{JobId, JobSpec, JobState, Payment},
    report::Report,
    settlement::{AuditOutcome, Outcome, Settlement},
    traits::AuditedJobs,
    Balance,
};
use frame_support::{assert_noop, assert_ok};

/// A delivered job of 10 tokens that is not audited, with its operator.
fn waived() -> (JobId, AccountId) {
    let (id, operator) = delivered(10);
    Jobs::conclude(&id, AuditOutcome::NotAudited, &[], 0, 0);
    (id, operator)
}

/// The amount on hold for [`order`].
const HELD: Balance = 113 + BOUNTY;

#[test]
fn confirm_received_pays_for_the_tokens_delivered() {
    with_jobs(|| {
        let (id, operator) = waived();
        assert_ok!(Jobs::confirm_received(signed(CLIENT), id));
        let paid = PAYMENT.down + 10 * PRICE + PAYMENT.tip;
        assert_eq!(
            settlement(&id),
            Settlement {
                outcome: Outcome::Paid,
                operator: Some(operator),
                audit: AuditOutcome::NotAudited,
                verifiers: 0,
                output_hash: Some(OUTPUT_HASH),
                tokens: 10,
                paid,
                audit_fees: 0,
                challenge: None,
                refunded: HELD - paid,
                slashed: 0,
                burnt: 0,
                fund: 0,
                at: now(),
            }
        );
        assert_eq!(wealth(operator), ENDOWMENT + paid);
        assert_eq!(wealth(CLIENT), ENDOWMENT - paid);
        assert_eq!(reserved(operator, &id), 0);
        assert!(Accepted::get().is_empty() && Faults::get().is_empty(), "nobody has judged it");
        assert_eq!(last_event(), Event::JobSettled { job: id, settlement: settlement(&id) });
    });
}

#[test]
fn pay_of_a_job_is_shared_with_delegators_down_payment_and_all() {
    with_jobs(|| {
        let delegation = |who, operator| {
            let all = Operators::delegations(&who);
            all.into_iter().find(|next| next.operator == operator).map(|next| next.worth)
        };
        for operator in OPERATORS {
            Operators::delegate(signed(NEWCOMER), operator, 3 * STAKE).unwrap();
        }
        let (id, operator) = waived();
        let down = PAYMENT.down - PAYMENT.down * 3 / 4;
        assert_eq!(wealth(operator), ENDOWMENT + down);
        assert_ok!(Jobs::confirm_received(signed(CLIENT), id));
        let pay = 10 * PRICE + PAYMENT.tip;
        let shared = PAYMENT.down * 3 / 4 + pay * 3 / 4;
        assert_eq!(delegation(NEWCOMER, operator), Some(3 * STAKE + shared));
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down + pay - shared);
        assert_eq!(settlement(&id).paid, PAYMENT.down + pay);
    });
}

#[test]
fn slash_of_a_job_costs_delegators_nothing() {
    with_jobs(|| {
        for operator in OPERATORS {
            Operators::delegate(signed(NEWCOMER), operator, STAKE).unwrap();
        }
        let (id, operator) = delivered(10);
        let before = wealth(operator);
        let vault = Balances::reserved_balance(Operators::vault());
        Jobs::conclude(&id, AuditOutcome::Rejected, &[], 0, 0);
        assert_eq!(settlement(&id).slashed, bond_of(10));
        assert_eq!(before - wealth(operator), bond_of(10));
        assert_eq!(Balances::reserved_balance(Operators::vault()), vault);
    });
}

/// An operator that lives on what others have delegated, with a client of its own.
#[test]
fn operator_gains_nothing_from_its_delegators_by_failing_its_own_client() {
    with_jobs(|| {
        let operator = OPERATORS[0];
        Operators::delegate(signed(NEWCOMER), operator, 4 * STAKE).unwrap();
        Operators::set_commission(signed(operator), sp_runtime::Perbill::from_percent(10)).unwrap();
        let both = wealth(operator) + wealth(CLIENT);
        let vault = Balances::reserved_balance(Operators::vault());
        for down in [0, 500] {
            let allowed = frame_support::BoundedVec::truncate_from(vec![operator]);
            let spec = JobSpec { allowed, ..spec() };
            let id = order_with(CLIENT, spec, Payment { down, ..PAYMENT });
            skip_block();
            report(operator, Report::Accept { job: id }).unwrap();
            run_blocks(60);
            assert!(matches!(state(&id), JobState::Settled(_)));
        }
        assert!(Balances::reserved_balance(Operators::vault()) >= vault);
        assert!(wealth(operator) + wealth(CLIENT) < both, "it costs them the fine");
    });
}

#[test]
fn confirm_received_refuses_while_an_audit_is_open() {
    with_jobs(|| {
        let (id, _) = delivered(10);
        assert_noop!(Jobs::confirm_received(signed(CLIENT), id), Error::<Test>::AuditOpen);
    });
}

#[test]
fn confirm_received_refuses_other_states_and_strangers() {
    with_jobs(|| {
        let (id, operator) = running();
        assert_noop!(Jobs::confirm_received(signed(CLIENT), id), Error::<Test>::JobNotDelivered);
        assert_noop!(Jobs::confirm_received(signed(operator), id), Error::<Test>::NotTheClient);
    });
}

#[test]
fn settle_pays_after_the_challenge_window_and_rewards_the_caller() {
    with_jobs(|| {
        let (id, operator) = waived();
        skip_to(now() + 10);
        assert_noop!(Jobs::settle(signed(KEEPER), id), Error::<Test>::NotDue);
        // The chain does it in this block, if there is room.
        skip_block();
        assert_noop!(Jobs::settle(signed(KEEPER), id), Error::<Test>::NotDue);
        skip_block();
        assert_ok!(Jobs::settle(signed(KEEPER), id));
        let paid = PAYMENT.down + 10 * PRICE + PAYMENT.tip;
        let settlement = settlement(&id);
        assert_eq!(settlement.outcome, Outcome::Paid);
        assert_eq!((settlement.paid, settlement.refunded), (paid + BOUNTY, HELD - paid - BOUNTY));
        assert_eq!(wealth(KEEPER), ENDOWMENT + BOUNTY);
        assert_eq!(wealth(operator), ENDOWMENT + paid);
    });
}

#[test]
fn settle_by_the_client_returns_the_bounty() {
    with_jobs(|| {
        let (id, _) = waived();
        skip_to(now() + 12);
        assert_ok!(Jobs::settle(signed(CLIENT), id));
        let paid = PAYMENT.down + 10 * PRICE + PAYMENT.tip;
        assert_eq!(settlement(&id).paid, paid);
        assert_eq!(wealth(CLIENT), ENDOWMENT - paid);
    });
}

#[test]
fn settle_refuses_other_states_and_open_audits() {
    with_jobs(|| {
        assert_noop!(Jobs::settle(signed(KEEPER), JobId::zero()), Error::<Test>::JobNotFound);
        let (id, operator) = running();
        assert_noop!(Jobs::settle(signed(KEEPER), id), Error::<Test>::JobNotDelivered);
        let commitment = commitment(10);
        assert_ok!(report(operator, Report::CommitOutput { job: id, commitment }));
        skip_to(now() + 30);
        assert_noop!(Jobs::settle(signed(KEEPER), id), Error::<Test>::AuditOpen);
    });
}

#[test]
fn accepted_audit_pays_the_verifiers_out_of_the_price() {
    with_jobs(|| {
        let (id, operator) = delivered(10);
        let verifiers: Vec<_> =
            OPERATORS.into_iter().filter(|other| *other != operator).take(2).collect();
        Jobs::conclude(&id, AuditOutcome::Accepted, &verifiers, 0, 0);
        let share = PRICE; // A tenth of ten tokens.
        for verifier in &verifiers {
            assert_eq!(wealth(*verifier), ENDOWMENT + share);
        }
        let paid = PAYMENT.down + 10 * PRICE + PAYMENT.tip;
        assert_eq!(wealth(operator), ENDOWMENT + paid - 2 * share);
        let settlement = settlement(&id);
        assert_eq!(settlement.outcome, Outcome::Paid);
        assert_eq!(settlement.audit, AuditOutcome::Accepted);
        assert_eq!((settlement.verifiers, settlement.tokens), (2, 10));
        assert_eq!((settlement.paid, settlement.refunded), (paid, HELD - paid));
        assert_eq!(wealth(CLIENT), ENDOWMENT - paid);
    });
}

#[test]
fn undecided_audit_refunds_all_but_the_down_payment_and_is_no_fault() {
    with_jobs(|| {
        let (id, operator) = delivered(20);
        Jobs::conclude(&id, AuditOutcome::Undecided, &[], 0, 0);
        let settlement = settlement(&id);
        assert_eq!(settlement.outcome, Outcome::Unverified);
        assert_eq!(settlement.audit, AuditOutcome::Undecided);
        assert_eq!((settlement.paid, settlement.refunded), (PAYMENT.down, HELD - PAYMENT.down));
        assert_eq!((settlement.slashed, settlement.tokens), (0, 20));
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down);
        assert_eq!(wealth(CLIENT), ENDOWMENT - PAYMENT.down);
        assert_eq!(reserved(operator, &id), 0, "its bond is free");
        assert!(Accepted::get().is_empty() && Faults::get().is_empty(), "nobody could judge it");
    });
}

#[test]
fn rejected_audit_takes_the_whole_bond() {
    with_jobs(|| {
        let (id, operator) = delivered(10);
        let issuance = Balances::total_issuance();
        let verifiers: Vec<_> = OPERATORS.into_iter().filter(|other| *other != operator).collect();
        Jobs::conclude(&id, AuditOutcome::Rejected, &verifiers, 0, 0);
        let share = 10 * PRICE / 10;
        let rest = bond_of(10) - PAYMENT.down - 3 * share;
        // The client would have paid as much.
        let compensation = PAYMENT.down + 10 * PRICE + PAYMENT.tip;
        for verifier in verifiers {
            assert_eq!(wealth(verifier), ENDOWMENT + share);
        }
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down - bond_of(10));
        assert_eq!(wealth(CLIENT), ENDOWMENT + compensation);
        assert_eq!(Balances::total_issuance(), issuance - (rest - compensation));
        assert_eq!(
            settlement(&id),
            Settlement {
                outcome: Outcome::Slashed,
                operator: Some(operator),
                audit: AuditOutcome::Rejected,
                verifiers: 3,
                output_hash: Some(OUTPUT_HASH),
                tokens: 10,
                paid: PAYMENT.down,
                audit_fees: 0,
                challenge: None,
                refunded: HELD + compensation,
                slashed: bond_of(10),
                burnt: rest - compensation,
                fund: 0,
                at: now(),
            }
        );
        assert_eq!(Faults::get(), vec![operator]);
        assert_eq!(reserved(operator, &id), 0);
    });
}

#[test]
fn late_operator_returns_the_down_payment_and_is_fined() {
    with_jobs(|| {
        let (id, operator) = running();
        spend_attempts(&id);
        let issuance = Balances::total_issuance();
        skip_to(now() + 22);
        assert_ok!(Jobs::expire(signed(KEEPER), id));
        let fine = BOND / 10;
        assert_eq!(wealth(operator), ENDOWMENT - fine);
        assert_eq!(wealth(CLIENT), ENDOWMENT - BOUNTY);
        assert_eq!(wealth(KEEPER), ENDOWMENT + BOUNTY);
        assert_eq!(Balances::total_issuance(), issuance - fine);
        let settlement = settlement(&id);
        assert_eq!(settlement.outcome, Outcome::Refunded);
        assert_eq!(settlement.paid, PAYMENT.down + BOUNTY);
        assert_eq!(settlement.refunded, HELD - BOUNTY);
        assert_eq!(settlement.slashed, PAYMENT.down + fine);
        assert_eq!(Faults::get(), vec![operator]);
        assert_eq!(reserved(operator, &id), 0);
    });
}

#[test]
fn rejected_job_compensates_the_client_with_at_most_half_of_the_fine() {
    with_jobs(|| {
        BondFactor::set(1);
        let (id, operator) = delivered(10);
        Jobs::conclude(&id, AuditOutcome::Rejected, &[], 0, 0);
        let rest = 10 * PRICE + PAYMENT.tip;
        assert_eq!(wealth(operator), ENDOWMENT - rest);
        assert_eq!(wealth(CLIENT), ENDOWMENT + rest / 2);
        BondFactor::set(20);
    });
}

#[test]
fn late_operator_without_down_payment_is_fined_all_the_same() {
    with_jobs(|| {
        let payment = Payment { down: 0, ..PAYMENT };
        let id = order_with(CLIENT, spec(), payment);
        run_blocks(1);
        let JobState::Assigned { operator, .. } = state(&id) else { panic!() };
        assert_ok!(report(operator, Report::Accept { job: id }));
        spend_attempts(&id);
        run_blocks(22);
        assert_eq!(settlement(&id).slashed, 206);
    });
}

#[test]
fn withheld_output_takes_the_whole_bond_and_pays_no_verifier() {
    with_jobs(|| {
        let (id, operator) = delivered(10);
        Jobs::conclude(&id, AuditOutcome::Withheld, &[], 0, 0);
        let settlement = settlement(&id);
        assert_eq!(settlement.outcome, Outcome::Slashed);
        assert_eq!((settlement.audit, settlement.verifiers), (AuditOutcome::Withheld, 0));
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down - bond_of(10));
        // The client would have paid as much.
        let compensation = PAYMENT.down + 10 * PRICE + PAYMENT.tip;
        assert_eq!(wealth(CLIENT), ENDOWMENT + compensation);
        assert_eq!(Faults::get(), vec![operator]);
    });
}

#[test]
fn accepted_audit_counts_with_what_was_paid_only_if_the_job_was_drawn_among_all() {
    with_jobs(|| {
        let (id, operator) = delivered(10);
        Jobs::conclude(&id, AuditOutcome::Accepted, &[], 0, 0);
        let paid = settlement(&id).paid;
        assert_eq!(paid, PAYMENT.down + 10 * PRICE + PAYMENT.tip);
        assert_eq!(Accepted::take(), vec![(operator, paid)]);
        let allowed = vec![operator].try_into().unwrap();
        let id = order_with(CLIENT, JobSpec { allowed, ..spec() }, PAYMENT);
        skip_block();
        assert_ok!(report(operator, Report::Accept { job: id }));
        let output = Report::CommitOutput { job: id, commitment: commitment(10) };
        assert_ok!(report(operator, output));
        Jobs::conclude(&id, AuditOutcome::Accepted, &[], 0, 0);
        assert_eq!(settlement(&id).paid, paid);
        assert!(Accepted::get().is_empty() && Faults::get().is_empty());
    });
}

#[test]
fn forfeited_fees_leave_the_pay_of_the_operator_and_go_to_the_fund() {
    let play = |forfeited: u32, most: Balance| {
        with_jobs(|| {
            FundMost::set(most);
            let (id, operator) = delivered(20);
            Jobs::conclude(&id, AuditOutcome::Accepted, &[], 0, forfeited);
            let Settlement { paid, fund, burnt, refunded, .. } = settlement(&id);
            assert_eq!(wealth(operator) + fund + burnt, ENDOWMENT + paid);
            FundMost::set(0);
            ([paid, fund, burnt, refunded], wealth(operator) - ENDOWMENT)
        })
    };
    let [paid, _, _, refunded] = play(0, 1_000).0;
    // Each fee is a tenth of the price of 100. Whatever forfeits, the client pays the same.
    assert_eq!(play(0, 1_000), ([paid, 0, 0, refunded], 113));
    assert_eq!(play(2, 1_000), ([paid, 20, 0, refunded], 93));
    assert_eq!(play(2, 15), ([paid, 15, 5, refunded], 93));
    assert_eq!(play(2, 0), ([paid, 0, 20, refunded], 93));
}
