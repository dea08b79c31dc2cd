// SPDX-License-Identifier: Apache-2.0
//! The checks, on this workspace.

use assay_checks::{circles, doc_lines, sizes, spdx, workspace};
use std::{fs, path::PathBuf};

/// No file but generated weights is longer.
const MOST_LINES: usize = 600;
/// Half of the files are shorter.
const MEDIAN_LINES: usize = 150;
/// In a thousand lines of documentation, fewer open with a noun phrase.
const OPENINGS_PER_MILLE: usize = 20;
/// Members whose prose is rewritten with their code, later.
const PROSE_EXEMPT: [&str; 3] = ["pallets/escrow", "pallets/jobs", "pallets/verification"];

/// The files of the workspace that have one of the extensions.
fn files(extensions: &[&str]) -> Vec<PathBuf> {
    let found = workspace::files(&workspace::root(), extensions).expect("the workspace is read");
    assert!(!found.is_empty(), "the workspace has no files that end in {extensions:?}");
    found
}

#[test]
fn files_of_each_crate_need_each_other_in_one_direction() {
    let root = workspace::root();
    let mut found = Vec::new();
    for member in workspace::members(&root).expect("the workspace has members") {
        for crate_root in workspace::crate_roots(&root.join(&member)) {
            for circle in circles::find(&crate_root).expect("the crate is read") {
                found.push(format!("{}: {circle}", member.display()));
            }
        }
    }
    let message = found.join("\n\n").replace(&format!("{}/", root.display()), "");
    assert!(found.is_empty(), "the workspace has {} circles:\n\n{message}", found.len());
}

#[test]
fn files_are_short() {
    let mut sizes = sizes::lines(&files(&["rs"])).expect("the files are read");
    sizes.retain(|(_, path)| !path.ends_with("weights.rs"));
    let long: Vec<_> = sizes.iter().filter(|(lines, _)| *lines > MOST_LINES).collect();
    assert!(
        long.is_empty(),
        "split these into files of one idea (at most {MOST_LINES} lines): {long:#?}"
    );
    let median = sizes::median(&sizes);
    assert!(
        median < MEDIAN_LINES,
        "the median file has {median} lines, and is to have fewer than {MEDIAN_LINES}; the longest are {:#?}",
        sizes.iter().take(20).collect::<Vec<_>>()
    );
}

#[test]
fn documentation_opens_with_verbs_and_nouns() {
    let root = workspace::root();
    let exempt = PROSE_EXEMPT.map(|folder| root.join(folder));
    let (mut all, mut opened) = (0, Vec::new());
    for path in files(&["rs"]) {
        if exempt.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        let found = doc_lines::count(&fs::read_to_string(&path).expect("the file is read"));
        all += found.all;
        opened.extend(found.opened.iter().map(|line| format!("{}:{line}", path.display())));
    }
    assert!(
        opened.len() * 1_000 < all * OPENINGS_PER_MILLE,
        "{} of {all} lines of documentation open with What, Who, Whose or How ({} in a thousand, and \
         fewer than {OPENINGS_PER_MILLE} are allowed); begin with a verb or a noun:\n{}",
        opened.len(),
        opened.len() * 1_000 / all,
        opened.join("\n")
    );
}

#[test]
fn files_name_their_licence_on_top() {
    let bare: Vec<_> = files(&["rs", "sh", "py", "toml"])
        .into_iter()
        .filter(|path| !spdx::is_licensed(&fs::read_to_string(path).expect("the file is read")))
        .collect();
    assert!(bare.is_empty(), "put `SPDX-License-Identifier: Apache-2.0` on top of {bare:#?}");
}
