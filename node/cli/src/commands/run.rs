// SPDX-License-Identifier: Apache-2.0
//! `assay run`.

use crate::{
    amount::Amount,
    args::RunArgs,
    exit::Exit,
    follow::{self, Ended},
    order::{self, Ordered},
    out,
    session::Session,
    view,
};
use anyhow::Result;
use serde_json::{json, Map, Value};

/// Orders a job, shows its text, and reports its end.
pub async fn run(session: &Session, args: &RunArgs) -> Result<Exit> {
    let ordered = order::place(session, args).await?;
    let mut interrupts = follow::interrupts()?;
    out::note(&format!("Job {:?}, created in block {}", ordered.job, ordered.block));
    let ended = follow::to_the_end(session, &ordered.job, true, &mut interrupts).await?;
    let Some(ended) = ended else {
        return detached(session, &ordered);
    };
    if session.json {
        out::object(&Value::Object(object(&ordered, &ended)))?;
    } else {
        out::line("")?;
        let mut rows = ended.rows();
        rows.push(("Model", ordered.model.to_string()));
        rows.push(("Job", format!("{:?}", ordered.job)));
        out::pairs(&rows)?;
    }
    Ok(ended.exit())
}

fn detached(session: &Session, ordered: &Ordered) -> Result<Exit> {
    let job = ordered.job;
    out::note(&format!("The job goes on. Watch it with: assay job status {job:?} --wait"));
    if session.json {
        out::object(&json!({ "job": job, "detached": true }))?;
    }
    Ok(Exit::Detached)
}

fn object(ordered: &Ordered, ended: &Ended) -> Map<String, Value> {
    let mut object = view::job::json(&ordered.job, &ended.view);
    let mut put = |name: &str, value: Value| object.insert(name.into(), value);
    put("modelName", json!(ordered.model.name));
    put("held", view::planck(ordered.held));
    put("heldAsy", json!(Amount(ordered.held).decimal()));
    ended.known.put(&mut object);
    object
}
