// SPDX-License-Identifier: Apache-2.0
//! The bytes of a model's file.

use crate::EngineError;
use std::{
    borrow::Cow,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The place of the bytes of a model that is opened.
///
/// A file on a disk is read and never mapped: a mapped file that is cut short ends the process, and one that is
/// overwritten changes the model.
#[derive(Debug)]
pub(super) enum Source {
    File { file: Mutex<File>, path: PathBuf, bytes: u64 },
    Static(&'static [u8]),
    Owned(Vec<u8>),
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, EngineError> {
        let (file, bytes) = opened(path)?;
        Ok(Self::File { file: Mutex::new(file), path: path.to_path_buf(), bytes })
    }

    /// Returns the length.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::File { bytes, .. } => *bytes,
            Self::Static(bytes) => bytes.len() as u64,
            Self::Owned(bytes) => bytes.len() as u64,
        }
    }

    /// Returns whether somebody else could change the bytes.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::File { .. })
    }

    /// Returns a part that nobody changes from then on.
    ///
    /// # Errors
    /// Returns [`EngineError::Io`] if the file cannot be read or has become shorter.
    pub(super) fn read(&self, at: u64, bytes: usize) -> Result<Cow<'_, [u8]>, EngineError> {
        // A place is checked against the length before it is read.
        let part = |all: &'_ [u8]| at as usize..(at as usize + bytes).min(all.len());
        match self {
            Self::Static(all) => Ok(all[part(all)].into()),
            Self::Owned(all) => Ok((&all[part(all)]).into()),
            Self::File { file, path, .. } => {
                let mut out = vec![0; bytes];
                // Its place is set before each read, whatever a panic elsewhere has left.
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(at))
                    .and_then(|_| file.read_exact(&mut out))
                    .map_err(|source| EngineError::Io { path: path.clone(), source })?;
                Ok(out.into())
            }
        }
    }
}

/// A file that is mapped into memory while it is converted.
#[derive(Debug)]
pub(super) struct Mapped(memmap2::Mmap);

impl Mapped {
    pub(super) fn open(path: &Path) -> Result<Self, EngineError> {
        let (file, _) = opened(path)?;
        // SAFETY: the map is read only and lives as long as its owner. It is a documented requirement of an import
        // that the file does not change meanwhile.
        let map = unsafe { memmap2::Mmap::map(&file) };
        map.map(Self).map_err(|source| EngineError::Io { path: path.to_path_buf(), source })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Opens a file that is not empty, and returns its length.
fn opened(path: &Path) -> Result<(File, u64), EngineError> {
    let io = |source| EngineError::Io { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(io)?;
    match file.metadata().map_err(io)?.len() {
        0 => Err(EngineError::NotGguf { found: "it is empty".into() }),
        bytes => Ok((file, bytes)),
    }
}
