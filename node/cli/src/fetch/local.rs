// SPDX-License-Identifier: Apache-2.0
//! A model file that a person names by its path, or by the name of a model that is fetched.

use super::{cache::Cache, catalogue::Catalogue};
use crate::fault::Fault;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Returns the path, or the file of the model of that name. A file that is there comes first.
///
/// # Errors
///
/// The model has a name, and is not fetched.
pub fn file(path: &Path) -> Result<PathBuf> {
    let catalogue = Catalogue::built_in()?;
    match path.to_str().and_then(|name| catalogue.find(name)) {
        Some(entry) if !path.is_file() => {
            let file = Cache::of_user()?.file(entry.id);
            if file.is_file() {
                return Ok(file);
            }
            let name = &entry.name;
            Err(Fault::error(
                "not_fetched",
                format!("the model {name} is not on this machine; run: assay model fetch {name}"),
            ))
        }
        _ => Ok(path.to_path_buf()),
    }
}
