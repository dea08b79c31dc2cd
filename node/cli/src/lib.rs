// SPDX-License-Identifier: Apache-2.0
//! The command `assay`, which buys text on the chain, watches over jobs and manages operators. It
//! talks to the RPC of a node, and keys never leave it.
//!
//! - [`args`]: the arguments.
//! - [`chain`]: a node's RPC, typed reads of the state, and signed extrinsics with their outcome.
//! - [`order`] and [`follow`]: a job from its prompt to its end.
//! - [`audit`]: the draws of a job's audit, recomputed from block data.
//! - [`mod@fetch`]: models by name, from a URL or from a file, in a cache.
//! - [`commands`]: one file for each command.
//! - [`view`]: everything that is shown, as JSON and as text.
//!
//! With `--json` the last line of standard output is one JSON object, also for an error.

pub mod account;
pub mod allowed_operators;
pub mod amount;
pub mod args;
pub mod audit;
pub mod audit_fees;
pub mod bounded;
pub mod chain;
pub mod commands;
pub mod commitment;
pub mod config;
pub mod contact;
pub mod exit;
pub mod fault;
pub mod fetch;
pub mod folders;
pub mod follow;
pub mod funds;
pub mod key;
pub mod known_output;
pub mod length;
pub mod limit;
pub mod models;
pub mod node_url;
pub mod offers;
pub mod order;
pub mod order_limits;
pub mod out;
pub mod progress;
pub mod reconnect;
pub mod request;
pub mod session;
pub mod settings;
pub mod standing;
pub mod submit;
pub mod text_check;
pub mod trust;
pub mod turn;
pub mod utf8;
pub mod view;
pub mod visible;

mod launch;
#[cfg(test)]
mod samples;

pub use launch::run;
