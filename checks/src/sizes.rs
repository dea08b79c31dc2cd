// SPDX-License-Identifier: Apache-2.0
//! Sizes of files.

use crate::{error::read, Error};
use std::path::PathBuf;

/// Counts the lines of each file; the longest come first.
pub fn lines(files: &[PathBuf]) -> Result<Vec<(usize, PathBuf)>, Error> {
    let mut sizes = files
        .iter()
        .map(|path| Ok((read(path)?.lines().count(), path.clone())))
        .collect::<Result<Vec<_>, Error>>()?;
    sizes.sort_by(|one, other| other.cmp(one));
    Ok(sizes)
}

/// Returns the length of the file in the middle; zero where there is none.
pub fn median(sizes: &[(usize, PathBuf)]) -> usize {
    sizes.get(sizes.len() / 2).map_or(0, |(lines, _)| *lines)
}
