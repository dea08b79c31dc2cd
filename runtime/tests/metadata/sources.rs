// SPDX-License-Identifier: Apache-2.0
//! The hash over the sources of which the runtime is made. Comments, documentation and layout do not
//! change it, and neither do mocks, tests and benchmarks. Versions of dependencies and
//! `runtime/build.rs` do not change it either.

use assay_checks::{tokens, workspace};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files, and folders, that no release's runtime holds.
const LEFT_OUT: [&str; 7] =
    ["mock", "tests", "testing", "config_preludes", "benchmarking", "benchmarks", "try_state"];

/// Returns the hash of the workspace's runtime, in hex.
pub fn hash(root: &Path) -> String {
    let mut text = String::new();
    for path in files(root) {
        let within = path.strip_prefix(root).unwrap_or(&path);
        text.push_str(&format!("{}\n", within.display()));
        let source = fs::read_to_string(&path).expect("the file is read");
        text.push_str(&tokens::write(within, &source).expect("the compiler took it"));
    }
    let hash = sp_crypto_hashing::blake2_256(text.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lists the files, in order.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut folders = vec![
        root.join("runtime/src"),
        root.join("primitives/src"),
        root.join("primitives/host/src"),
    ];
    let pallets = fs::read_dir(root.join("pallets")).expect("the workspace has pallets");
    folders.extend(pallets.map(|pallet| pallet.expect("the folder is read").path().join("src")));
    folders.sort();
    let mut files: Vec<_> = folders
        .iter()
        .flat_map(|folder| workspace::files(folder, &["rs"]).expect("the folder is read"))
        .collect();
    files.retain(|path| {
        let within = path.strip_prefix(root).unwrap_or(path);
        !within.with_extension("").iter().any(|part| LEFT_OUT.iter().any(|name| part == *name))
    });
    files
}

#[test]
fn files_are_those_of_the_runtime_alone() {
    let root = workspace::root();
    let files: Vec<_> = files(&root)
        .into_iter()
        .filter_map(|path| Some(path.strip_prefix(&root).ok()?.display().to_string()))
        .collect();
    for part in ["runtime/src/lib.rs", "pallets/jobs/src/lib.rs", "primitives/src/lib.rs"] {
        assert!(files.iter().any(|path| path == part), "{part} is missing in {files:#?}");
    }
    assert!(files.iter().any(|path| path.ends_with("/weights.rs")), "{files:#?}");
    for part in ["mock", "/tests", "config_preludes", "benchmark", "try_state"] {
        assert!(!files.iter().any(|path| path.contains(part)), "{part} is among {files:#?}");
    }
}
