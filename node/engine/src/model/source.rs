// SPDX-License-Identifier: Apache-2.0
//! The bytes of a model's file.

use crate::EngineError;
use std::{fs::File, path::Path};

/// The place of the bytes of the file.
#[derive(Debug)]
pub(super) enum Source {
    Mapped(memmap2::Mmap),
    Static(&'static [u8]),
    Owned(Vec<u8>),
}

impl Source {
    pub(super) fn map(path: &Path) -> Result<Self, EngineError> {
        let io = |source| EngineError::Io { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.len() == 0 {
            return Err(EngineError::NotGguf { found: "it is empty".into() });
        }
        // SAFETY: the map is read only and lives as long as its source. It is a documented
        // requirement of opening a model that the file does not change meanwhile.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(io)?;
        Ok(Self::Mapped(map))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Static(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }

    /// Releases the memory that a part of a mapped file takes, once its contents have been copied.
    pub(super) fn release(&self, at: usize, bytes: usize) {
        #[cfg(unix)]
        if let Self::Mapped(map) = self {
            // SAFETY: this is a shared map of a file that is not written to, so its pages are read
            // again from the file when they are accessed.
            let released = unsafe {
                map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, at, bytes)
            };
            // If the advice is not taken, that costs memory and nothing else.
            let _ = released;
        }
    }
}
