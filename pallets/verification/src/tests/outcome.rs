// SPDX-License-Identifier: Apache-2.0
//! The outcomes of committees' verdicts, with the gains and losses.

use crate::{mock::*, Phase, Stage};
use assay_primitives::settlement::{AuditOutcome, Outcome};

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
fn anything_but_three_accepts_calls_a_jury() {
    for other in [rejects(), abstains()] {
        for verdicts in [[accepts(), other, accepts()], [other, other, accepts()], [other; 3]] {
            with_operators(|| {
                let (id, _, committee) = revealed(verdicts);
                let audit = audit(&id);
                assert_eq!(audit.stage, Stage::Jury);
                assert_eq!(audit.phase, Phase::Drawing { at: now() + 2 });
                assert!(audit.seats.is_empty());
                let voted = committee.iter().zip(verdicts).filter(|(_, said)| *said != abstains());
                let voted: Vec<_> = voted.map(|(verifier, _)| *verifier).collect();
                let heard: Vec<_> = audit.heard.iter().map(|seat| seat.verifier).collect();
                assert_eq!(heard, voted, "the bonds of those that voted stay reserved");
                assert_eq!(slashes(), vec![], "nobody is punished before the jury decides");
            });
        }
    }
}

#[test]
fn unavailable_pays_nothing_and_costs_nothing() {
    for outcome in [accepts(), rejects()] {
        with_operators(|| {
            let (id, _, committee, _) = appealed([outcome, abstains(), outcome]);
            assert_eq!(reserved(committee[1], &id), 0, "its bond is free");
            judge(id, |_| outcome);
            assert!(is_over(&id));
            assert_eq!(wealth(committee[1]), ENDOWMENT);
            assert_eq!(slashes(), vec![]);
        });
    }
}
