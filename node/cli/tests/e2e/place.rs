// SPDX-License-Identifier: Apache-2.0
//! The number of nodes that run at a time where all tests share a process, as with `cargo test`.
//! With nextest each test is a process, and `.config/nextest.toml` sets the same limit.

use tokio::sync::{Semaphore, SemaphorePermit};

const COUNT: usize = 4;

static PLACES: Semaphore = Semaphore::const_new(COUNT);

/// A node's permission to run.
pub type Place = SemaphorePermit<'static>;

/// Waits for the places of a network of that many nodes, all at once, so that no two networks wait
/// for each other. A network that is larger than the limit gets all places that there are.
pub async fn take(nodes: usize) -> impl Iterator<Item = Place> {
    let count = u32::try_from(nodes.min(COUNT)).expect("it is small");
    let mut all = PLACES.acquire_many(count).await.expect("it is never closed");
    std::iter::from_fn(move || all.split(1))
}
