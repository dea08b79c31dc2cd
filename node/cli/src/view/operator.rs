// SPDX-License-Identifier: Apache-2.0
//! Operators.

use super::{count, models::Models, planck};
use crate::amount::Amount;
use assay_primitives::api::{OfferView, OperatorView};
use assay_runtime::AccountId;
use serde_json::{json, Value};

/// An operator as JSON.
pub fn json(operator: &OperatorView<AccountId>) -> Value {
    json!({
        "stash": operator.stash.to_string(),
        "worker": operator.worker.to_string(),
        "offers": operator.offers.iter().map(offer_json).collect::<Vec<_>>(),
        "concurrency": operator.concurrency,
        "running": operator.running,
        "bonded": planck(operator.bonded),
        "bondedAsy": Amount(operator.bonded).decimal(),
        "reserved": planck(operator.reserved),
        "reservedAsy": Amount(operator.reserved).decimal(),
        "unbonding": operator.unbonding.iter().map(|(amount, at)| json!({
            "amount": planck(*amount),
            "block": at,
        })).collect::<Vec<_>>(),
    })
}

/// An offer as JSON.
pub fn offer_json(offer: &OfferView) -> Value {
    json!({
        "model": offer.model,
        "price": planck(offer.price),
        "priceAsy": Amount(offer.price).decimal(),
        "context": offer.context,
    })
}

/// An offer in a line.
pub fn offer_line(offer: &OfferView, models: &Models) -> String {
    let model = match models.name(&offer.model) {
        Some(name) => format!("{name} ({:?})", offer.model),
        None => format!("{:?}", offer.model),
    };
    format!("{model}, {} per token, context {}", Amount(offer.price), offer.context)
}

/// An operator as rows for a person.
pub fn rows(operator: &OperatorView<AccountId>, models: &Models) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("Stash", operator.stash.to_string()),
        ("Worker", operator.worker.to_string()),
        (
            "Stake",
            format!("{}, {} of it reserved", Amount(operator.bonded), Amount(operator.reserved)),
        ),
    ];
    for (amount, at) in &operator.unbonding {
        rows.push(("Unbonding", format!("{} until block {at}", Amount(*amount))));
    }
    rows.push(("Jobs", format!("runs {} of at most {}", operator.running, operator.concurrency)));
    if operator.offers.is_empty() {
        rows.push(("Models", count(0u32, "model")));
    }
    rows.extend(operator.offers.iter().map(|offer| ("Model", offer_line(offer, models))));
    rows
}
