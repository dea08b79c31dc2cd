// SPDX-License-Identifier: Apache-2.0
//! The key that an option or the environment names.

use super::{file::from_file, pair::Key, scheme::Scheme};
use anyhow::{bail, Context, Result};
use std::path::Path;

/// Returns the key that `--key-file`, `--suri` or ASSAY_SURI names, in this order; `None` if none
/// does.
pub fn named(
    scheme: Option<Scheme>,
    suri: Option<&str>,
    file: Option<&Path>,
) -> Result<Option<Key>> {
    if let Some(path) = file {
        return from_file(scheme, path).map(Some);
    }
    let scheme = scheme.unwrap_or_default();
    if let Some(suri) = suri {
        return Key::from_suri(scheme, suri).map(Some);
    }
    match std::env::var("ASSAY_SURI") {
        Ok(suri) if !suri.is_empty() => Key::from_suri(scheme, &suri)
            .context("the environment variable ASSAY_SURI is malformed")
            .map(Some),
        Err(std::env::VarError::NotUnicode(_)) => {
            bail!("the environment variable ASSAY_SURI is not valid UTF-8")
        }
        _ => Ok(None),
    }
}
