// SPDX-License-Identifier: Apache-2.0
//! The thread that keeps the store in order: it measures the free space, opens a database that has
//! failed again, and writes what waits in memory.

use super::metrics::StoreMetrics;
use crate::{
    context::Context,
    guard::{guarded, spawn},
    LOG_TARGET,
};
use assay_engine::EngineError;
use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// The time between two looks at a store that is in order.
const LOOK: Duration = Duration::from_secs(10);
/// The time after which a store that has failed is tried again. It doubles up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest time between two attempts.
const LONGEST: Duration = Duration::from_secs(60);

/// The keeper of a worker's store, which ends when it is dropped.
pub struct Keeper {
    context: Arc<Context>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread.
    pub fn start(
        context: Arc<Context>,
        metrics: Option<StoreMetrics>,
    ) -> Result<Self, EngineError> {
        let kept = context.clone();
        let thread = spawn("assay-store".into(), move || run(&kept, metrics.as_ref()))?;
        Ok(Self { context, thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.context.store.health.close();
        if let Some(thread) = self.thread.take() {
            // Its panics are caught and logged.
            let _ = thread.join();
        }
    }
}

/// Keeps the store in order until the worker ends, and writes what waits a last time then.
fn run(context: &Context, metrics: Option<&StoreMetrics>) {
    let store = &context.store;
    let mut pause = SHORTEST;
    let mut in_order_since = Instant::now();
    loop {
        let wait = match keep(context) {
            Ok(()) => {
                // A store that fails again and again is not tried more and more often.
                if in_order_since.elapsed() > LONGEST {
                    pause = SHORTEST;
                }
                LOOK
            }
            Err(()) => {
                let wait = pause;
                pause = LONGEST.min(pause * 2);
                in_order_since = Instant::now() + wait;
                wait
            }
        };
        if let Some(metrics) = metrics {
            metrics.measure(store);
        }
        if !store.health.wait(wait) {
            // The worker's other threads have ended.
            let _ = keep(context);
            return;
        }
    }
}

/// Mends the store if something is wrong with it.
fn keep(context: &Context) -> Result<(), ()> {
    let store = &context.store;
    // The space may have been freed since the last look.
    store.measure();
    if !store.health.is_broken() && store.pending() == 0 {
        return Ok(());
    }
    let mended = guarded(|| store.mend(context.spared()));
    mended
        .map_err(|panic| format!("it panicked: {panic}"))
        .and_then(|mended| mended.map_err(|error| error.to_string()))
        .map_err(|problem| {
            log::debug!(target: LOG_TARGET, "the worker's store is not mended yet: {problem}");
        })
}
