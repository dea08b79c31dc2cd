// SPDX-License-Identifier: Apache-2.0
//! An operator and its offers.

use super::{
    format::{count, percent, planck},
    prices,
};
use crate::{amount::Amount, chain::state::hex_of, models::Models};
use assay_primitives::{
    api::{CommissionView, OfferView, OperatorView},
    contact::Address,
    Balance, Contact,
};
use assay_runtime::AccountId;
use serde_json::{json, Value};

/// Returns an operator as JSON.
pub fn json(operator: &OperatorView<AccountId>) -> Value {
    json!({
        "stash": operator.stash.to_string(),
        "payout": operator.payout.to_string(),
        "worker": operator.worker.to_string(),
        "retiring": operator.retiring.as_ref().map(|(worker, until)| json!({
            "worker": worker.to_string(),
            "block": until,
        })),
        "offers": operator.offers.iter().map(offer_json).collect::<Vec<_>>(),
        "concurrency": operator.concurrency,
        "running": operator.running,
        "draining": operator.draining,
        "bonded": planck(operator.bonded),
        "bondedAsy": Amount(operator.bonded).decimal(),
        "delegated": planck(operator.delegated),
        "delegatedAsy": Amount(operator.delegated).decimal(),
        "undelegating": planck(operator.undelegating),
        "delegators": operator.delegators,
        "commissionPercent": percent(operator.commission.current.into()),
        "commissionRaise": operator.commission.raise.map(|(to, at)| json!({
            "percent": percent(to.into()),
            "block": at,
        })),
        "slashes": operator.slashes.iter().map(|slash| json!({
            "id": slash.id,
            "amount": planck(slash.amount),
            "block": slash.due,
        })).collect::<Vec<_>>(),
        "refused": operator.refused.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "contact": operator.contact.as_ref().map(contact_json),
        "reserved": planck(operator.reserved),
        "reservedAsy": Amount(operator.reserved).decimal(),
        "unbonding": operator.unbonding.iter().map(|(amount, at)| json!({
            "amount": planck(*amount),
            "block": at,
        })).collect::<Vec<_>>(),
    })
}

fn contact_json(contact: &Contact) -> Value {
    json!({ "peerId": peer_id(contact), "addresses": addresses(contact) })
}

/// Formats the peer id in base 58.
fn peer_id(contact: &Contact) -> String {
    bs58::encode(&contact.peer_id).into_string()
}

/// Formats the multiaddresses as text; invalid ones stay in hex.
fn addresses(contact: &Contact) -> Vec<String> {
    let text = |bytes: &Address| {
        multiaddr::Multiaddr::try_from(bytes.to_vec())
            .map(|address| address.to_string())
            .unwrap_or_else(|_| hex_of(bytes))
    };
    contact.addresses.iter().map(text).collect()
}

/// Returns an offer as JSON.
pub fn offer_json(offer: &OfferView) -> Value {
    json!({
        "model": offer.model,
        "prices": prices::json(offer.prices),
        "context": offer.context,
        "maxReward": limit(offer.max_reward).map(planck),
        "maxBond": limit(offer.max_bond).map(planck),
    })
}

/// Returns a limit; `None` where there is none.
fn limit(most: Balance) -> Option<Balance> {
    (most < Balance::MAX).then_some(most)
}

/// Formats an offer as a line.
pub fn offer_line(offer: &OfferView, models: &Models) -> String {
    let model = match models.name(&offer.model) {
        Some(name) => format!("{name} ({:?})", offer.model),
        None => format!("{:?}", offer.model),
    };
    let mut line = format!("{model}, {}, context {}", prices::words(offer.prices), offer.context);
    for (name, most) in [("reward", offer.max_reward), ("bond", offer.max_bond)] {
        if let Some(most) = limit(most) {
            line.push_str(&format!(", {name} at most {}", Amount(most)));
        }
    }
    line
}

fn commission(commission: &CommissionView) -> String {
    let current = percent(commission.current.into());
    match commission.raise {
        Some((to, at)) => format!("{current} %, {} % from block {at}", percent(to.into())),
        None => format!("{current} %"),
    }
}

/// Returns an operator as rows for a person.
pub fn rows(operator: &OperatorView<AccountId>, models: &Models) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("Stash", operator.stash.to_string()),
        ("Worker", operator.worker.to_string()),
        ("Stake", Amount(operator.bonded).to_string()),
    ];
    if let Some((worker, until)) = &operator.retiring {
        rows.insert(2, ("Retiring", format!("{worker} until block {until}")));
    }
    if operator.payout != operator.stash {
        rows.insert(1, ("Payout", operator.payout.to_string()));
    }
    if operator.delegators > 0 {
        let delegators = count(operator.delegators, "account");
        rows.push(("Delegated", format!("{} by {delegators}", Amount(operator.delegated))));
    }
    if operator.undelegating > 0 {
        rows.push(("Taken back", Amount(operator.undelegating).to_string()));
    }
    rows.push(("Reserved", Amount(operator.reserved).to_string()));
    for (amount, at) in &operator.unbonding {
        rows.push(("Unbonding", format!("{} until block {at}", Amount(*amount))));
    }
    for slash in &operator.slashes {
        let amount = Amount(slash.amount);
        let text = format!("{amount}, due from block {}, number {}", slash.due, slash.id);
        rows.push(("Slash", text));
    }
    rows.push(("Commission", commission(&operator.commission)));
    let jobs = format!("{} of at most {} running", operator.running, operator.concurrency);
    let drains = if operator.draining { ", draining" } else { "" };
    rows.push(("Jobs", format!("{jobs}{drains}")));
    rows.extend(operator.refused.iter().map(|client| ("Refuses", client.to_string())));
    if let Some(contact) = &operator.contact {
        rows.push(("Peer", peer_id(contact)));
        rows.extend(addresses(contact).into_iter().map(|address| ("Address", address)));
    }
    if operator.offers.is_empty() {
        rows.push(("Models", count(0u32, "model")));
    }
    rows.extend(operator.offers.iter().map(|offer| ("Model", offer_line(offer, models))));
    rows
}

/// Returns an operator that has offers and nothing else, for tests.
#[cfg(test)]
pub fn serving(stash: &AccountId, offers: Vec<OfferView>) -> OperatorView<AccountId> {
    OperatorView {
        stash: stash.clone(),
        payout: stash.clone(),
        worker: stash.clone(),
        retiring: None,
        offers,
        concurrency: 1,
        running: 0,
        draining: false,
        bonded: 0,
        delegated: 0,
        undelegating: 0,
        delegators: 0,
        reserved: 0,
        unbonding: vec![],
        commission: CommissionView::default(),
        slashes: vec![],
        refused: vec![],
        contact: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::{
        api::SlashView,
        contact::{peer_id, Addresses},
    };
    use assay_runtime::UNIT;
    use sp_keyring::Sr25519Keyring;

    fn operator() -> OperatorView<AccountId> {
        let address = Address::try_from(vec![4, 127, 0, 0, 1, 6, 0x76, 0x7d]).unwrap();
        let odd = Address::try_from(vec![0xff]).unwrap();
        OperatorView {
            payout: Sr25519Keyring::Bob.to_account_id(),
            worker: Sr25519Keyring::Charlie.to_account_id(),
            retiring: Some((Sr25519Keyring::Dave.to_account_id(), 7)),
            concurrency: 4,
            running: 1,
            draining: true,
            bonded: 2 * UNIT,
            delegated: 3 * UNIT,
            undelegating: UNIT,
            delegators: 2,
            reserved: UNIT,
            commission: CommissionView { current: 75_000_000, raise: Some((100_000_000, 9)) },
            slashes: vec![SlashView { id: 5, amount: UNIT, due: 8 }],
            contact: Some(Contact {
                peer_id: peer_id(&[7; 32]),
                addresses: Addresses::try_from(vec![address, odd]).unwrap(),
            }),
            ..serving(&Sr25519Keyring::Alice.to_account_id(), vec![])
        }
    }

    #[test]
    fn json_has_every_field() {
        let json = json(&operator());
        assert_eq!(json["retiring"]["block"], 7);
        assert_eq!(json["delegatedAsy"], "3");
        assert_eq!(json["commissionPercent"], "7.5");
        assert_eq!(json["commissionRaise"], serde_json::json!({ "percent": "10", "block": 9 }));
        assert_eq!(json["slashes"][0]["id"], 5);
        assert_eq!(json["draining"], true);
        let peer = json["contact"]["peerId"].as_str().unwrap();
        assert!(peer.starts_with("12D3KooW"), "{peer}");
        let addresses = &json["contact"]["addresses"];
        assert_eq!(*addresses, serde_json::json!(["/ip4/127.0.0.1/tcp/30333", "0xff"]));
        assert_ne!(json["payout"], json["stash"]);
    }

    #[test]
    fn rows_show_the_exceptions_only_when_there_are_any() {
        let text =
            |operator: &OperatorView<AccountId>| format!("{:?}", rows(operator, &Models::none()));
        let mut operator = operator();
        let said = text(&operator);
        for part in ["Payout", "3 ASY by 2 accounts", "draining", "number 5", "10 % from"] {
            assert!(said.contains(part), "{part} in {said}");
        }
        operator.payout = operator.stash.clone();
        operator.draining = false;
        operator.delegators = 0;
        operator.commission.raise = None;
        let said = text(&operator);
        for part in ["Payout", "Delegated", "draining", "from block 9"] {
            assert!(!said.contains(part), "{part} in {said}");
        }
    }
}
