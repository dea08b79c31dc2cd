// SPDX-License-Identifier: Apache-2.0
//! `assay operator status`, `list` and `models`.

use crate::{exit::Exit, models::Models, out, session::Session, view};
use anyhow::Result;
use assay_primitives::api::OperatorView;
use assay_runtime::AccountId;
use serde_json::json;

/// Shows one operator.
pub async fn one(session: &Session, operator: &OperatorView<AccountId>) -> Result<Exit> {
    if session.json {
        out::object(&view::operator::json(operator))?;
    } else {
        out::pairs(&view::operator::rows(operator, &Models::of_node(&session.chain).await?))?;
    }
    Ok(Exit::Done)
}

/// Shows the models that the signer serves.
pub async fn models(session: &Session) -> Result<Exit> {
    let operator = session.chain.registered_operator(&session.account()?).await?;
    if session.json {
        let offers: Vec<_> = operator.offers.iter().map(view::operator::offer_json).collect();
        out::object(&json!({ "stash": operator.stash.to_string(), "offers": offers }))?;
    } else {
        let known = Models::of_node(&session.chain).await?;
        for offer in &operator.offers {
            out::line(&view::operator::offer_line(offer, &known))?;
        }
        if operator.offers.is_empty() {
            out::note("The operator serves no models; add some with --offer MODEL,PRICES.");
        }
    }
    Ok(Exit::Done)
}

/// Lists all operators.
pub async fn list(session: &Session) -> Result<Exit> {
    let operators = session.chain.operators().await?;
    if session.json {
        let all: Vec<_> = operators.iter().map(view::operator::json).collect();
        out::object(&json!({ "operators": all }))?;
        return Ok(Exit::Done);
    }
    let known = Models::of_node(&session.chain).await?;
    for (index, operator) in operators.iter().enumerate() {
        if index > 0 {
            out::line("")?;
        }
        out::pairs(&view::operator::rows(operator, &known))?;
    }
    if operators.is_empty() {
        out::note("There are no operators.");
    }
    Ok(Exit::Done)
}
