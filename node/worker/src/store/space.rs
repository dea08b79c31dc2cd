// SPDX-License-Identifier: Apache-2.0
//! The free space on the disk of the store.

use std::{io, path::Path};

/// The bytes that the worker wants free on the disk of its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceLimits {
    /// The bytes below which a node with an engine does not start. They hold the transcripts of all
    /// jobs of a model that run at a time.
    pub start: u64,
    /// The bytes below which no new work is accepted, so that accepted work can still be written.
    pub reserve: u64,
}

impl Default for SpaceLimits {
    fn default() -> Self {
        Self { start: 64 << 20, reserve: 256 << 20 }
    }
}

/// Returns the bytes that this user can still write to the file system of a folder.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let system = rustix::fs::statvfs(folder)?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_that_of_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free_bytes(dir.path()).unwrap() > 0);
        assert!(free_bytes(&dir.path().join("absent")).is_err());
    }
}
