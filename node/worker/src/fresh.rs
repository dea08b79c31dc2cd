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
    /// Notes that a request was submitted `now`.
    pub fn add(&self, request: H256, now: Instant) {
        let mut fresh = self.0.lock();
        fresh.retain(|_, until| *until > now);
        fresh.insert(request, now + FRESH);
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
        let (fresh, now) = (Fresh::default(), Instant::now());
        let (one, other) = (H256::repeat_byte(1), H256::repeat_byte(2));
        fresh.add(one, now);
        assert!(fresh.contains(&one, now) && !fresh.contains(&other, now));
        assert!(!fresh.contains(&one, now + FRESH));
        fresh.add(other, now + FRESH);
        assert_eq!(fresh.0.lock().len(), 1);
    }
}
