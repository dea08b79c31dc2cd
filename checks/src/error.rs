// SPDX-License-Identifier: Apache-2.0
//! The errors of reading a workspace.

use std::path::PathBuf;

/// An error of reading a workspace.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {path}: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        cause: std::io::Error,
    },
    /// A file is not Rust.
    #[error("{path} is not valid Rust: {cause}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The reason, with its line.
        cause: String,
    },
    /// A manifest is not TOML, or lacks the members of the workspace.
    #[error("{path} is not a valid manifest: {cause}")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The reason.
        cause: String,
    },
    /// A module is declared and has no file.
    #[error("{declared_in} declares `mod {module}`, and there is none of {tried:?}")]
    NoModule {
        /// The module's name.
        module: String,
        /// The file that declares it.
        declared_in: PathBuf,
        /// The files that would have been it.
        tried: Vec<PathBuf>,
    },
}

/// Reads a file as text.
pub(crate) fn read(path: &std::path::Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|cause| Error::Read { path: path.into(), cause })
}
