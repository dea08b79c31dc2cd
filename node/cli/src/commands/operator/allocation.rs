// SPDX-License-Identifier: Apache-2.0
//! `assay operator allocation`.

use crate::{
    account::AccountArg, exit::Exit, fault::Fault, models::Models, out, session::Session, view,
};
use anyhow::Result;
use serde_json::json;

/// Shows each operator's part of a model's jobs, the largest first.
pub async fn show(session: &Session, model: &str, stash: Option<AccountArg>) -> Result<Exit> {
    let model = Models::id(&session.chain, model).await?;
    let mut all = match stash {
        Some(stash) => {
            let stash = stash.resolve(&session.chain).await?;
            let one = session.chain.allocation(&model, &stash).await?;
            vec![one.ok_or_else(|| {
                Fault::error(
                    "model_not_offered",
                    format!(
                        "{stash} does not serve the model {model:?}; leave out the address to see \
                         the operators that do"
                    ),
                )
            })?]
        }
        None => session.chain.allocations(&model).await?,
    };
    // The sort is stable, so equal parts stay in ascending order of stashes.
    all.sort_by_key(|allocation| std::cmp::Reverse(allocation.draw_share));
    if session.json {
        let all: Vec<_> = all.iter().map(view::allocation::json).collect();
        out::object(&json!({ "model": model, "allocations": all }))?;
        return Ok(Exit::Done);
    }
    for (index, allocation) in all.iter().enumerate() {
        if index > 0 {
            out::line("")?;
        }
        out::pairs(&view::allocation::rows(allocation))?;
    }
    if all.is_empty() {
        out::note(&format!("No operator serves the model {model:?}."));
    }
    Ok(Exit::Done)
}
