// SPDX-License-Identifier: Apache-2.0
//! Random sequences of acts by clients, operators, verifiers, delegators, offenders and root,
//! through all pallets of the real runtime. Every invariant of each pallet holds after every step.
//! No step and no block mints money or loses more than it slashes. Every job ends, and in the end
//! nothing is on hold or owed.
//!
//! Sequences of at least 50 steps are counted until every call, report, state and end has been seen.
//! `ASSAY_SEQUENCES` says how many are played at least (100), and with `--nocapture` the counts are
//! printed. A range plays the sequences with these numbers alone, so that a long run can be divided:
//!
//! ```text
//! ASSAY_SEQUENCES=100000 cargo test --release -p assay-runtime --test random counted -- --nocapture
//! ASSAY_SEQUENCES=20000..40000 cargo test --release -p assay-runtime --test random counted -- --nocapture
//! ```

mod acts;
#[path = "../blocks/mod.rs"]
mod blocks;
#[path = "../books/mod.rs"]
mod books;
#[path = "../chain/mod.rs"]
mod chain;
mod counts;
#[path = "../invariants/mod.rs"]
mod invariants;
mod people;
mod play;
mod steps;

use counts::Counts;
use play::play;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{
    ops::Range,
    sync::{
        atomic::{AtomicU64, Ordering},
        Mutex,
    },
    thread,
};
use steps::sequence;

/// The number of sequences that are counted if the environment does not say it.
const SEQUENCES: u64 = 100;
/// The number at which it ends although something was never seen.
const MOST: u64 = 3_000;

proptest! {
    #[test]
    fn sequences_through_all_pallets_keep_the_invariants_and_the_money(
        steps in sequence(1..120),
        trusted in any::<bool>(),
    ) {
        play(steps, trusted, &mut Counts::default());
    }
}

/// Plays the sequence with that number, which is the same each time.
fn play_number(number: u64, counts: &mut Counts) {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let steps = sequence(50..120).new_tree(&mut runner).expect("no step is filtered").current();
    play(steps, number.is_multiple_of(2), counts);
}

/// Returns the numbers of the sequences that a text asks for: so many from 0, or a range.
fn numbers(asked: &str) -> Option<Range<u64>> {
    let (start, end) = asked.split_once("..").unwrap_or(("0", asked));
    Some(start.parse().ok()?..end.parse().ok()?)
}

#[test]
#[allow(clippy::print_stdout, reason = "the counts are what a long run is for")]
fn counted_sequences_see_every_call_report_state_and_end() {
    let asked = std::env::var("ASSAY_SEQUENCES").unwrap_or_else(|_| SEQUENCES.to_string());
    let numbers = numbers(&asked).expect("ASSAY_SEQUENCES is a number, or a range as 100..200");
    let (next, all) = (AtomicU64::new(numbers.start), Mutex::new(Counts::default()));
    let count = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let most = number >= numbers.start + MOST;
        if number >= numbers.end && (most || all.lock().unwrap().missing().is_empty()) {
            break;
        }
        let mut counts = Counts::default();
        play_number(number, &mut counts);
        all.lock().unwrap().add(counts);
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(count);
        }
    });
    let counts = all.into_inner().unwrap();
    println!("at least the sequences {numbers:?}\n{counts}");
    assert_eq!(counts.missing(), Vec::<String>::new(), "never seen");
}
