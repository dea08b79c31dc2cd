// SPDX-License-Identifier: Apache-2.0
//! A job and its state.

use super::{
    format::{count, planck, short},
    prices, settlement,
};
use crate::{amount::Amount, out::Row};
use assay_primitives::{api::JobView, job::Sampling, JobId, JobState};
use assay_runtime::AccountId;
use serde_json::{json, Map, Value};

/// Returns the state in a word.
pub fn state(state: &JobState<AccountId>) -> &'static str {
    match state {
        JobState::Open { .. } => "open",
        JobState::Assigned { .. } => "assigned",
        JobState::Running { .. } => "running",
        JobState::Delivered { .. } => "delivered",
        JobState::Settled(_) => "settled",
    }
}

/// Returns the event that the job waits for, in words.
pub fn waiting(state: &JobState<AccountId>) -> String {
    match state {
        JobState::Open { .. } => "waiting for an operator".into(),
        JobState::Assigned { operator, .. } => {
            format!("waiting for operator {} to accept", short(&operator.to_string()))
        }
        JobState::Running { operator, .. } => {
            format!("operator {} is generating", short(&operator.to_string()))
        }
        JobState::Delivered { challenger: Some(challenger), .. } => {
            format!(
                "challenged by {}; a jury is checking the answer",
                short(&challenger.to_string())
            )
        }
        JobState::Delivered { audit: true, .. } => "verifiers are checking the answer".into(),
        JobState::Delivered { audit: false, until, .. } => {
            format!("not drawn for an audit; to be paid after block {until}")
        }
        JobState::Settled(_) => "over".into(),
    }
}

/// Returns a job as JSON: its specification, then the fields of its state.
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
    put("requestHash", json!(spec.request_hash));
    put("inputTokens", json!(spec.input_tokens));
    put("maxTokens", json!(spec.max_tokens));
    put("seed", json!(spec.seed));
    put("temperature", json!(f64::from(spec.sampling.temperature) / unit));
    put("topK", json!(spec.sampling.top_k));
    put("topP", json!(f64::from(spec.sampling.top_p) / unit));
    put("deadline", json!(spec.deadline));
    put("notBefore", json!(spec.not_before));
    put("verification", json!(spec.verification.label()));
    put("auditOrdered", json!(spec.audit));
    put("challengeBond", json!(view.challenge_bond.map(planck)));
    put("referrer", json!(spec.referrer.as_ref().map(ToString::to_string)));
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
        JobState::Assigned { operator, prices, until }
        | JobState::Running { operator, prices, until } => {
            json!({ "operator": operator.to_string(), "prices": prices::json(*prices), "until": until })
        }
        JobState::Delivered { operator, prices, commitment, took, audit, challenger, until } => {
            json!({
                "operator": operator.to_string(),
                "prices": prices::json(*prices),
                "until": until,
                "took": took,
                "audit": audit,
                "challenger": challenger.as_ref().map(ToString::to_string),
                "tokens": commitment.tokens,
                "finish": commitment.finish.label(),
                "outputHash": commitment.output_hash,
            })
        }
        JobState::Settled(settlement) => settlement::json(settlement),
    };
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// Returns a job as rows for a person.
pub fn rows(id: &JobId, view: &JobView<AccountId>, model: Option<&str>) -> Vec<Row> {
    let mut rows: Vec<Row> =
        vec![("Job", format!("{id:?}").into()), ("Client", view.client.to_string().into())];
    let model = match model {
        Some(name) => format!("{name} ({:?})", view.spec.model),
        None => format!("{:?}", view.spec.model),
    };
    rows.push(("Model", model.into()));
    rows.push((
        "Asked for",
        format!(
            "at most {} for a prompt of {}",
            count(view.spec.max_tokens, "token"),
            view.spec.input_tokens
        )
        .into(),
    ));
    rows.push((
        "Offered",
        format!(
            "{} for the tokens, {} down, {} tip",
            Amount(view.payment.cost),
            Amount(view.payment.down),
            Amount(view.payment.tip)
        )
        .into(),
    ));
    if view.spec.audit {
        rows.push(("Audit", "ordered, its committee is paid in addition".into()));
    }
    rows.push(("Created", format!("in block {}", view.created).into()));
    match &view.state {
        JobState::Settled(settlement) => rows.extend(settlement::rows(settlement)),
        other => {
            rows.extend(running_rows(other).into_iter().map(|(name, value)| (name, value.into())));
            rows.extend(challenge(view).map(|words| ("Challenge", words.into())));
            let committee: Vec<String> = view.committee.iter().map(ToString::to_string).collect();
            if !committee.is_empty() {
                rows.push(("Committee", committee.join(", ").into()));
            }
            rows.push(("State", format!("{}: {}", state(other), waiting(other)).into()));
        }
    }
    rows
}

/// Returns what a challenge of the output is about, or would cost.
fn challenge(view: &JobView<AccountId>) -> Option<String> {
    let bond = Amount(view.challenge_bond?);
    Some(match &view.state {
        JobState::Delivered { challenger: Some(challenger), .. } => format!(
            "by {challenger}, with a bond of {bond}, which it loses if the jury finds the output right; \
             otherwise the operator loses its own"
        ),
        JobState::Delivered { until, .. } => {
            format!("open until block {until}, with a bond of {bond}")
        }
        _ => return None,
    })
}

fn running_rows(state: &JobState<AccountId>) -> Vec<(&'static str, String)> {
    match state {
        JobState::Open { until } => vec![("Expires", format!("after block {until}"))],
        JobState::Assigned { operator, prices, until }
        | JobState::Running { operator, prices, until } => vec![
            ("Operator", format!("{operator}, {}", prices::words(*prices))),
            ("Due", format!("until block {until}")),
        ],
        JobState::Delivered { operator, prices, commitment, .. } => vec![
            ("Operator", format!("{operator}, {}", prices::words(*prices))),
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
