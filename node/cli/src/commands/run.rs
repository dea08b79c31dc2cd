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

/// Orders, shows the text, and tells how it ended.
pub async fn run(session: &Session, args: &RunArgs) -> Result<Exit> {
    let ordered = order::place(session, args).await?;
    let mut interrupts = follow::interrupts()?;
    out::note(&format!("Job {:?}, created in block {}", ordered.job, ordered.block));
    let ended = follow::to_the_end(session, &ordered.job, !session.json, &mut interrupts).await?;
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
    out::note(&format!("The job goes on. Look at it with: assay job status {job:?} --wait"));
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
    put_output(&mut object, ended);
    object
}

/// Adds the output, whether it is proven to be the one that was committed, and its length and end
/// where the chain does not tell them.
pub(super) fn put_output(object: &mut Map<String, Value>, ended: &Ended) {
    let output = ended.output.as_ref();
    let text = ended.proven.as_ref().map(|proven| String::from_utf8_lossy(&proven.text).into());
    let tokens = ended.proven.as_ref().map(|proven| &proven.output);
    let tokens = tokens.or(output.map(|output| &output.tokens));
    object.insert("proven".into(), json!(ended.proven.is_some()));
    object.insert("output".into(), json!(text.or(output.map(|output| output.text.clone()))));
    object.insert("finish".into(), json!(output.and_then(|output| output.finish.as_ref())));
    object.insert("tokenIds".into(), json!(tokens));
    if let Some(tokens) = tokens {
        object.insert("tokens".into(), json!(tokens.len()));
    }
}
