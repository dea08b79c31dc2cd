// SPDX-License-Identifier: Apache-2.0
//! The budgets of calls and bytes for methods that cost the node work.
//!
//! Each connection has a budget, and so have all of them together, because a client can connect again,
//! and because each request over HTTP counts as a connection of its own. A budget is spent at once or
//! bit by bit, and fills up again at a steady rate.
//!
//! Connections are told apart by the numbers that the server gives them.

use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// A budget of one kind: the most that can be spent at once, and the part that returns in a second.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// The most that can be spent at once.
    pub most: u64,
    /// The part that returns in a second.
    pub per_second: u64,
}

/// The budgets of calls and of the bytes that they bring.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// The budget of calls.
    pub calls: Rate,
    /// The budget of bytes.
    pub bytes: Rate,
}

/// The budgets of `assay_submitPayload`, of each connection and of all.
pub const SUBMISSIONS: [Rates; 2] = [
    Rates {
        calls: Rate { most: 128, per_second: 8 },
        bytes: Rate { most: 8 << 20, per_second: 64 << 10 },
    },
    Rates {
        calls: Rate { most: 1_024, per_second: 32 },
        bytes: Rate { most: 32 << 20, per_second: 256 << 10 },
    },
];

/// The budgets of `assay_output` and `assay_subscribeOutput`, of each connection and of all. These calls
/// bring no bytes.
pub const LOOKUPS: [Rates; 2] = [
    Rates { calls: Rate { most: 128, per_second: 16 }, bytes: Rate { most: 0, per_second: 0 } },
    Rates { calls: Rate { most: 1_024, per_second: 64 }, bytes: Rate { most: 0, per_second: 0 } },
];

/// The number of connections with a budget that is not full beyond which the others are looked for and
/// forgotten.
const KEPT: usize = 1_024;

/// The budgets of a method.
#[derive(Clone)]
pub struct Budgets {
    each: Rates,
    all: Rates,
    spent: Arc<Mutex<Spent>>,
}

struct Spent {
    by_connection: BTreeMap<usize, Purse>,
    total: Purse,
    /// The number of connections at which those with a full budget are forgotten.
    kept: usize,
}

impl Budgets {
    /// Makes the budgets of each connection and of all.
    pub fn new([each, all]: [Rates; 2]) -> Self {
        let total = Purse::full(&all, Instant::now());
        let spent = Spent { by_connection: BTreeMap::new(), total, kept: KEPT };
        Self { each, all, spent: Arc::new(Mutex::new(spent)) }
    }

    /// Spends a call with so many bytes on behalf of a connection.
    ///
    /// # Errors
    ///
    /// The budget of the connection or that of all is too low. The error says which, and how long it
    /// takes to fill up. Nothing is spent then.
    pub fn spend(&self, connection: usize, bytes: usize) -> Result<(), String> {
        self.spend_at(connection, bytes as u64, Instant::now())
    }

    /// Gives back what a call has spent that the node did not serve after all.
    pub fn give_back(&self, connection: usize, bytes: usize) {
        let mut spent = self.spent.lock();
        if let Some(own) = spent.by_connection.get_mut(&connection) {
            own.give_back(&self.each, bytes as u64);
        }
        spent.total.give_back(&self.all, bytes as u64);
    }

    fn spend_at(&self, connection: usize, bytes: u64, now: Instant) -> Result<(), String> {
        let mut spent = self.spent.lock();
        let Spent { by_connection, total, kept } = &mut *spent;
        if by_connection.len() >= *kept {
            by_connection.retain(|_, purse| !purse.is_full(&self.each, now));
            *kept = KEPT.max(2 * by_connection.len());
        }
        let own = by_connection.entry(connection).or_insert_with(|| Purse::full(&self.each, now));
        own.refill(&self.each, now);
        total.refill(&self.all, now);
        own.ensure(&self.each, "this connection has", bytes)?;
        total.ensure(&self.all, "all connections of this node together have", bytes)?;
        own.take(bytes);
        total.take(bytes);
        Ok(())
    }
}

/// The remainders of a budget of calls and of one of bytes.
struct Purse {
    calls: Left,
    bytes: Left,
}

impl Purse {
    fn full(rates: &Rates, now: Instant) -> Self {
        let left = |rate: &Rate| Left { amount: rate.most, thousandths: 0, at: now };
        Self { calls: left(&rates.calls), bytes: left(&rates.bytes) }
    }

    fn refill(&mut self, rates: &Rates, now: Instant) {
        self.calls.refill(&rates.calls, now);
        self.bytes.refill(&rates.bytes, now);
    }

    fn is_full(&mut self, rates: &Rates, now: Instant) -> bool {
        self.refill(rates, now);
        self.calls.amount == rates.calls.most && self.bytes.amount == rates.bytes.most
    }

    /// Ensures that a call with so many bytes can be spent.
    fn ensure(&self, rates: &Rates, whose: &str, bytes: u64) -> Result<(), String> {
        for (left, rate, cost, what) in
            [(&self.calls, &rates.calls, 1, "calls"), (&self.bytes, &rates.bytes, bytes, "bytes")]
        {
            let Some(missing) = cost.checked_sub(left.amount).filter(|missing| *missing > 0) else {
                continue;
            };
            let Rate { most, per_second } = rate;
            let wait = missing.div_ceil((*per_second).max(1));
            return Err(format!(
                "{whose} a budget of {most} {what} of this method, {per_second} more a second, and \
                 it is spent; call again in {wait} s"
            ));
        }
        Ok(())
    }

    fn give_back(&mut self, rates: &Rates, bytes: u64) {
        let back = |left: &mut Left, rate: &Rate, cost: u64| {
            left.amount = left.amount.saturating_add(cost).min(rate.most);
        };
        back(&mut self.calls, &rates.calls, 1);
        back(&mut self.bytes, &rates.bytes, bytes);
    }

    fn take(&mut self, bytes: u64) {
        self.calls.amount = self.calls.amount.saturating_sub(1);
        self.bytes.amount = self.bytes.amount.saturating_sub(bytes);
    }
}

/// The remainder of one budget.
struct Left {
    amount: u64,
    /// The thousandths of a unit that have returned in addition.
    thousandths: u64,
    /// The time up to which it is filled.
    at: Instant,
}

impl Left {
    fn refill(&mut self, rate: &Rate, now: Instant) {
        let millis = now.saturating_duration_since(self.at).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        let gained = millis.saturating_mul(rate.per_second).saturating_add(self.thousandths);
        self.amount = self.amount.saturating_add(gained / 1_000).min(rate.most);
        if self.amount == rate.most {
            (self.thousandths, self.at) = (0, now);
        } else {
            // The part of a millisecond that is left counts the next time.
            self.thousandths = gained % 1_000;
            self.at += Duration::from_millis(millis);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_worker::{FRESH, MAX_PINNED_BYTES, MAX_SUBMITTED_BYTES, PAYLOAD_FRAME_BYTES};

    const SMALL: [Rates; 2] = [
        Rates { calls: Rate { most: 3, per_second: 2 }, bytes: Rate { most: 100, per_second: 10 } },
        Rates { calls: Rate { most: 5, per_second: 1 }, bytes: Rate { most: 150, per_second: 5 } },
    ];

    fn seconds(n: f64) -> Duration {
        Duration::from_secs_f64(n)
    }

    #[test]
    fn connection_can_spend_its_calls_and_gets_them_back() {
        let budgets = Budgets::new(SMALL);
        let now = Instant::now();
        for _ in 0..3 {
            budgets.spend_at(1, 0, now).unwrap();
        }
        let refused = budgets.spend_at(1, 0, now).unwrap_err();
        assert!(refused.contains("this connection") && refused.contains("in 1 s"), "{refused}");
        // Half of the time for a call is not lost when it is asked for in between.
        assert!(budgets.spend_at(1, 0, now + seconds(0.3)).is_err());
        assert!(budgets.spend_at(1, 0, now + seconds(0.5)).is_ok());
        assert!(budgets.spend_at(1, 0, now + seconds(0.6)).is_err());
    }

    #[test]
    fn connection_can_spend_its_bytes_and_others_keep_theirs() {
        let budgets = Budgets::new(SMALL);
        let now = Instant::now();
        budgets.spend_at(1, 90, now).unwrap();
        let refused = budgets.spend_at(1, 45, now).unwrap_err();
        assert!(refused.contains("100 bytes") && refused.contains("in 4 s"), "{refused}");
        budgets.spend_at(1, 10, now).unwrap();
        budgets.spend_at(2, 50, now).expect("nothing was spent on what was refused");
    }

    #[test]
    fn call_that_is_not_served_costs_nothing() {
        let budgets = Budgets::new(SMALL);
        let now = Instant::now();
        for _ in 0..9 {
            budgets.spend_at(1, 100, now).unwrap();
            budgets.give_back(1, 100);
        }
        budgets.give_back(1, 100);
        budgets.spend_at(1, 100, now).unwrap();
        assert!(budgets.spend_at(1, 1, now).is_err(), "no more comes back than was spent");
    }

    #[test]
    fn connections_share_a_budget() {
        let budgets = Budgets::new(SMALL);
        let now = Instant::now();
        budgets.spend_at(1, 100, now).unwrap();
        let refused = budgets.spend_at(2, 60, now).unwrap_err();
        assert!(refused.contains("all connections") && refused.contains("150 bytes"), "{refused}");
        for connection in 2..6 {
            budgets.spend_at(connection, 0, now).unwrap();
        }
        let refused = budgets.spend_at(9, 0, now).unwrap_err();
        assert!(refused.contains("all connections") && refused.contains("5 calls"), "{refused}");
        assert!(budgets.spend_at(9, 0, now + seconds(1.0)).is_ok());
    }

    #[test]
    fn budget_that_is_looked_at_often_fills_up_at_its_rate() {
        for per_second in [8, 64, 64 << 10, 999] {
            let rate = Rate { most: 1 << 20, per_second };
            let (begun, mut now) = (Instant::now(), Instant::now());
            let mut left = Left { amount: 0, thousandths: 0, at: begun };
            for half_millis in 0..=2_000 {
                now = begun + Duration::from_micros(500 * half_millis);
                left.refill(&rate, now);
                assert!(left.at <= now);
            }
            assert_eq!((left.amount, left.at), (per_second, now));
        }
    }

    #[test]
    fn connections_with_a_full_budget_are_forgotten() {
        let all = Rate { most: u64::MAX, per_second: 1 };
        let budgets = Budgets::new([SMALL[0], Rates { calls: all, bytes: all }]);
        let now = Instant::now();
        for connection in 0..KEPT {
            budgets.spend_at(connection, 0, now).unwrap();
        }
        assert_eq!(budgets.spent.lock().by_connection.len(), KEPT);
        budgets.spend_at(KEPT, 0, now + seconds(1.0)).unwrap();
        assert_eq!(budgets.spent.lock().by_connection.len(), 1);
    }

    #[test]
    fn requests_that_are_kept_for_their_orders_fit_the_store_at_any_rate() {
        let [_, Rates { calls, bytes }] = SUBMISSIONS;
        let within = |rate: Rate| rate.most + rate.per_second * FRESH.as_secs();
        let kept = within(bytes) + PAYLOAD_FRAME_BYTES * within(calls);
        assert!(kept + MAX_PINNED_BYTES < MAX_SUBMITTED_BYTES, "{kept} bytes");
    }
}
