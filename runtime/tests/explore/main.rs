// SPDX-License-Identifier: Apache-2.0
//! Breadth-first exploration of what can happen to one job, through the pallets of the real runtime. From
//! the states along some scripted courses on, everybody who can act does, in every way, and time passes.
//! No act mints money or loses more than events report. From each state time alone, with every
//! operator gone, leads to an end in which nothing of the job is left on hold.
//!
//! `ASSAY_EXPLORE_STATES` says how many states are visited (1,000):
//!
//! ```text
//! ASSAY_EXPLORE_STATES=100000 cargo test --release -p assay-runtime --test explore -- --nocapture
//! ```

mod acts;
#[path = "../blocks/mod.rs"]
mod blocks;
#[path = "../books/mod.rs"]
mod books;
#[path = "../chain/mod.rs"]
mod chain;
mod courses;
mod ends;
#[path = "../invariants/mod.rs"]
mod invariants;
mod pool;
mod snapshot;
mod time;

use acts::{act, acts, Act};
use assay_runtime::{RuntimeEvent, System};
use books::{watched, Seen};
use ends::Ends;
use snapshot::Snapshot;
use std::collections::{BTreeMap, HashSet, VecDeque};

/// The number of states that are visited if the environment does not say it.
const STATES: usize = 1_000;

/// The events of outcomes and publication that the exploration must see.
const OUTCOMES: [&str; 7] = [
    "ChunkPublished",
    "JobCancelled",
    "JobExpired",
    "JobPaid",
    "JobRefunded",
    "JobSlashed",
    "JobUnverified",
];

/// Counts of what was tried and of what happened.
#[derive(Default)]
struct Counts {
    /// How often each kind of act changed something.
    acts: BTreeMap<String, usize>,
    /// How often each kind of event was seen.
    events: BTreeMap<String, usize>,
    seen: Seen,
}

impl Counts {
    /// Returns the state after the act.
    fn step(&mut self, state: &Snapshot, next: &Act) -> Snapshot {
        let new = state.after(|| self.play(next));
        if new.id() != state.id() {
            *self.acts.entry(next.kind()).or_default() += 1;
        }
        new
    }

    /// Performs the act in the current state.
    fn play(&mut self, next: &Act) {
        System::reset_events();
        match *next {
            Act::Pass { luck } => time::pass(&mut self.seen, true, luck),
            _ => watched(&mut self.seen, || act(next)),
        }
        invariants::check();
        for record in System::events() {
            *self.events.entry(name(&record.event)).or_default() += 1;
        }
    }

    /// Prints the counts, a line each.
    #[allow(clippy::print_stdout, reason = "the counts are what a long run is for")]
    fn print(&self, states: usize, ends: &Ends) {
        println!("{states} states visited, {} seen to end by time alone", ends.known());
        for (name, count) in self.acts.iter().chain(&self.events) {
            println!("{count:>9} {name}");
        }
    }
}

/// Returns the name of an event's pallet and variant.
fn name(event: &RuntimeEvent) -> String {
    let text = format!("{event:?}");
    let end = text.find([' ', '{']).unwrap_or(text.len());
    text[..end].replace('(', "::")
}

#[test]
fn every_state_of_a_job_ends_by_time_alone_and_keeps_the_money() {
    let most = std::env::var("ASSAY_EXPLORE_STATES")
        .map_or(STATES, |text| text.parse().expect("ASSAY_EXPLORE_STATES is not a number"));
    let (mut counts, mut ends) = (Counts::default(), Ends::default());
    let mut visited = HashSet::new();
    let mut queue = VecDeque::new();
    for course in courses::all() {
        let mut state = course.start;
        for next in &course.acts {
            state = counts.step(&state, next);
            if visited.insert(state.id()) {
                queue.push_back(state.clone());
            }
        }
    }
    let mut expanded = 0usize;
    while let Some(state) = queue.pop_front() {
        ends.check(&state);
        expanded += 1;
        let possible = state.read(acts);
        for next in possible {
            if visited.len() >= most {
                break;
            }
            let new = counts.step(&state, &next);
            if visited.insert(new.id()) {
                queue.push_back(new);
            }
        }
    }
    counts.print(expanded, &ends);
    for outcome in OUTCOMES {
        assert!(counts.seen.contains_key(outcome), "{outcome} was never reached");
    }
    for kind in Act::KINDS {
        assert!(counts.acts.contains_key(kind), "{kind} never changed anything");
    }
}
