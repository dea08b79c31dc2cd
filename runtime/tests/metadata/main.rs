// SPDX-License-Identifier: Apache-2.0
//! Versions that are raised with what they stand for. Compares the runtime with the snapshot of the
//! last release, `runtime/snapshot/metadata.txt`: what wallets sign with `transaction_version`, and the
//! sources with `spec_version`. `./scripts/snapshot.sh` writes the snapshot anew.

#![allow(missing_docs, reason = "a test")]

mod calls;
mod compare;
mod snapshot;
mod sources;

use snapshot::Snapshot;
use std::{env, fs, path::PathBuf};

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshot/metadata.txt")
}

fn of_the_runtime() -> Snapshot {
    Snapshot {
        spec_version: assay_runtime::VERSION.spec_version,
        transaction_version: assay_runtime::VERSION.transaction_version,
        sources: sources::hash(&assay_checks::workspace::root()),
        signed: calls::describe(assay_runtime::Runtime::metadata()),
    }
}

#[test]
fn versions_are_raised_with_what_they_stand_for() {
    let now = of_the_runtime();
    if env::var_os("ASSAY_WRITE_SNAPSHOT").is_some() {
        fs::write(path(), now.to_string()).expect("the snapshot is written");
    }
    let text = fs::read_to_string(path()).expect("there is a snapshot");
    let before: Snapshot = text.parse().expect("the snapshot is one");
    let faults = compare::faults(&before, &now);
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
