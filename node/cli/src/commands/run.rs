// SPDX-License-Identifier: Apache-2.0
//! `assay run`.

use crate::{
    amount::Amount,
    args::RunArgs,
    exit::Exit,
    follow::{self, Ended},
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
        return detached(session, announced.get());
    };
    let job = ordered.job;
    out::note(&format!("Job {job:?}, created in block {}", ordered.block));
    let Some(mut ended) = follow::to_the_end(session, &job, true, &mut interrupts).await? else {
        return detached(session, Some(job));
    };
    if let Some(model) = &model {
        ended.known.compare(model);
    }
    report(session, &job, &ended, &order, args.check.accept_unaudited)
}

/// Shows the end of the job.
fn report(
    session: &Session,
    job: &JobId,
    ended: &Ended,
    order: &Order,
    accept_unaudited: bool,
) -> Result<Exit> {
    let mut object = object(job, ended, order);
    if !session.json {
        out::line("")?;
        let mut rows = ended.rows();
        rows.push(("Model", order.model.to_string().into()));
        rows.push(("Job", format!("{job:?}").into()));
        out::pairs(&rows)?;
    }
    let exit = ended.checked_exit(job, accept_unaudited, &mut object);
    if session.json {
        out::object(&Value::Object(object))?;
    }
    Ok(exit)
}

fn detached(session: &Session, job: Option<JobId>) -> Result<Exit> {
    out::note(&match job {
        Some(job) => format!("The job goes on. Watch it with: assay job status {job:?} --wait"),
        None => "Nothing was sent.".into(),
    });
    if session.json {
        out::object(&json!({ "job": job, "detached": job.is_some() }))?;
    }
    Ok(Exit::Detached)
}

fn object(job: &JobId, ended: &Ended, order: &Order) -> Map<String, Value> {
    let mut object = view::job::json(job, &ended.view);
    let mut put = |name: &str, value: Value| object.insert(name.into(), value);
    put("modelName", json!(order.model.name));
    put("held", view::planck(order.held));
    put("heldAsy", json!(Amount(order.held).decimal()));
    ended.put(&mut object);
    object
}
