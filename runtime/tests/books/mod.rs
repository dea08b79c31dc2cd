// SPDX-License-Identifier: Apache-2.0
//! The location of all money, and the events that move it.

use assay_runtime::{Balance, Balances, Runtime, RuntimeEvent, System};
use std::collections::BTreeMap;

/// The number of occurrences of each event that ends something, by its name.
pub type Seen = BTreeMap<String, usize>;

/// Runs `act` and checks the money: all accounts together have the total issuance, nothing is
/// minted, and no more is lost than events report as taken.
pub fn watched(seen: &mut Seen, act: impl FnOnce()) {
    let (issuance, events) = (Balances::total_issuance(), System::event_count() as usize);
    act();
    let now = Balances::total_issuance();
    assert_eq!(wealth().0, now, "the sum of all money differs from the issuance");
    assert!(now <= issuance, "money was minted");
    let new: Vec<_> = System::events().into_iter().skip(events).map(|next| next.event).collect();
    assert!(issuance - now <= new.iter().map(taken).sum(), "money was lost");
    for end in new.iter().filter_map(end) {
        *seen.entry(end).or_default() += 1;
    }
}

/// Returns all money of the accounts, and the part of it that is on hold.
pub fn wealth() -> (Balance, Balance) {
    frame_system::Account::<Runtime>::iter_values().fold((0, 0), |(all, held), account| {
        (all + account.data.free + account.data.reserved, held + account.data.reserved)
    })
}

/// Returns the amount that the event reports as burnt or taken from somebody, which is the most that can
/// have been burnt.
fn taken(event: &RuntimeEvent) -> Balance {
    match event {
        RuntimeEvent::Operators(pallet_operators::Event::Seized { amount, .. })
        | RuntimeEvent::Operators(pallet_operators::Event::Slashed { amount, .. })
        | RuntimeEvent::Escrow(
            pallet_escrow::Event::Burnt { amount, .. }
            | pallet_escrow::Event::BondSeized { amount, .. },
        )
        | RuntimeEvent::Balances(pallet_balances::Event::DustLost { amount, .. }) => *amount,
        _ => 0,
    }
}

/// Returns the name of an event that ends something.
fn end(event: &RuntimeEvent) -> Option<String> {
    use pallet_operators::Event;
    Some(match event {
        RuntimeEvent::Jobs(pallet_jobs::Event::JobSettled { settlement, .. }) => {
            if settlement.audit_fees > 0 {
                "JobPaidWithAudit".into()
            } else {
                format!("Job{:?}", settlement.outcome)
            }
        }
        RuntimeEvent::Verification(pallet_verification::Event::ChunkPublished { .. }) => {
            "ChunkPublished".into()
        }
        RuntimeEvent::Verification(pallet_verification::Event::OutputChallenged { .. }) => {
            "OutputChallenged".into()
        }
        RuntimeEvent::Verification(pallet_verification::Event::ChallengeLost { .. }) => {
            "ChallengeLost".into()
        }
        RuntimeEvent::Verification(pallet_verification::Event::ChallengeBondReturned {
            ..
        }) => "ChallengeBondReturned".into(),
        RuntimeEvent::Verification(pallet_verification::Event::AuditConcluded {
            outcome, ..
        }) => format!("Audit{outcome:?}"),
        RuntimeEvent::Verification(pallet_verification::Event::PanelFailed { failure, .. }) => {
            format!("Panel{failure:?}")
        }
        RuntimeEvent::Verification(pallet_verification::Event::VerifierSlashed {
            offence, ..
        }) => format!("Verifier{offence:?}"),
        RuntimeEvent::Operators(Event::Registered { .. }) => "Registered".into(),
        RuntimeEvent::Operators(Event::Removed { .. }) => "Removed".into(),
        RuntimeEvent::Operators(Event::ContactSet { .. }) => "ContactSet".into(),
        RuntimeEvent::Operators(Event::WorkerSet { .. }) => "WorkerSet".into(),
        RuntimeEvent::Operators(Event::WorkerRetiring { .. }) => "WorkerRetiring".into(),
        RuntimeEvent::Operators(Event::WorkerRetired { .. }) => "WorkerRetired".into(),
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
