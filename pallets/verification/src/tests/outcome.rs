// SPDX-License-Identifier: Apache-2.0
//! What the verdicts add up to, and who gains and loses.

use crate::{mock::*, Offence, Phase, RoundFailure};
use assay_primitives::{
    settlement::{AuditOutcome, Outcome},
    Balance,
};

/// What each verifier that was right earns with an accepted job: a tenth of its price.
const SHARE: Balance = 20 * PRICE / 10;

#[test]
fn three_accepts_pay_the_operator_and_the_verifiers() {
    with_operators(|| {
        let (id, operator, committee) = revealed([accepts(); 3]);
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, committee.clone())]);
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
        assert_eq!(settlement(&id).verifiers, 3);
        for verifier in committee {
            assert_eq!(wealth(verifier), ENDOWMENT + SHARE);
        }
        assert_eq!(wealth(operator), ENDOWMENT + 113 - 3 * SHARE);
        assert_eq!(wealth(CLIENT), ENDOWMENT - 113);
        assert_eq!(slashes(), vec![]);
    });
}

#[test]
fn three_rejects_slash_the_operator_and_compensate_the_client() {
    with_operators(|| {
        let (id, operator, committee) = revealed([rejects(); 3]);
        assert_eq!(conclusions(), vec![(AuditOutcome::Rejected, committee.clone())]);
        assert_eq!(settlement(&id).outcome, Outcome::Slashed);
        for verifier in committee {
            assert_eq!(wealth(verifier), ENDOWMENT + SHARE);
        }
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down - JOB_BOND);
        assert_eq!(wealth(CLIENT), ENDOWMENT + (JOB_BOND - PAYMENT.down - 3 * SHARE) / 2);
    });
}

#[test]
fn liar_among_accepts_loses_its_bond_to_the_operator_by_half() {
    with_operators(|| {
        let issuance = Balances::total_issuance();
        let (_, operator, committee) = revealed([accepts(), rejects(), accepts()]);
        let liar = committee[1];
        assert_eq!(slashes(), vec![(liar, Offence::Contradicted, BOND)]);
        assert_eq!(wealth(liar), ENDOWMENT - BOND);
        assert_eq!(wealth(operator), ENDOWMENT + 113 - 2 * SHARE + BOND / 2);
        assert_eq!(Balances::total_issuance(), issuance - BOND / 2);
        let right = vec![committee[0], committee[2]];
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, right)]);
    });
}

#[test]
fn liar_among_rejects_loses_its_bond_to_the_client_by_half() {
    with_operators(|| {
        let (_, _, committee) = revealed([rejects(), rejects(), accepts()]);
        let liar = committee[2];
        assert_eq!(slashes(), vec![(liar, Offence::Contradicted, BOND)]);
        assert_eq!(wealth(liar), ENDOWMENT - BOND);
        let compensation = (JOB_BOND - PAYMENT.down - 2 * SHARE) / 2;
        assert_eq!(wealth(CLIENT), ENDOWMENT + compensation + BOND / 2);
        assert_eq!(conclusions(), vec![(AuditOutcome::Rejected, committee[..2].to_vec())]);
    });
}

#[test]
fn abstention_costs_and_pays_nothing() {
    with_operators(|| {
        let (_, _, committee) = revealed([accepts(), abstains(), accepts()]);
        assert_eq!(wealth(committee[1]), ENDOWMENT);
        assert_eq!(slashes(), vec![]);
        let right = vec![committee[0], committee[2]];
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, right)]);
    });
}

#[test]
fn split_committee_is_followed_by_another() {
    with_operators(|| {
        let (id, _, committee) = revealed([accepts(), abstains(), rejects()]);
        assert_eq!(failures(), vec![(0, RoundFailure::NoMajority)]);
        assert_eq!(phase(&id), Phase::Drawing { at: now() + 2 });
        assert_eq!(round(&id), 1);
        for verifier in committee {
            assert_eq!(reserved(verifier, &id), 0, "the bonds are free again");
            assert_eq!(wealth(verifier), ENDOWMENT, "nobody is punished without a majority");
        }
        run_blocks(2);
        let second = Verification::committee(&id);
        for verifier in &second {
            commit(*verifier, id, accepts()).unwrap();
        }
        for verifier in &second {
            reveal(*verifier, id, accepts()).unwrap();
        }
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, second)]);
    });
}

#[test]
fn audit_without_a_majority_in_any_round_is_undecided_and_not_paid() {
    with_operators(|| {
        let (id, operator) = delivered();
        for _ in 0..3 {
            run_blocks(2);
            let committee = Verification::committee(&id);
            for verifier in &committee {
                commit(*verifier, id, abstains()).unwrap();
            }
            for verifier in &committee {
                reveal(*verifier, id, abstains()).unwrap();
            }
        }
        let all = RoundFailure::NoMajority;
        assert_eq!(failures(), vec![(0, all), (1, all), (2, all)]);
        assert_eq!(conclusions(), vec![(AuditOutcome::Undecided, vec![])]);
        assert_eq!(settlement(&id).outcome, Outcome::Unverified);
        assert_eq!(settlement(&id).audit, AuditOutcome::Undecided);
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down);
    });
}
