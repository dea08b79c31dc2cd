// SPDX-License-Identifier: Apache-2.0
//! The members of a workspace and their files.

use crate::{error::read, Error};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The workspace that this crate belongs to.
pub fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().unwrap_or(crate_folder).to_path_buf()
}

/// Reads the folders of the members, relative to `root`, in the order of the manifest.
pub fn members(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let path = root.join("Cargo.toml");
    let fault = |cause: &str| Error::Manifest { path: path.clone(), cause: cause.into() };
    let manifest: toml::Table =
        read(&path)?.parse().map_err(|error: toml::de::Error| fault(error.message()))?;
    let members = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("members"))
        .and_then(|members| members.as_array())
        .ok_or_else(|| fault("it has no list workspace.members"))?;
    Ok(members.iter().filter_map(|member| member.as_str()).map(PathBuf::from).collect())
}

/// Returns the roots of the crates in a member's `src` folder: `lib.rs`, `main.rs`, those of `bin/`.
pub fn crate_roots(member: &Path) -> Vec<PathBuf> {
    let sources = member.join("src");
    let mut roots: Vec<_> = ["lib.rs", "main.rs"].map(|name| sources.join(name)).into();
    roots.extend(fs::read_dir(sources.join("bin")).into_iter().flatten().flatten().map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            path.join("main.rs")
        } else {
            path
        }
    }));
    roots.retain(|path| path.is_file());
    roots
}

/// Lists the files under `folder` that have one of the extensions, in order; build output, hidden
/// folders and installed packages are left out.
pub fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let read = |cause| Error::Read { path: folder.clone(), cause };
        for entry in fs::read_dir(&folder).map_err(read)? {
            let path = entry.map_err(read)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                let hidden =
                    name.starts_with('.') && !matches!(&*name, ".ci" | ".config" | ".cargo");
                if !hidden && name != "target" && name != "node_modules" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| {
                extensions.iter().any(|wanted| extension.to_string_lossy() == **wanted)
            }) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
