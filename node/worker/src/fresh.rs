// SPDX-License-Identifier: Apache-2.0
//! The requests that were submitted a short time ago, and wait for the orders that name them.

use parking_lot::Mutex;
use sp_core::H256;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// The time for which a request is kept for its order.
pub const FRESH: Duration = Duration::from_secs(600);

/// The requests that were submitted less than [`FRESH`] ago, with the times at which that ends.
#[derive(Default)]
pub struct Fresh(Mutex<BTreeMap<H256, Instant>>);

impl Fresh {
    /// Takes requests that were submitted at a time that is not known as submitted `now`.
    pub fn new(requests: Vec<H256>, now: Instant) -> Self {
        Self(Mutex::new(requests.into_iter().map(|request| (request, now + FRESH)).collect()))
    }

    /// Notes that a request is submitted `now`, and returns until when it was fresh before.
    pub fn add(&self, request: H256, now: Instant) -> Option<Instant> {
        let mut fresh = self.0.lock();
        fresh.retain(|_, until| *until > now);
        fresh.insert(request, now + FRESH)
    }

    /// Takes a note back, after which the request is fresh until that time, or not at all.
    pub fn take_back(&self, request: &H256, before: Option<Instant>) {
        let mut fresh = self.0.lock();
        match before {
            Some(until) => fresh.insert(*request, until),
            None => fresh.remove(request),
        };
    }

    /// Returns whether a request is fresh.
    pub fn contains(&self, request: &H256, now: Instant) -> bool {
        self.0.lock().get(request).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_fresh_for_a_time_and_then_forgotten() {
        let (one, other) = (H256::repeat_byte(1), H256::repeat_byte(2));
        let now = Instant::now();
        let fresh = Fresh::new(vec![one], now);
        assert!(fresh.contains(&one, now) && !fresh.contains(&other, now));
        assert!(!fresh.contains(&one, now + FRESH));
        fresh.add(other, now + FRESH);
        assert_eq!(fresh.0.lock().len(), 1);
    }

    #[test]
    fn request_that_is_not_stored_is_as_fresh_as_before() {
        let (fresh, now, request) = (Fresh::default(), Instant::now(), H256::repeat_byte(1));
        let before = fresh.add(request, now);
        fresh.take_back(&request, before);
        assert!(!fresh.contains(&request, now));
        fresh.add(request, now);
        let before = fresh.add(request, now + FRESH / 2);
        fresh.take_back(&request, before);
        assert!(fresh.contains(&request, now) && !fresh.contains(&request, now + FRESH));
    }
}
