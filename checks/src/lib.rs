// SPDX-License-Identifier: Apache-2.0
//! Holds the sources of this workspace to STYLE.md. The tests under `tests/` apply these checks to the
//! workspace itself.
//!
//! - [`circles`] finds files of a crate that need each other.
//! - [`sizes`] measures files.
//! - [`doc_lines`] finds documentation that opens with a noun phrase instead of a verb.
//! - [`spdx`] finds files without a licence line.
//! - [`tokens`] hashes sources without their comments.

pub mod circles;
pub mod doc_lines;
mod error;
pub mod modules;
mod names;
mod needs;
mod resolve;
pub mod sizes;
pub mod spdx;
pub mod tokens;
pub mod workspace;

pub use error::Error;
