// SPDX-License-Identifier: Apache-2.0
//! The prompts that were submitted a short time ago, and wait for the orders that name them.

use parking_lot::Mutex;
use sp_core::H256;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// The time for which a prompt is kept for its order.
pub const FRESH: Duration = Duration::from_secs(600);

/// The prompts that were submitted less than [`FRESH`] ago, with the times at which that ends.
#[derive(Default)]
pub struct Fresh(Mutex<BTreeMap<H256, Instant>>);

impl Fresh {
    /// Takes prompts that were submitted at a time that is not known as submitted `now`.
    pub fn new(prompts: Vec<H256>, now: Instant) -> Self {
        Self(Mutex::new(prompts.into_iter().map(|prompt| (prompt, now + FRESH)).collect()))
    }

    /// Notes that a prompt is submitted `now`, and returns until when it was fresh before.
    pub fn add(&self, prompt: H256, now: Instant) -> Option<Instant> {
        let mut fresh = self.0.lock();
        fresh.retain(|_, until| *until > now);
        fresh.insert(prompt, now + FRESH)
    }

    /// Takes a note back, after which the prompt is fresh until that time, or not at all.
    pub fn take_back(&self, prompt: &H256, before: Option<Instant>) {
        let mut fresh = self.0.lock();
        match before {
            Some(until) => fresh.insert(*prompt, until),
            None => fresh.remove(prompt),
        };
    }

    /// Returns whether a prompt is fresh.
    pub fn contains(&self, prompt: &H256, now: Instant) -> bool {
        self.0.lock().get(prompt).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_is_fresh_for_a_time_and_then_forgotten() {
        let (one, other) = (H256::repeat_byte(1), H256::repeat_byte(2));
        let now = Instant::now();
        let fresh = Fresh::new(vec![one], now);
        assert!(fresh.contains(&one, now) && !fresh.contains(&other, now));
        assert!(!fresh.contains(&one, now + FRESH));
        fresh.add(other, now + FRESH);
        assert_eq!(fresh.0.lock().len(), 1);
    }

    #[test]
    fn prompt_that_is_not_stored_is_as_fresh_as_before() {
        let (fresh, now, prompt) = (Fresh::default(), Instant::now(), H256::repeat_byte(1));
        let before = fresh.add(prompt, now);
        fresh.take_back(&prompt, before);
        assert!(!fresh.contains(&prompt, now));
        fresh.add(prompt, now);
        let before = fresh.add(prompt, now + FRESH / 2);
        fresh.take_back(&prompt, before);
        assert!(fresh.contains(&prompt, now) && !fresh.contains(&prompt, now + FRESH));
    }
}
