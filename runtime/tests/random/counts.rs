// SPDX-License-Identifier: Apache-2.0
//! Counts of the calls and reports that were taken, of the states seen after each step, and of the ends.

use crate::books::{self, Seen};
use assay_primitives::{settlement::AuditOutcome, JobState, Outcome, Report};
use assay_runtime::{AccountId, Runtime, RuntimeCall, RuntimeEvent, System};
use frame_support::traits::{CallMetadata, GetCallMetadata};
use pallet_verification::{Offence, PanelFailure, Phase, Stage};
use scale_info::{TypeDef, TypeInfo};
use std::fmt::{self, Debug, Display, Formatter};

/// The pallets whose calls are made.
const PALLETS: [&str; 6] = ["Addresses", "Escrow", "Jobs", "Operators", "Settings", "Verification"];

/// The calls that nobody makes here: that of reports, which are counted themselves; the one for what an
/// account could not receive, while all accounts here can; and the one that moves an audit on where more
/// are due in one block than the chain moves by itself.
const NOT_COUNTED: [&str; 3] = ["Escrow.claim", "Operators.report", "Verification.advance"];

/// The events that must be seen beside the outcomes of jobs, audits, panels and verifiers.
const EVENTS: [&str; 17] = [
    "AddressUnregistered",
    "ChallengeBondReturned",
    "ChallengeLost",
    "ChunkPublished",
    "ContactSet",
    "DelegationWithdrawn",
    "JobPaidWithAudit",
    "OutputChallenged",
    "Registered",
    "Removed",
    "Seized",
    "SlashCancelled",
    "Slashed",
    "Withdrawn",
    "WorkerRetired",
    "WorkerRetiring",
    "WorkerSet",
];

/// The counts of some sequences.
#[derive(Default)]
pub struct Counts {
    calls: Seen,
    states: Seen,
    ends: Seen,
}

impl Counts {
    /// Runs `act` and checks the money; see [`books::watched`].
    pub fn watch(&mut self, act: impl FnOnce(&mut Self)) {
        let mut ends = std::mem::take(&mut self.ends);
        books::watched(&mut ends, || act(self));
        self.ends = ends;
    }

    /// Counts a call that succeeded.
    pub fn call(&mut self, call: CallMetadata) {
        let CallMetadata { pallet_name, function_name } = call;
        more(&mut self.calls, format!("{pallet_name}.{function_name}"));
    }

    /// Counts a report that was taken.
    pub fn report(&mut self, report: &Report) {
        more(&mut self.calls, named("Report", report));
    }

    /// Counts the heartbeats that were taken in this block.
    pub fn heartbeats(&mut self) {
        for record in System::events() {
            if let RuntimeEvent::Routing(pallet_routing::Event::HeartbeatReceived { .. }) =
                record.event
            {
                more(&mut self.calls, "ReportHeartbeat".into());
            }
        }
    }

    /// Counts the states of all jobs and audits.
    pub fn states(&mut self) {
        for job in pallet_jobs::Jobs::<Runtime>::iter_values() {
            more(&mut self.states, named("Job", &job.state));
        }
        for audit in pallet_verification::Audits::<Runtime>::iter_values() {
            more(&mut self.states, named("Stage", &audit.stage));
            more(&mut self.states, named("Phase", &audit.phase));
        }
    }

    /// Adds the counts of other sequences.
    pub fn add(&mut self, other: Self) {
        let mine = [&mut self.calls, &mut self.states, &mut self.ends];
        for (mine, other) in mine.into_iter().zip([other.calls, other.states, other.ends]) {
            for (name, count) in other {
                *mine.entry(name).or_default() += count;
            }
        }
    }

    /// Returns the names of all that there is and that was never seen.
    pub fn missing(&self) -> Vec<String> {
        let calls = PALLETS.iter().flat_map(|pallet| {
            let names = RuntimeCall::get_call_names(pallet);
            names.iter().map(move |name| format!("{pallet}.{name}"))
        });
        let calls = calls.filter(|call| !NOT_COUNTED.contains(&call.as_str()));
        let calls = calls.chain(variants::<Report>("Report"));
        let states = [
            variants::<JobState<AccountId>>("Job"),
            variants::<Stage>("Stage"),
            variants::<Phase>("Phase"),
        ];
        let ends = [
            variants::<Outcome>("Job"),
            variants::<AuditOutcome>("Audit"),
            variants::<PanelFailure>("Panel"),
            variants::<Offence>("Verifier"),
            EVENTS.map(String::from).to_vec(),
        ];
        let unseen = |mut all: Vec<String>, seen: &Seen| {
            all.retain(|name| !seen.contains_key(name));
            all
        };
        [
            unseen(calls.collect(), &self.calls),
            unseen(states.concat(), &self.states),
            unseen(ends.concat(), &self.ends),
        ]
        .concat()
    }
}

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let all = [("calls", &self.calls), ("states", &self.states), ("ends", &self.ends)];
        for (title, seen) in all {
            writeln!(f, "{title}")?;
            for (name, count) in seen {
                writeln!(f, "{count:>12} {name}")?;
            }
        }
        Ok(())
    }
}

fn more(seen: &mut Seen, name: String) {
    *seen.entry(name).or_default() += 1;
}

/// Returns the name of a value's variant, after the name of its kind.
fn named(kind: &str, value: &impl Debug) -> String {
    let value = format!("{value:?}");
    let end = value.find(|c: char| !c.is_alphanumeric()).unwrap_or(value.len());
    format!("{kind}{}", &value[..end])
}

/// Returns the names of all variants of an enumeration.
fn variants<T: TypeInfo>(kind: &str) -> Vec<String> {
    let TypeDef::Variant(variants) = T::type_info().type_def else {
        panic!("{kind} is an enumeration")
    };
    variants.variants.iter().map(|variant| format!("{kind}{}", variant.name)).collect()
}
