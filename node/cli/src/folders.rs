// SPDX-License-Identifier: Apache-2.0
//! The folders of this command, where the XDG Base Directory Specification puts them.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Returns the folder of the configuration; `None` if the environment names no home folder.
pub fn config() -> Option<PathBuf> {
    folder("XDG_CONFIG_HOME", ".config")
}

/// Returns the folder of data that is worth keeping, such as models; `None` if the environment names no home
/// folder.
pub fn data() -> Option<PathBuf> {
    folder("XDG_DATA_HOME", ".local/share")
}

/// Returns the folder of state that may be lost; `None` if the environment names no home folder.
pub fn state() -> Option<PathBuf> {
    folder("XDG_STATE_HOME", ".local/state")
}

fn folder(variable: &str, default: &str) -> Option<PathBuf> {
    // The specification has relative paths ignored.
    let absolute = |path: &PathBuf| path.is_absolute();
    let named = env::var_os(variable).map(PathBuf::from).filter(absolute);
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(default)).filter(absolute);
    named.or_else(home).map(|folder| folder.join("assay"))
}
