// SPDX-License-Identifier: Apache-2.0
//! `assay delegate`.

use crate::{args::DelegateCommand, exit::Exit, out, session::Session, view};
use anyhow::Result;
use assay_primitives::Balance;
use assay_runtime::{AccountId, Runtime, RuntimeCall};
use serde_json::json;

type Call = pallet_operators::Call<Runtime>;

/// Runs the command.
pub async fn dispatch(session: &Session, command: DelegateCommand) -> Result<Exit> {
    match command {
        DelegateCommand::Add { operator, amount } => {
            let operator = operator.resolve(&session.chain).await?;
            let call = Call::delegate { operator, amount: amount.0 };
            send(session, session.account()?, call).await
        }
        DelegateCommand::Remove { operator, amount, .. } => {
            // Without an amount, --all was given.
            let amount = amount.map_or(Balance::MAX, |amount| amount.0);
            let operator = operator.resolve(&session.chain).await?;
            let call = Call::undelegate { operator, amount };
            send(session, session.account()?, call).await
        }
        DelegateCommand::Withdraw { operator, delegator } => {
            let operator = operator.resolve(&session.chain).await?;
            let delegator = session.account_or(delegator).await?;
            let call = Call::withdraw_delegation { operator, delegator: delegator.clone() };
            send(session, delegator, call).await
        }
        DelegateCommand::Status { delegator } => {
            show(session, &session.account_or(delegator).await?).await
        }
    }
}

/// Sends a call and shows the delegator's delegations after it.
async fn send(session: &Session, delegator: AccountId, call: Call) -> Result<Exit> {
    let included = session.submit(RuntimeCall::Operators(call)).await?;
    show(session, &delegator).await.map_err(|error| included.not_shown(error))
}

async fn show(session: &Session, delegator: &AccountId) -> Result<Exit> {
    let delegations = session.chain.delegations(delegator).await?;
    if session.json {
        let all: Vec<_> = delegations.iter().map(view::delegation::json).collect();
        out::object(&json!({ "delegator": delegator.to_string(), "delegations": all }))?;
        return Ok(Exit::Done);
    }
    for (index, delegation) in delegations.iter().enumerate() {
        if index > 0 {
            out::line("")?;
        }
        out::pairs(&view::delegation::rows(delegation))?;
    }
    if delegations.is_empty() {
        out::line(&format!("{delegator} has no delegations."))?;
    }
    Ok(Exit::Done)
}
