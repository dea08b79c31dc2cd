// SPDX-License-Identifier: Apache-2.0
//! The settlement that ended a job.

use super::format::{count, planck};
use crate::{
    amount::Amount,
    out::{Cell, Row},
};
use assay_primitives::{settlement::AuditOutcome, Outcome, Settlement};
use assay_runtime::AccountId;
use serde_json::{json, Value};

/// Returns the committee's verdict in a word.
fn verdict(audit: AuditOutcome) -> &'static str {
    match audit {
        AuditOutcome::NotAudited => "none",
        AuditOutcome::Accepted => "accept",
        AuditOutcome::Rejected => "reject",
        AuditOutcome::Undecided => "undecided",
        AuditOutcome::Withheld => "withheld",
    }
}

/// Returns a settlement as JSON.
pub fn json(settlement: &Settlement<AccountId>) -> Value {
    json!({
        "outcome": settlement.outcome.label(),
        "operator": settlement.operator.as_ref().map(ToString::to_string),
        "verdict": verdict(settlement.audit),
        "verifiers": settlement.verifiers,
        "outputHash": settlement.output_hash,
        "tokens": settlement.tokens,
        "paid": planck(settlement.paid),
        "paidAsy": Amount(settlement.paid).decimal(),
        "refunded": planck(settlement.refunded),
        "refundedAsy": Amount(settlement.refunded).decimal(),
        "slashed": planck(settlement.slashed),
        "slashedAsy": Amount(settlement.slashed).decimal(),
        "burnt": planck(settlement.burnt),
        "burntAsy": Amount(settlement.burnt).decimal(),
        "auditFees": planck(settlement.audit_fees),
        "challenge": settlement.challenge.as_ref().map(|challenge| json!({
            "challenger": challenge.challenger.to_string(),
            "result": challenged(settlement.audit).0,
            "reward": planck(challenge.reward),
        })),
        "fund": planck(settlement.fund),
        "fundAsy": Amount(settlement.fund).decimal(),
        "block": settlement.at,
    })
}

/// Returns the result of a challenge in a word, and its consequence.
fn challenged(audit: AuditOutcome) -> (&'static str, &'static str) {
    match audit {
        AuditOutcome::Rejected => ("right", "the jury found the output wrong; its bond returned"),
        AuditOutcome::Withheld => {
            ("right", "the operator did not show its output; its bond returned")
        }
        AuditOutcome::Accepted => ("wrong", "the jury found the output right; it lost its bond"),
        AuditOutcome::NotAudited | AuditOutcome::Undecided => {
            ("unheard", "no jury could decide; its bond returned, and the job was paid for")
        }
    }
}

/// Returns a settlement as rows for a person.
pub fn rows(settlement: &Settlement<AccountId>) -> Vec<Row> {
    let verifiers = count(settlement.verifiers, "verifier");
    let verdict = match settlement.audit {
        AuditOutcome::Accepted => Cell::good(format!("Accept by {verifiers}")),
        AuditOutcome::Rejected => Cell::bad(format!("Reject by {verifiers}")),
        AuditOutcome::Undecided => Cell::bad("undecided, the output could not be checked"),
        AuditOutcome::Withheld => Cell::bad("withheld, the operator did not show its output"),
        AuditOutcome::NotAudited => "none, the job was not audited".into(),
    };
    let mut rows = vec![("Verdict", verdict)];
    let is_paid = settlement.outcome == Outcome::Paid;
    let paid = match settlement.tokens {
        // A rejected output has tokens, too, and nothing is paid for them.
        tokens if is_paid => format!("{} for {}", Amount(settlement.paid), count(tokens, "token")),
        _ => Amount(settlement.paid).to_string(),
    };
    rows.push(("Paid", paid.into()));
    if settlement.audit_fees > 0 {
        let fees =
            format!("{} of it for the audit that was ordered", Amount(settlement.audit_fees));
        rows.push(("Audit", fees.into()));
    }
    if let Some(challenge) = &settlement.challenge {
        let result = challenged(settlement.audit).1;
        let mut words = format!("by {}: {result}", challenge.challenger);
        if challenge.reward > 0 {
            words = format!("{words}, with a reward of {}", Amount(challenge.reward));
        }
        rows.push(("Challenge", words.into()));
    }
    rows.push(("Refunded", Amount(settlement.refunded).to_string().into()));
    if settlement.slashed > 0 {
        let slashed = format!("{} of the operator's bond", Amount(settlement.slashed));
        rows.push(("Slashed", Cell::bad(slashed)));
    }
    if settlement.burnt > 0 {
        rows.push(("Burnt", Amount(settlement.burnt).to_string().into()));
    }
    if settlement.fund > 0 {
        rows.push(("Fund", format!("{} for juries", Amount(settlement.fund)).into()));
    }
    if let Some(operator) = &settlement.operator {
        rows.push(("Operator", operator.to_string().into()));
    }
    let ended = format!("{:?}, in block {}", settlement.outcome, settlement.at);
    rows.push(("State", if is_paid { Cell::good(ended) } else { Cell::bad(ended) }));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::Challenge;

    fn settlement(outcome: Outcome, audit: AuditOutcome) -> Settlement<AccountId> {
        Settlement {
            outcome,
            operator: None,
            audit,
            verifiers: 3,
            output_hash: None,
            tokens: 2,
            paid: u128::MAX,
            refunded: 0,
            slashed: 0,
            burnt: 7,
            fund: 8,
            audit_fees: 0,
            challenge: None,
            at: 9,
        }
    }

    #[test]
    fn verdict_of_an_undecided_audit_names_no_verifiers() {
        let undecided = settlement(Outcome::Unverified, AuditOutcome::Undecided);
        let rows = rows(&Settlement { verifiers: 0, ..undecided });
        let (_, verdict) = rows.iter().find(|(name, _)| *name == "Verdict").unwrap();
        assert_eq!(verdict.text(), "undecided, the output could not be checked");
    }

    #[test]
    fn payment_names_tokens_only_where_they_were_paid_for() {
        let paid = |outcome, audit| {
            let rows = rows(&Settlement { paid: 0, ..settlement(outcome, audit) });
            let (_, paid) = rows.iter().find(|(name, _)| *name == "Paid").unwrap();
            paid.text().to_owned()
        };
        assert_eq!(paid(Outcome::Paid, AuditOutcome::Accepted), "0 ASY for 2 tokens");
        assert_eq!(paid(Outcome::Slashed, AuditOutcome::Rejected), "0 ASY");
    }

    #[test]
    fn challenge_says_what_became_of_its_bond() {
        let words = |audit, reward| {
            let challenger = AccountId::new([1; 32]);
            let challenge = Some(Challenge { challenger, reward });
            let settled = Settlement { challenge, ..settlement(Outcome::Paid, audit) };
            assert_eq!(json(&settled)["challenge"]["result"], challenged(audit).0);
            let rows = rows(&settled);
            let (_, words) = rows.iter().find(|(name, _)| *name == "Challenge").unwrap();
            words.text().to_owned()
        };
        assert!(words(AuditOutcome::Accepted, 0).ends_with("it lost its bond"));
        assert!(words(AuditOutcome::Rejected, 5).contains("its bond returned, with a reward of"));
        assert!(words(AuditOutcome::NotAudited, 0).contains("no jury could decide"));
    }

    #[test]
    fn amounts_in_json_are_exact() {
        let json = json(&settlement(Outcome::Paid, AuditOutcome::Accepted));
        assert_eq!(json["paid"], u128::MAX.to_string());
        assert_eq!((&json["burnt"], &json["fund"]), (&"7".into(), &"8".into()));
        assert_eq!(json["verdict"], "accept");
        assert_eq!(json["verifiers"], 3);
    }
}
