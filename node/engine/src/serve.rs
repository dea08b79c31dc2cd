// SPDX-License-Identifier: Apache-2.0
//! Many jobs over one model at the same time.
//!
//! A [`Server`] has one thread that steps all running jobs together: the next tokens of those that
//! generate, and pieces of the inputs and outputs that are still to go through, share one pass over
//! the weights. Jobs join and leave between passes. Results are the bits that [`crate::generate`]
//! and [`crate::verify`] give: a row is a function of its own prefix.
//!
//! Nothing grows without a bound. Waiting jobs beyond [`ServerConfig::queue`] are refused; a job is
//! admitted when all pages that it may need are free, so that it never stops for want of memory; the
//! pages of ended jobs stay as a cache of prefixes and go, the oldest first, when others need them.

mod batch;
mod config;
mod job;
mod metrics;
mod queue;
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
