// SPDX-License-Identifier: Apache-2.0
//! The worker of a node: it joins the runtime's off-chain workers to the engine.
//!
//! The runtime decides which work there is and hands it over through the
//! [`Mailbox`](assay_host::Mailbox). The worker queues it, gathers its payloads and runs it on threads
//! of its own. It keeps the results on disk, by job, until the chain shows that the job is over; on a
//! disk that fails or is full, in memory until they can be written, and then it declines new jobs.
//! Everything that the chain sees is a function of the job and of the node's secret, so a node that is
//! killed and started again reaches the same results.
//!
//! Work that panics is declined or abstained from, and the node goes on. Work that was in progress at
//! two deaths of the process is not tried a third time (`store/marks.rs`, `work/attempt.rs`).
//!
//! ```text
//!  runtime ── submit ──► queue ──► gather (payloads) ──► run (engine) ──► results ── poll ──► runtime
//!                                      ▲                     │
//!                                   network               streams ──► RPC, network
//! ```
//!
//! | files | content |
//! | --- | --- |
//! | `worker.rs`, `config.rs`, `mailbox.rs`, `status.rs` | the worker as the node and the runtime see it |
//! | `context.rs` | the state that all threads of the worker share |
//! | `work/` | the way of a piece of work: queue, gather, prepare, generate, verify |
//! | `engine/` | servers of models, their cores and priority, and how much they have promised |
//! | `store/` | everything that survives a restart: payloads, outputs, results, marks of work in progress, the secret |
//! | `request.rs` | the requests that the engine honours |
//! | `streams.rs`, `source.rs`, `metrics.rs`, `fault.rs` | tokens as they come, other nodes, Prometheus, ways to cheat and to crash |
//! | `guard.rs` | the guard against panics |

#![forbid(unsafe_code)]

mod config;
mod context;
mod engine;
mod fault;
mod fresh;
mod guard;
mod mailbox;
mod metrics;
mod request;
mod source;
mod status;
mod store;
mod streams;
mod work;
mod worker;

pub use config::{WorkerConfig, WorkerError};
pub use engine::cores::Cores;
pub use fault::{Crash, CrashKind, Fault};
pub use fresh::FRESH;
pub use mailbox::WorkerMailbox;
pub use request::SupportedRequest;
pub use source::{PayloadSource, Wanted};
pub use store::{
    error::StoreError,
    orders::Order,
    payloads::{
        FRAME as PAYLOAD_FRAME_BYTES, MAX_PAYLOAD_BYTES, MAX_PINNED_BYTES, MAX_SUBMITTED_BYTES,
    },
    secret::SecretError,
    space::{free_bytes, SpaceLimits},
};
pub use streams::{Stream, StreamState};
pub use worker::Worker;

/// The target of the worker's log lines.
pub(crate) const LOG_TARGET: &str = "assay-worker";
