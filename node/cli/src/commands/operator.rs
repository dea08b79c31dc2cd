// SPDX-License-Identifier: Apache-2.0
//! `assay operator`.

use crate::{
    account::AccountArg,
    args::{AddressArg, OperatorCommand},
    contact,
    exit::{Exit, Fault},
    offers, out,
    session::Session,
    view::{self, models::Models},
};
use anyhow::{anyhow, Result};
use assay_primitives::{api::OperatorView, contact::SignedContact, Balance, ModelId};
use assay_rpc::WorkerKey;
use assay_runtime::{AccountId, Runtime, RuntimeCall};
use serde_json::json;
use sp_core::crypto::Ss58Codec;
use std::path::Path;

type Call = pallet_operators::Call<Runtime>;

/// Does what was asked.
pub async fn dispatch(session: &Session, command: OperatorCommand) -> Result<Exit> {
    match command {
        OperatorCommand::Register { node_key, addresses, worker, bond, concurrency, offers } => {
            let contact = signed_contact(session, &node_key, &addresses)?;
            let worker = worker_or_own(session, worker).await?;
            let offers = offers::read(session, &offers).await?;
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
        OperatorCommand::Price { model, price } => set_price(session, &model, price.0).await,
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
        OperatorCommand::Models { offers, none } if none || !offers.is_empty() => {
            let offers = offers::read(session, &offers).await?;
            send(session, Call::set_offers { offers }).await
        }
        OperatorCommand::Models { .. } => models(session).await,
        OperatorCommand::Worker { worker } => {
            let worker = worker_or_own(session, worker).await?;
            send(session, Call::set_worker { worker }).await
        }
        OperatorCommand::Concurrency { jobs } => {
            send(session, Call::set_concurrency { concurrency: jobs }).await
        }
        OperatorCommand::Status { stash } => {
            let operator =
                session.chain.registered_operator(&session.account_or(stash).await?).await?;
            show(session, &operator).await
        }
        OperatorCommand::Allocation { model, stash } => allocation(session, &model, stash).await,
        OperatorCommand::List => list(session).await,
    }
}

/// Where the signer's node is reached, signed by the node's network key.
fn signed_contact(
    session: &Session,
    node_key: &Path,
    addresses: &[AddressArg],
) -> Result<SignedContact> {
    let key = contact::network_key(node_key)?;
    contact::signed(&key, addresses, &session.chain.genesis, &session.account()?)
}

/// Sends a call of the operator's and shows the operator after it.
async fn send(session: &Session, call: Call) -> Result<Exit> {
    send_for(session, session.account()?, call).await
}

/// Sends a call about an operator and shows it after that.
async fn send_for(session: &Session, stash: AccountId, call: Call) -> Result<Exit> {
    let included = session.submit(RuntimeCall::Operators(call)).await?;
    match session.chain.operator(&stash).await? {
        Some(operator) => show(session, &operator).await,
        // The last of the stake was withdrawn.
        None if session.json => {
            out::object(&json!({ "stash": stash.to_string(), "block": included.number }))?;
            Ok(Exit::Done)
        }
        None => {
            out::line(&format!("{stash} is no operator any more."))?;
            Ok(Exit::Done)
        }
    }
}

/// Changes one price and leaves the other offers as they are.
async fn set_price(session: &Session, model: &str, price: Balance) -> Result<Exit> {
    let operator = session.chain.registered_operator(&session.account()?).await?;
    let model = model_id(session, model).await?;
    let offers = offers::repriced(&operator, &model, price)?;
    send(session, Call::set_offers { offers }).await
}

async fn show(session: &Session, operator: &OperatorView<AccountId>) -> Result<Exit> {
    if session.json {
        out::object(&view::operator::json(operator))?;
    } else {
        out::pairs(&view::operator::rows(operator, &Models::of_node(&session.chain).await?))?;
    }
    Ok(Exit::Done)
}

async fn models(session: &Session) -> Result<Exit> {
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
            out::note("No models are served; add some with --offer MODEL,PRICE.");
        }
    }
    Ok(Exit::Done)
}

async fn list(session: &Session) -> Result<Exit> {
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

/// Shows what operators get of a model's jobs, those who get the most first.
async fn allocation(session: &Session, model: &str, stash: Option<AccountArg>) -> Result<Exit> {
    let model = model_id(session, model).await?;
    let mut all = match stash {
        Some(stash) => {
            let stash = stash.resolve(&session.chain).await?;
            let one = session.chain.allocation(&model, &stash).await?;
            vec![one.ok_or_else(|| {
                Fault::error(
                    "model_not_offered",
                    format!(
                        "{stash} does not serve the model {model:?}; without an address all are \
                         shown that do"
                    ),
                )
            })?]
        }
        None => session.chain.allocations(&model).await?,
    };
    // In ascending order of their stashes where they are alike.
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
        out::note(&format!("Nobody serves the model {model:?}."));
    }
    Ok(Exit::Done)
}

/// The model that was named. An id in full need not be known to the node.
async fn model_id(session: &Session, model: &str) -> Result<ModelId> {
    match crate::args::hash(model) {
        Ok(id) => Ok(id),
        Err(_) => Ok(Models::of_node(&session.chain).await?.find(model)?.id),
    }
}

/// The worker that was named, or the only one whose key the node has.
async fn worker_or_own(session: &Session, named: Option<AccountArg>) -> Result<AccountId> {
    if let Some(worker) = named {
        return worker.resolve(&session.chain).await;
    }
    only_worker(&session.chain.node_status().await?.workers)
}

/// The account of the only worker key.
fn only_worker(keys: &[WorkerKey]) -> Result<AccountId> {
    match keys {
        [one] => AccountId::from_ss58check(&one.key)
            .map_err(|error| anyhow!("the node's worker key '{}' is malformed: {error}", one.key)),
        [] => Err(Fault::error(
            "no_worker_key",
            "the node has no worker key; name the account of one, and put its key into the node's \
             keystore with the RPC method author_insertKey",
        )),
        _ => Err(Fault::error(
            "worker_ambiguous",
            format!(
                "the node has several worker keys; name one of {}",
                keys.iter().map(|key| key.key.as_str()).collect::<Vec<_>>().join(", ")
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_keyring::Sr25519Keyring;

    fn keys(of: &[Sr25519Keyring]) -> Vec<WorkerKey> {
        of.iter()
            .map(|key| WorkerKey { key: key.to_account_id().to_ss58check(), stash: None })
            .collect()
    }

    #[test]
    fn only_worker_is_taken_and_several_are_named() {
        use Sr25519Keyring::{Alice, Bob};
        assert_eq!(only_worker(&keys(&[Alice])).unwrap(), Alice.to_account_id());
        let code = |of: &[Sr25519Keyring]| {
            let fault: Fault = only_worker(&keys(of)).unwrap_err().downcast().unwrap();
            (fault.code, fault.message)
        };
        assert_eq!(code(&[]).0, "no_worker_key");
        let (several, message) = code(&[Alice, Bob]);
        assert_eq!(several, "worker_ambiguous");
        assert!(message.contains(&Bob.to_account_id().to_ss58check()), "{message}");
    }
}
