// SPDX-License-Identifier: Apache-2.0
//! Waiting for a condition, instead of for a time.

use std::time::Duration;
use tokio::time::{interval, timeout};

/// The longest that a node may take to answer: it shares the cores with all else on the machine.
pub const START: Duration = Duration::from_secs(180);

/// The time between two looks at a condition.
const LOOK: Duration = Duration::from_millis(200);

/// Returns once the condition holds. Panics with `what` if it does not within that time.
pub async fn wait_for(what: &str, within: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let mut tick = interval(LOOK);
    let looking = async {
        loop {
            tick.tick().await;
            if holds().await {
                break;
            }
        }
    };
    timeout(within, looking).await.unwrap_or_else(|_| panic!("not in {within:?}: {what}"));
}
