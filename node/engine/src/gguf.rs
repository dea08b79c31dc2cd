// SPDX-License-Identifier: Apache-2.0
//! A reader of GGUF files, which trusts a header only after it has been walked within the file's
//! bounds.
//!
//! candle-core's reader trusts an unknown file too much: it divides by the alignment, a later key
//! or tensor replaces an earlier one of the same name, and a value takes many times its memory in
//! the file. So [`read`] first walks the header itself, and passes the metadata to candle only if
//! nothing in the header is invalid. The list of tensors is read here: candle refuses a file for a type that it
//! lacks, before anyone can tell which model the file is.

mod file;
mod header;
mod keys;
mod types;

pub(crate) use file::{message, read_header};
pub use file::{read, Gguf, TensorPlace};
pub(crate) use header::HEADER_MAX;
pub(crate) use keys::invalid;
pub use types::TensorType;
