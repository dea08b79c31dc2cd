// SPDX-License-Identifier: Apache-2.0
//! Keys that sign, the files that hold them, and the options that name one.

mod file;
mod named;
mod pair;
mod scheme;

pub use file::{from_file, to_file};
pub use named::named;
pub use pair::Key;
pub use scheme::Scheme;

/// The key that signs on chains for development unless another is named.
pub const DEVELOPMENT_SIGNER: &str = "//Ferdie";
