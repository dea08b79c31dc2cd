// SPDX-License-Identifier: Apache-2.0
//! Counts what is sent.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::interval;

/// The numbers of what was sent.
#[derive(Default)]
pub struct Count {
    answered: AtomicU64,
    refused: AtomicU64,
}

impl Count {
    /// Counts an answer, or a refusal.
    pub fn add(&self, answered: bool) {
        let count = if answered { &self.answered } else { &self.refused };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Prints the numbers every ten seconds.
    #[allow(clippy::print_stdout, reason = "the numbers are this program's output")]
    pub async fn print(&self) {
        let mut tick = interval(Duration::from_secs(10));
        loop {
            tick.tick().await;
            let [answered, refused] =
                [&self.answered, &self.refused].map(|count| count.load(Ordering::Relaxed));
            println!("{answered} answered, {refused} refused");
        }
    }
}

/// Returns the ticks of one of `parts` that together tick `rate` times a second.
pub fn ticks(rate: u32, parts: u32) -> tokio::time::Interval {
    let mut ticks = interval(Duration::from_secs(1) * parts.max(1) / rate.max(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    ticks
}
