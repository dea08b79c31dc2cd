// SPDX-License-Identifier: Apache-2.0
//! What joins the runtime's off-chain workers to the engine.
//!
//! The runtime decides what is to be done and hands it over through the [`Mailbox`]; here it is
//! queued, its payloads are gathered, and threads of their own run it. What they find out is kept on
//! disk, by job, until the chain shows the job as over. Everything that the chain gets to see is a
//! function of the job and of this node's secret, so a node that is killed and started again comes
//! to the same results.
//!
//! ```text
//!  runtime ── submit ──► queue ──► gather (payloads) ──► run (engine) ──► results ── poll ──► runtime
//!                                      ▲                     │
//!                                   network               streams ──► RPC, network
//! ```

mod cores;
mod engines;
mod fault;
mod gather;
mod mailbox;
mod metrics;
mod promises;
mod queue;
mod results;
mod run;
mod secret;
mod status;
mod store;
mod streams;
mod worker;

pub use cores::Cores;
pub use fault::Fault;
pub use gather::PayloadSource;
pub use mailbox::WorkerMailbox;
pub use status::{ModelStatus, WorkerStatus};
pub use store::{StoreError, MAX_PAYLOAD_BYTES, MAX_PROMPT_BYTES};
pub use streams::{Stream, StreamState};
pub use worker::{Worker, WorkerConfig, WorkerError};
