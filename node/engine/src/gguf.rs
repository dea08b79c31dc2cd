// SPDX-License-Identifier: Apache-2.0
//! Reading GGUF: a header is believed only after it has been walked within the file's bounds.
//!
//! candle-core's reader trusts more than an unknown file deserves (it divides by the alignment, a
//! later key or tensor of the same name replaces an earlier one, and a value takes many times the
//! memory that it takes in the file), so [`read`] first walks the header itself, and gives the file
//! to candle when nothing in it lies.

mod file;
mod header;
mod keys;
mod types;

pub(crate) use file::message;
pub use file::{read, Gguf, TensorPlace};
pub(crate) use keys::invalid;
pub(crate) use types::dtype_name;
