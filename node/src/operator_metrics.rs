// SPDX-License-Identifier: Apache-2.0
//! Metrics of the operators that this node works for, as the chain records them.
//!
//! The node looks for the operators of the worker keys in its keystore. Amounts and states are those of
//! the best block. Events are counted in finalised blocks, each once, so that a reorganisation counts
//! nothing twice. Each block costs a handful of reads for each operator.
//!
//! | files | content |
//! | --- | --- |
//! | `watch.rs` | the task that follows the chain |
//! | `state.rs` | the chain's records, read from the state of a block |
//! | `gauges.rs`, `offers.rs`, `counters.rs` | the metrics of operators, of their offers and of events |
//! | `heartbeats.rs`, `reports.rs` | events that the chain does not deposit: missed heartbeats, retries |

mod counters;
mod gauges;
mod heartbeats;
mod offers;
mod reports;
mod state;
mod watch;

use crate::client::Parts;
use sc_service::{error::Error as ServiceError, Configuration, TaskManager};
use watch::Watch;

/// Starts the task that keeps the metrics of the node's operators, if the node exports metrics.
pub fn spawn(
    config: &Configuration,
    task_manager: &TaskManager,
    parts: &Parts,
) -> Result<(), ServiceError> {
    let Some(registry) = config.prometheus_registry() else { return Ok(()) };
    let watch = Watch::new(parts, registry)?;
    task_manager.spawn_handle().spawn_blocking("assay-operator-metrics", None, watch.run());
    Ok(())
}
