// SPDX-License-Identifier: Apache-2.0
//! `assay operator`.

mod allocation;
mod show;
mod worker;

use crate::{
    args::{MultiaddressArg, OperatorCommand},
    contact,
    exit::Exit,
    models::Models,
    offers, out,
    session::Session,
};
use anyhow::Result;
use assay_primitives::{contact::SignedContact, Prices};
use assay_runtime::{AccountId, Runtime, RuntimeCall};
use serde_json::json;
use std::path::Path;

type Call = pallet_operators::Call<Runtime>;

/// Runs the command.
pub async fn dispatch(session: &Session, command: OperatorCommand) -> Result<Exit> {
    match command {
        OperatorCommand::Register {
            node_key,
            addresses,
            worker,
            bond,
            concurrency,
            offers,
            limits,
        } => {
            let contact = signed_contact(session, &node_key, &addresses)?;
            let worker = worker::named_or_own(session, worker).await?;
            let offers = offers::read(session, &offers, limits).await?;
            let bond = bond.0;
            send(session, Call::register { worker, contact, offers, concurrency, bond }).await
        }
        OperatorCommand::Bond { amount } => {
            send(session, Call::bond_extra { amount: amount.0 }).await
        }
        OperatorCommand::Unbond { amount } => {
            send(session, Call::unbond { amount: amount.0 }).await
        }
        OperatorCommand::Withdraw { stash } => {
            let stash = session.account_or(stash).await?;
            let call = Call::withdraw_unbonded { stash: stash.clone() };
            send_for(session, stash, call).await
        }
        OperatorCommand::Price { model, prices } => set_prices(session, &model, prices.0).await,
        OperatorCommand::Refuse { client } => {
            let client = client.resolve(&session.chain).await?;
            send(session, Call::refuse_client { client }).await
        }
        OperatorCommand::Admit { client } => {
            let client = client.resolve(&session.chain).await?;
            send(session, Call::admit_client { client }).await
        }
        OperatorCommand::Drain { undo } => {
            send(session, Call::set_draining { draining: !undo }).await
        }
        OperatorCommand::Leave => send(session, Call::leave {}).await,
        OperatorCommand::Commission { percent } => {
            send(session, Call::set_commission { commission: percent.0 }).await
        }
        OperatorCommand::Payout { account } => {
            let payout = account.resolve(&session.chain).await?;
            send(session, Call::set_payout { payout }).await
        }
        OperatorCommand::Addresses { node_key, addresses } => {
            let contact = signed_contact(session, &node_key, &addresses)?;
            send(session, Call::set_contact { contact }).await
        }
        OperatorCommand::Models { offers, limits, none } if none || !offers.is_empty() => {
            let offers = offers::read(session, &offers, limits).await?;
            send(session, Call::set_offers { offers }).await
        }
        OperatorCommand::Models { .. } => show::models(session).await,
        OperatorCommand::Worker { worker, revoke, unfunded } => {
            let worker = worker::named_or_own(session, worker).await?;
            // A key that was stolen is not left alone for want of a fee.
            worker::ensure_funded(session, &worker, unfunded || revoke).await?;
            let call = if revoke {
                worker::replace_and_revoke(worker)
            } else {
                Call::set_worker { worker }.into()
            };
            submit(session, session.account()?, call).await
        }
        OperatorCommand::RetireWorker => send(session, Call::retire_worker {}).await,
        OperatorCommand::Concurrency { jobs } => {
            send(session, Call::set_concurrency { concurrency: jobs }).await
        }
        OperatorCommand::Status { stash } => {
            let operator =
                session.chain.registered_operator(&session.account_or(stash).await?).await?;
            show::one(session, &operator).await
        }
        OperatorCommand::Allocation { model, stash } => {
            allocation::show(session, &model, stash).await
        }
        OperatorCommand::List => show::list(session).await,
    }
}

/// Returns the contact of the signer's node, signed by the node's network key.
fn signed_contact(
    session: &Session,
    node_key: &Path,
    addresses: &[MultiaddressArg],
) -> Result<SignedContact> {
    let key = contact::network_key(node_key)?;
    contact::signed(&key, addresses, &session.chain.genesis, &session.account()?)
}

/// Sends a call of the signer's, and shows the operator after it.
async fn send(session: &Session, call: Call) -> Result<Exit> {
    send_for(session, session.account()?, call).await
}

/// Sends a call about an operator, and shows the operator after it.
async fn send_for(session: &Session, stash: AccountId, call: Call) -> Result<Exit> {
    submit(session, stash, RuntimeCall::Operators(call)).await
}

/// Sends any call of the signer's, and shows the operator after it.
async fn submit(session: &Session, stash: AccountId, call: RuntimeCall) -> Result<Exit> {
    let included = session.submit(call).await?;
    let not_shown = |error| included.not_shown(error);
    match session.chain.operator(&stash).await.map_err(not_shown)? {
        Some(operator) => show::one(session, &operator).await.map_err(not_shown),
        // The last of the stake was withdrawn.
        None if session.json => {
            out::object(&json!({ "stash": stash.to_string(), "block": included.number }))?;
            Ok(Exit::Done)
        }
        None => {
            out::line(&format!("{stash} is not an operator any more."))?;
            Ok(Exit::Done)
        }
    }
}

/// Changes the prices of one model and leaves the other offers as they are.
async fn set_prices(session: &Session, model: &str, prices: Prices) -> Result<Exit> {
    let operator = session.chain.registered_operator(&session.account()?).await?;
    let model = Models::id(&session.chain, model).await?;
    let offers = offers::repriced(&operator, &model, prices)?;
    send(session, Call::set_offers { offers }).await
}
