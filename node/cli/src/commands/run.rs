// SPDX-License-Identifier: Apache-2.0
//! `assay run`.

use crate::{
    amount::Amount,
    args::RunArgs,
    exit::Exit,
    follow::{self, Facts},
    order::{self, Order},
    out,
    session::Session,
    text_check, view,
};
use anyhow::Result;
use assay_primitives::JobId;
use serde_json::{json, Map, Value};
use std::cell::Cell;

/// Orders a job, shows its text, and reports its end.
pub async fn run(session: &Session, args: &RunArgs) -> Result<Exit> {
    let order = order::prepare(session, &args.order).await?;
    // A file that is not of the model is an error before there is anything to lose.
    let model = text_check::open(&order.model.id, args.check.model_file.as_deref())?;
    // A passphrase is asked for while Ctrl-C still ends the command.
    session.signer()?;
    let announced = Cell::new(None);
    let mut interrupts = follow::interrupts()?;
    let placed = tokio::select! {
        placed = order.place(session, &announced) => Some(placed?),
        _ = interrupts.recv() => None,
    };
    let Some(ordered) = placed else {
        let job = announced.get();
        return follow::detach(session, job, &note(job));
    };
    let job = ordered.job;
    out::note(&format!("Job {job:?}, created in block {}", ordered.block));
    match follow::to_the_end(session, &job, (model.as_ref(), &order.stops), &mut interrupts).await?
    {
        Some(ended) => ended.report(session.json, args.check.accept_unaudited, facts(&order)),
        None => {
            let note = format!("The job goes on. Watch it with: assay job status {job:?} --wait");
            follow::detach(session, Some(job), &note)
        }
    }
}

/// Returns the note about an order that was interrupted before it was in a block.
fn note(job: Option<JobId>) -> String {
    match job {
        Some(job) => format!(
            "The order was sent, and the job may exist. Find out with: assay job status {job:?}"
        ),
        None => "No job was ordered.".into(),
    }
}

fn facts(order: &Order) -> Facts {
    let fields: [(&str, Value); 4] = [
        ("modelName", json!(order.model.name)),
        ("held", view::planck(order.held)),
        ("heldAsy", json!(Amount(order.held).decimal())),
        ("auditFeesHeld", view::planck(order.audit_fees)),
    ];
    let fields = fields.into_iter().map(|(name, value)| (name.into(), value));
    Facts { rows: vec![("Model", order.model.to_string().into())], fields: Map::from_iter(fields) }
}
