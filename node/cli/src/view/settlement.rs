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
        "fund": planck(settlement.fund),
        "fundAsy": Amount(settlement.fund).decimal(),
        "block": settlement.at,
    })
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
    fn amounts_in_json_are_exact() {
        let json = json(&settlement(Outcome::Paid, AuditOutcome::Accepted));
        assert_eq!(json["paid"], u128::MAX.to_string());
        assert_eq!((&json["burnt"], &json["fund"]), (&"7".into(), &"8".into()));
        assert_eq!(json["verdict"], "accept");
        assert_eq!(json["verifiers"], 3);
    }
}
