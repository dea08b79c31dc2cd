// SPDX-License-Identifier: Apache-2.0
//! The free space on a disk.

use crate::fault::Fault;
use anyhow::{Context, Result};
use std::path::Path;

/// The bytes that stay free for others.
const RESERVE: u64 = 64 << 20;

/// Returns an error unless `bytes` can be written to the disk of a folder, for that purpose.
pub fn ensure(folder: &Path, bytes: u64, purpose: &str) -> Result<()> {
    let system = rustix::fs::statvfs(folder)
        .with_context(|| format!("cannot read the free space of {}", folder.display()))?;
    check(folder, system.f_bavail.saturating_mul(system.f_frsize), bytes, purpose)
}

fn check(folder: &Path, free: u64, bytes: u64, purpose: &str) -> Result<()> {
    let needed = bytes.saturating_add(RESERVE);
    if free >= needed {
        return Ok(());
    }
    Err(Fault::error(
        "disk_full",
        format!(
            "{purpose} needs {needed} bytes on the disk of {}, which has {free} free; make room, or set \
             XDG_DATA_HOME to a folder on another disk",
            folder.display()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_compared_with_a_reserve() {
        let folder = Path::new("/models");
        assert!(check(folder, RESERVE + 10, 10, "it").is_ok());
        let error = check(folder, RESERVE + 9, 10, "the model x").unwrap_err();
        assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "disk_full");
        let words = ["the model x", "67108874", "67108873", "/models", "XDG_DATA_HOME"];
        assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
    }

    #[test]
    fn space_of_a_folder_is_read() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ensure(folder.path(), u64::MAX, "it").is_err());
        let error = ensure(&folder.path().join("absent"), 0, "it").unwrap_err();
        assert!(format!("{error:#}").contains("absent"), "{error:#}");
    }
}
