// SPDX-License-Identifier: Apache-2.0
//! A job after a call about it.

use crate::{
    amount::Amount, chain::inclusion::Included, exit::Exit, fault::OfJob, follow::unknown, out,
    session::Session, view,
};
use anyhow::{Context, Result};
use assay_primitives::{JobId, JobState};
use assay_runtime::RuntimeEvent;
use serde_json::{json, Value};

/// Shows a job after a call about it.
pub async fn show_after(session: &Session, id: &JobId, included: &Included) -> Result<Exit> {
    let view = session.chain.job(id).await.and_then(|view| view.ok_or_else(|| unknown(id)));
    let view = view.map_err(|error| included.not_shown(error)).context(OfJob(*id))?;
    if session.json {
        let mut object = view::job::json(id, &view);
        object.insert("included".into(), json!(included.number));
        object.insert("bounty".into(), bounty(included));
        out::object(&Value::Object(object))?;
    } else {
        let state = match &view.state {
            JobState::Settled(settlement) => {
                format!("{:?}, {} refunded", settlement.outcome, Amount(settlement.refunded))
            }
            state => format!("{}: {}", view::job::state(state), view::job::waiting(state)),
        };
        out::pairs(&[
            ("Job", format!("{id:?}")),
            ("State", state),
            ("Block", included.number.to_string()),
        ])?;
    }
    Ok(Exit::Done)
}

/// Returns whether this very call settled the job, which earns the bounty.
fn bounty(included: &Included) -> Value {
    let settled = included
        .events
        .iter()
        .any(|event| matches!(event, RuntimeEvent::Jobs(pallet_jobs::Event::JobSettled { .. })));
    json!(settled)
}
