// SPDX-License-Identifier: Apache-2.0
//! Keys that sign, the files that hold them, and the options that name one.

mod file;
mod named;
mod pair;
pub mod passphrase;
mod pkcs8;
mod private;
mod scheme;
mod source;
mod wallet;

pub use file::{ensure_new, from_file, to_file, to_file_unencrypted};
pub use named::NamedKey;
pub use pair::Key;
pub use scheme::Scheme;
pub use source::{ensure_public, find, KeyOptions};

/// The key that signs on chains for development unless another is named.
pub const DEVELOPMENT_SIGNER: &str = "//Ferdie";
