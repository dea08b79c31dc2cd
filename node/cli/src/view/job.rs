// SPDX-License-Identifier: Apache-2.0
//! Jobs.

use super::{count, planck, short};
use crate::{
    amount::Amount,
    exit::Exit,
    out::{toned, Tone},
};
use assay_primitives::{
    api::JobView, job::Sampling, settlement::AuditOutcome, JobId, JobState, Outcome, Settlement,
};
use assay_runtime::AccountId;
use serde_json::{json, Map, Value};

/// The state in a word.
pub fn state(state: &JobState<AccountId>) -> &'static str {
    match state {
        JobState::Open { .. } => "open",
        JobState::Assigned { .. } => "assigned",
        JobState::Running { .. } => "running",
        JobState::Delivered { .. } => "delivered",
        JobState::Settled(_) => "settled",
    }
}

/// How it ended, in a word.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Paid => "paid",
        Outcome::Refunded => "refunded",
        Outcome::Slashed => "slashed",
        Outcome::Expired => "expired",
        Outcome::Cancelled => "cancelled",
    }
}

/// What the committee found, in a word.
pub fn verdict(audit: AuditOutcome) -> &'static str {
    match audit {
        AuditOutcome::NotAudited => "none",
        AuditOutcome::Accepted => "accept",
        AuditOutcome::Rejected => "reject",
        AuditOutcome::Undecided => "undecided",
    }
}

/// What is being waited for.
pub fn waiting(state: &JobState<AccountId>) -> String {
    match state {
        JobState::Open { .. } => "waiting for an operator".into(),
        JobState::Assigned { operator, .. } => {
            format!("waiting for operator {} to accept", short(&operator.to_string()))
        }
        JobState::Running { operator, .. } => {
            format!("operator {} generates", short(&operator.to_string()))
        }
        JobState::Delivered { audit: true, .. } => "verifiers re-check the answer".into(),
        JobState::Delivered { audit: false, until, .. } => {
            format!("not drawn for an audit; paid after block {until}")
        }
        JobState::Settled(_) => "over".into(),
    }
}

/// The exit code that a job's end gives: a job that is paid has an output that stands, unless a
/// committee sat on it and could not agree.
pub fn exit(settlement: &Settlement<AccountId>) -> Exit {
    match (settlement.outcome, settlement.audit) {
        (Outcome::Paid, AuditOutcome::Accepted | AuditOutcome::NotAudited) => Exit::Done,
        _ => Exit::JobFailed,
    }
}

/// A job as JSON: who and what, then the fields of its state.
pub fn json(id: &JobId, view: &JobView<AccountId>) -> Map<String, Value> {
    let spec = &view.spec;
    let unit = f64::from(Sampling::ONE);
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.into(), value);
    put("job", json!(id));
    put("state", json!(state(&view.state)));
    put("client", json!(view.client.to_string()));
    put("model", json!(spec.model));
    put("created", json!(view.created));
    put("attempts", json!(view.attempts));
    put("inputHash", json!(spec.input_hash));
    put("inputTokens", json!(spec.input_tokens));
    put("maxTokens", json!(spec.max_tokens));
    put("seed", json!(spec.seed));
    put("temperature", json!(f64::from(spec.sampling.temperature) / unit));
    put("topK", json!(spec.sampling.top_k));
    put("topP", json!(f64::from(spec.sampling.top_p) / unit));
    put("deadline", json!(spec.deadline));
    put("notBefore", json!(spec.not_before));
    put("down", planck(view.payment.down));
    put("cost", planck(view.payment.cost));
    put("tip", planck(view.payment.tip));
    put("committee", view.committee.iter().map(ToString::to_string).collect());
    object.extend(state_json(&view.state));
    object
}

fn state_json(state: &JobState<AccountId>) -> Map<String, Value> {
    let value = match state {
        JobState::Open { until } => json!({ "until": until }),
        JobState::Assigned { operator, price, until }
        | JobState::Running { operator, price, until } => {
            json!({ "operator": operator.to_string(), "price": planck(*price), "until": until })
        }
        JobState::Delivered { operator, price, commitment, took, audit, until } => json!({
            "operator": operator.to_string(),
            "price": planck(*price),
            "until": until,
            "took": took,
            "audit": audit,
            "tokens": commitment.tokens,
            "finish": commitment.finish.label(),
            "outputHash": commitment.output_hash,
        }),
        JobState::Settled(settlement) => settlement_json(settlement),
    };
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// How a job ended, as JSON.
pub fn settlement_json(settlement: &Settlement<AccountId>) -> Value {
    json!({
        "outcome": outcome(settlement.outcome),
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
        "block": settlement.at,
    })
}

/// How a job ended, as rows for a person.
pub fn settlement_rows(settlement: &Settlement<AccountId>) -> Vec<(&'static str, String)> {
    let verifiers = count(settlement.verifiers, "verifier");
    let verdict = match settlement.audit {
        AuditOutcome::Accepted => toned(Tone::Good, &format!("Accept by {verifiers}")),
        AuditOutcome::Rejected => toned(Tone::Bad, &format!("Reject by {verifiers}")),
        AuditOutcome::Undecided => toned(Tone::Bad, &format!("undecided, {verifiers} answered")),
        AuditOutcome::NotAudited => "none, the job was not audited".into(),
    };
    let mut rows = vec![("Verdict", verdict)];
    let paid = match settlement.tokens {
        0 => Amount(settlement.paid).to_string(),
        tokens => format!("{} for {}", Amount(settlement.paid), count(tokens, "token")),
    };
    rows.push(("Paid", paid));
    rows.push(("Refunded", Amount(settlement.refunded).to_string()));
    if settlement.slashed > 0 {
        let slashed = format!("{} of the operator's bond", Amount(settlement.slashed));
        rows.push(("Slashed", toned(Tone::Bad, &slashed)));
    }
    if let Some(operator) = &settlement.operator {
        rows.push(("Operator", operator.to_string()));
    }
    let ended = format!("{:?}, in block {}", settlement.outcome, settlement.at);
    let tone = if settlement.outcome == Outcome::Paid { Tone::Good } else { Tone::Bad };
    rows.push(("State", toned(tone, &ended)));
    rows
}

/// A job as rows for a person.
pub fn rows(
    id: &JobId,
    view: &JobView<AccountId>,
    model: Option<&str>,
) -> Vec<(&'static str, String)> {
    let mut rows = vec![("Job", format!("{id:?}")), ("Client", view.client.to_string())];
    let model = match model {
        Some(name) => format!("{name} ({:?})", view.spec.model),
        None => format!("{:?}", view.spec.model),
    };
    rows.push(("Model", model));
    rows.push((
        "Asked for",
        format!(
            "at most {} after a prompt of {}",
            count(view.spec.max_tokens, "token"),
            view.spec.input_tokens
        ),
    ));
    rows.push((
        "Offered",
        format!(
            "{} for the tokens, {} down, {} tip",
            Amount(view.payment.cost),
            Amount(view.payment.down),
            Amount(view.payment.tip)
        ),
    ));
    rows.push(("Created", format!("in block {}", view.created)));
    match &view.state {
        JobState::Settled(settlement) => rows.extend(settlement_rows(settlement)),
        other => {
            rows.extend(running_rows(other));
            let committee: Vec<String> = view.committee.iter().map(ToString::to_string).collect();
            if !committee.is_empty() {
                rows.push(("Committee", committee.join(", ")));
            }
            rows.push(("State", format!("{}: {}", state(other), waiting(other))));
        }
    }
    rows
}

fn running_rows(state: &JobState<AccountId>) -> Vec<(&'static str, String)> {
    match state {
        JobState::Open { until } => vec![("Expires", format!("after block {until}"))],
        JobState::Assigned { operator, price, until }
        | JobState::Running { operator, price, until } => vec![
            ("Operator", format!("{operator}, {} per token", Amount(*price))),
            ("Due", format!("until block {until}")),
        ],
        JobState::Delivered { operator, price, commitment, .. } => vec![
            ("Operator", format!("{operator}, {} per token", Amount(*price))),
            (
                "Delivered",
                format!(
                    "{}, finish {}",
                    count(commitment.tokens, "token"),
                    commitment.finish.label()
                ),
            ),
        ],
        JobState::Settled(_) => Vec::new(),
    }
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
            at: 9,
        }
    }

    #[test]
    fn only_a_paid_job_without_doubt_exits_with_zero() {
        use AuditOutcome::*;
        for (outcome, audit, expected) in [
            (Outcome::Paid, Accepted, Exit::Done),
            (Outcome::Paid, NotAudited, Exit::Done),
            (Outcome::Paid, Undecided, Exit::JobFailed),
            (Outcome::Slashed, Rejected, Exit::JobFailed),
            (Outcome::Refunded, NotAudited, Exit::JobFailed),
            (Outcome::Expired, NotAudited, Exit::JobFailed),
            (Outcome::Cancelled, NotAudited, Exit::JobFailed),
        ] {
            assert_eq!(exit(&settlement(outcome, audit)), expected, "{outcome:?} {audit:?}");
        }
    }

    #[test]
    fn amounts_in_json_are_exact() {
        let json = settlement_json(&settlement(Outcome::Paid, AuditOutcome::Accepted));
        assert_eq!(json["paid"], u128::MAX.to_string());
        assert_eq!(json["verdict"], "accept");
        assert_eq!(json["verifiers"], 3);
    }
}
