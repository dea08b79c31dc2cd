// SPDX-License-Identifier: Apache-2.0
//! Patience with a connection that breaks off: it is made again, with growing pauses in between.

use crate::{
    chain::{is_lost, Chain},
    out,
};
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::time::{sleep, Instant};

/// The pause before the first attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The time after which a node that cannot be reached is given up.
const PATIENCE: Duration = Duration::from_secs(300);

/// Connects to the node again if the error is that the connection is lost; returns any other error.
/// `note` is told of the loss and of the return.
pub async fn again(
    chain: &Chain,
    error: anyhow::Error,
    mut note: impl FnMut(&str) -> Result<()>,
) -> Result<()> {
    if !is_lost(&error) {
        return Err(error);
    }
    note(&format!("{error:#}. Connecting again."))?;
    let deadline = Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        sleep(pause).await;
        match chain.reconnect().await {
            Ok(()) => return note("Connected again."),
            Err(error) if !is_lost(&error) => return Err(error),
            Err(error) if Instant::now() >= deadline => {
                return Err(error).with_context(|| {
                    format!("the connection was not made again within {} s", PATIENCE.as_secs())
                })
            }
            Err(_) => pause = longer(pause),
        }
    }
}

/// Does the same, and writes the notes to standard error.
pub async fn aloud(chain: &Chain, error: anyhow::Error) -> Result<()> {
    let note = |text: &str| {
        out::note(text);
        Ok(())
    };
    again(chain, error, note).await
}

fn longer(pause: Duration) -> Duration {
    (pause * 2).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let pauses: Vec<_> = std::iter::successors(Some(FIRST_PAUSE), |pause| Some(longer(*pause)))
            .take(7)
            .collect();
        let millis: Vec<_> = pauses.iter().map(Duration::as_millis).collect();
        assert_eq!(millis, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    }
}
