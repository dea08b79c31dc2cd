// SPDX-License-Identifier: Apache-2.0
//! `assay operator`.

use crate::{
    account::AccountArg,
    args::{AddressArg, OfferArg, OperatorCommand},
    contact,
    exit::{Exit, Fault},
    out,
    session::Session,
    view::{self, models::Models},
};
use anyhow::{anyhow, Result};
use assay_primitives::{
    api::{OfferView, OperatorView},
    contact::SignedContact,
    Balance, ModelId,
};
use assay_runtime::{AccountId, Runtime, RuntimeCall};
use pallet_operators::{Offer, OffersOf};
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
            let offers = read_offers(session, &offers).await?;
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
            let offers = read_offers(session, &offers).await?;
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
    let offers = repriced(&operator, &model, price)?;
    send(session, Call::set_offers { offers }).await
}

/// The operator's offers with another price for one model.
fn repriced(
    operator: &OperatorView<AccountId>,
    model: &ModelId,
    price: Balance,
) -> Result<OffersOf<Runtime>> {
    if !operator.offers.iter().any(|offer| offer.model == *model) {
        return Err(Fault::error(
            "model_not_offered",
            format!(
                "{} does not serve the model {model:?}; `assay operator models` shows what it does",
                operator.stash
            ),
        ));
    }
    let offer = |offer: &OfferView| Offer {
        model: offer.model,
        price: if offer.model == *model { price } else { offer.price },
        context: offer.context,
    };
    // As many as the chain has already.
    Ok(OffersOf::<Runtime>::truncate_from(operator.offers.iter().map(offer).collect()))
}

async fn show(session: &Session, operator: &OperatorView<AccountId>) -> Result<Exit> {
    if session.json {
        out::object(&view::operator::json(operator))?;
    } else {
        out::pairs(&view::operator::rows(operator, &known(session).await?))?;
    }
    Ok(Exit::Done)
}

async fn models(session: &Session) -> Result<Exit> {
    let operator = session.chain.registered_operator(&session.account()?).await?;
    if session.json {
        let offers: Vec<_> = operator.offers.iter().map(view::operator::offer_json).collect();
        out::object(&json!({ "stash": operator.stash.to_string(), "offers": offers }))?;
    } else {
        let known = known(session).await?;
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
    let known = known(session).await?;
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
        Err(_) => Ok(known(session).await?.find(model)?.id),
    }
}

async fn known(session: &Session) -> Result<Models> {
    Models::read(&session.chain, &session.chain.node_status().await?).await
}

/// The worker that was named, or the only one whose key the node has.
async fn worker_or_own(session: &Session, named: Option<AccountArg>) -> Result<AccountId> {
    if let Some(worker) = named {
        return worker.resolve(&session.chain).await;
    }
    let keys = session.chain.node_status().await?.workers;
    match keys.as_slice() {
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

async fn read_offers(session: &Session, args: &[OfferArg]) -> Result<OffersOf<Runtime>> {
    let known = known(session).await?;
    let mut offers = Vec::new();
    for arg in args {
        // An id in full need not be known to anyone yet.
        let (model, own) = match crate::args::hash(&arg.model) {
            Ok(id) => (id, known.find(&arg.model).ok().and_then(|model| model.context)),
            Err(_) => {
                let model = known.find(&arg.model)?;
                (model.id, model.context)
            }
        };
        let context = arg.context.or(own).ok_or_else(|| {
            Fault::error(
                "context_unknown",
                format!(
                    "the node does not have the model {model:?}; give its context as \
                     --offer MODEL,PRICE,CONTEXT"
                ),
            )
        })?;
        offers.push(Offer { model, price: arg.price.0, context });
    }
    let count = offers.len();
    OffersOf::<Runtime>::try_from(offers).map_err(|_| {
        Fault::error(
            "too_many_offers",
            format!(
                "{count} are more than the {} models that an operator can offer; name fewer",
                OffersOf::<Runtime>::bound()
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_keyring::Sr25519Keyring;

    #[test]
    fn repriced_changes_one_offer_and_keeps_the_others() {
        let alice = Sr25519Keyring::Alice.to_account_id();
        let offer =
            |n, price| OfferView { model: ModelId::from_low_u64_be(n), price, context: 100 };
        let operator = view::operator::serving(&alice, vec![offer(1, 5), offer(2, 6)]);
        let offers = repriced(&operator, &ModelId::from_low_u64_be(2), 9).unwrap();
        let prices: Vec<_> = offers.iter().map(|offer| (offer.price, offer.context)).collect();
        assert_eq!(prices, [(5, 100), (9, 100)]);
        let error = repriced(&operator, &ModelId::from_low_u64_be(3), 9).unwrap_err();
        assert!(error.to_string().contains("does not serve"), "{error}");
    }
}
