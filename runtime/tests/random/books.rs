// SPDX-License-Identifier: Apache-2.0
//! Where the money is, and what happened to it.

use assay_runtime::{Balance, Balances, Runtime, RuntimeEvent, System};
use std::collections::BTreeSet;

/// What happened that is an end of something.
pub type Seen = BTreeSet<String>;

/// Does something and checks the money: all accounts together have what was issued, nothing is made,
/// and no more is lost than events say was taken.
pub fn watched(seen: &mut Seen, act: impl FnOnce()) {
    let (issuance, events) = (Balances::total_issuance(), System::event_count() as usize);
    act();
    let now = Balances::total_issuance();
    assert_eq!(wealth().0, now, "the sum of all money");
    assert!(now <= issuance, "money was made");
    let new: Vec<_> = System::events().into_iter().skip(events).map(|next| next.event).collect();
    assert!(issuance - now <= new.iter().map(taken).sum(), "money was lost");
    seen.extend(new.iter().filter_map(end));
}

/// All the money that accounts have, and all of it that is on hold.
pub fn wealth() -> (Balance, Balance) {
    frame_system::Account::<Runtime>::iter_values().fold((0, 0), |(all, held), account| {
        (all + account.data.free + account.data.reserved, held + account.data.reserved)
    })
}

/// What the event says was taken from somebody: as much can have been burnt.
fn taken(event: &RuntimeEvent) -> Balance {
    match event {
        RuntimeEvent::Operators(pallet_operators::Event::Seized { amount, .. })
        | RuntimeEvent::Operators(pallet_operators::Event::Slashed { amount, .. })
        | RuntimeEvent::Balances(pallet_balances::Event::DustLost { amount, .. }) => *amount,
        _ => 0,
    }
}

/// The name of an event that is the end of something.
fn end(event: &RuntimeEvent) -> Option<String> {
    use pallet_operators::Event;
    Some(match event {
        RuntimeEvent::Jobs(pallet_jobs::Event::JobSettled { settlement, .. }) => {
            format!("Job{:?}", settlement.outcome)
        }
        RuntimeEvent::Operators(Event::Registered { .. }) => "Registered".into(),
        RuntimeEvent::Operators(Event::Removed { .. }) => "Removed".into(),
        RuntimeEvent::Operators(Event::ContactSet { .. }) => "ContactSet".into(),
        RuntimeEvent::Operators(Event::WorkerSet { .. }) => "WorkerSet".into(),
        RuntimeEvent::Operators(Event::Withdrawn { .. }) => "Withdrawn".into(),
        RuntimeEvent::Operators(Event::DelegationWithdrawn { .. }) => "DelegationWithdrawn".into(),
        RuntimeEvent::Operators(Event::Seized { .. }) => "Seized".into(),
        RuntimeEvent::Operators(Event::Slashed { .. }) => "Slashed".into(),
        RuntimeEvent::Operators(Event::SlashCancelled { .. }) => "SlashCancelled".into(),
        RuntimeEvent::Addresses(pallet_addresses::Event::AddressUnregistered { .. }) => {
            "AddressUnregistered".into()
        }
        _ => return None,
    })
}
