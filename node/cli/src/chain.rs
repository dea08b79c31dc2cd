// SPDX-License-Identifier: Apache-2.0
//! The chain, through the RPC of one of its nodes.
//!
//! Everything is decoded with the runtime's own types, so this command works with the runtime that it
//! was built with: it refuses a chain of another name, and one whose calls have changed since.

pub mod blocks;
mod connection;
pub mod extrinsic;
mod faults;
pub mod inclusion;
mod job_id;
mod node;
pub mod outcome;
pub mod state;
mod version;

pub use connection::{Chain, Head};
pub use faults::{is_busy, is_lost};
pub use version::Version;
