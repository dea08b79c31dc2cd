// SPDX-License-Identifier: Apache-2.0
//! The requests and bytes that one peer is granted.
//!
//! A node serves each peer within [`SERVED`], and asks each peer within [`ASKED`], which is half of it.
//! So only a peer that does otherwise is ever refused for asking too much.

use std::time::{Duration, Instant};

/// An amount that grows with time.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// The most that can be taken at once.
    pub burst: u32,
    /// The growth per second.
    pub per_second: u32,
}

/// The limits of one peer.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The requests that are in progress at the same time.
    pub in_progress: usize,
    /// The number of requests.
    pub requests: Rate,
    /// The bytes of the responses.
    pub bytes: Rate,
}

/// The limits within which a peer is served. The rate of bytes is that of a payload of the longest kind
/// every two seconds.
pub const SERVED: Limits = Limits {
    in_progress: 8,
    requests: Rate { burst: 256, per_second: 64 },
    bytes: Rate { burst: 32 << 20, per_second: 4 << 20 },
};

/// The limits within which a peer is asked.
pub const ASKED: Limits = Limits {
    in_progress: SERVED.in_progress / 2,
    requests: SERVED.requests.half(),
    bytes: SERVED.bytes.half(),
};

impl Rate {
    const fn half(self) -> Self {
        Self { burst: self.burst / 2, per_second: self.per_second / 2 }
    }
}

/// The rest of an amount.
struct Bucket {
    rate: Rate,
    left: f64,
}

impl Bucket {
    fn full(rate: Rate) -> Self {
        Self { rate, left: f64::from(rate.burst) }
    }

    fn add(&mut self, amount: f64) {
        self.left = (self.left + amount).min(f64::from(self.rate.burst));
    }

    /// Returns the time after which there is that amount.
    fn wait(&self, amount: f64) -> Duration {
        let lack = (amount - self.left).max(0.0);
        Duration::from_secs_f64(lack / f64::from(self.rate.per_second))
    }
}

/// The rest of a peer's requests and bytes.
pub struct Allowance {
    requests: Bucket,
    bytes: Bucket,
    at: Instant,
}

impl Allowance {
    /// Grants the whole burst.
    pub fn new(limits: &Limits, now: Instant) -> Self {
        let (requests, bytes) = (Bucket::full(limits.requests), Bucket::full(limits.bytes));
        Self { requests, bytes, at: now }
    }

    /// Takes a request whose response has at most that many bytes. If there is less left, takes nothing
    /// and returns the time after which there is enough.
    pub fn take(&mut self, bytes: usize, now: Instant) -> Result<(), Duration> {
        self.grow(now);
        let wait = self.requests.wait(1.0).max(self.bytes.wait(bytes as f64));
        if wait > Duration::ZERO {
            return Err(wait);
        }
        self.requests.left -= 1.0;
        self.bytes.left -= bytes as f64;
        Ok(())
    }

    /// Gives back bytes that the response did not have.
    pub fn return_bytes(&mut self, bytes: usize) {
        self.bytes.add(bytes as f64);
    }

    /// Returns whether nothing is taken, so that a new allowance would be the same.
    pub fn is_full(&mut self, now: Instant) -> bool {
        self.grow(now);
        let full = |bucket: &Bucket| bucket.left >= f64::from(bucket.rate.burst);
        full(&self.requests) && full(&self.bytes)
    }

    fn grow(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        for bucket in [&mut self.requests, &mut self.bytes] {
            bucket.add(seconds * f64::from(bucket.rate.per_second));
        }
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        in_progress: 1,
        requests: Rate { burst: 2, per_second: 1 },
        bytes: Rate { burst: 100, per_second: 10 },
    };

    #[test]
    fn requests_beyond_the_burst_wait_for_the_rate() {
        let now = Instant::now();
        let mut left = Allowance::new(&LIMITS, now);
        assert_eq!(left.take(0, now), Ok(()));
        assert_eq!(left.take(0, now), Ok(()));
        assert_eq!(left.take(0, now), Err(Duration::from_secs(1)));
        let later = now + Duration::from_secs(1);
        assert_eq!(left.take(0, later), Ok(()));
        assert!(left.take(0, later).is_err());
    }

    #[test]
    fn bytes_beyond_the_burst_wait_for_the_rate() {
        let now = Instant::now();
        let mut left = Allowance::new(&LIMITS, now);
        assert_eq!(left.take(60, now), Ok(()));
        assert_eq!(left.take(60, now), Err(Duration::from_secs(2)));
        left.return_bytes(20);
        assert_eq!(left.take(60, now), Ok(()));
    }

    #[test]
    fn allowance_never_exceeds_the_burst() {
        let now = Instant::now();
        let mut left = Allowance::new(&LIMITS, now);
        let later = now + Duration::from_secs(3600);
        assert!(left.is_full(later));
        left.return_bytes(1_000);
        assert_eq!(left.take(100, later), Ok(()));
        assert!(left.take(1, later).is_err());
        assert!(!left.is_full(later) && left.is_full(later + Duration::from_secs(10)));
    }

    #[test]
    fn one_request_fits_both_limits() {
        for limits in [SERVED, ASKED] {
            assert!(limits.bytes.burst as usize >= super::super::wire::MAX_RESPONSE_BYTES);
        }
    }
}
