// SPDX-License-Identifier: Apache-2.0
//! A server that runs many jobs over one model at the same time.
//!
//! A [`Server`] has one thread that steps all running jobs together: the next tokens of jobs that
//! generate, and parts of the inputs and outputs that still have to go through the model, share one
//! pass over the weights. Jobs join and leave between passes. Results have the same bits as those
//! of [`crate::generate`] and [`crate::verify`], since a row depends on its own prefix alone.
//!
//! Nothing grows without bound. Waiting jobs beyond [`ServerConfig::queue`] are refused. A job is
//! admitted when all pages that it may need are free, so that it never stops for lack of memory.
//! The pages of ended jobs stay as a cache of prefixes and are dropped, oldest first, when other
//! jobs need them.
//!
//! A panic ends one job. The jobs of a pass that panicked go through the model again, one at a time
//! and from their first token; the one that panics alone ends with [`crate::EngineError::Panicked`],
//! and the others go on together with the same bits. A panic between passes ends the server, and
//! with it all its jobs.

mod batch;
mod config;
mod job;
mod metrics;
mod queue;
mod running;
mod server;
mod share;
mod speed;
#[cfg(test)]
mod tests;

pub use config::ServerConfig;
pub use job::{GenerateJob, Handle, VerifyJob};
pub use metrics::Metrics;
pub use server::Server;
pub use speed::Speed;
