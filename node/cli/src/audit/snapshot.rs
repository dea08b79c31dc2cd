// SPDX-License-Identifier: Apache-2.0
//! A part of a block's state, in which this build's own pallets are run.

use sp_core::storage::Storage;
use sp_io::TestExternalities;
use std::collections::BTreeMap;

/// Entries of the state at one block. Whatever is not among them is absent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot(pub BTreeMap<Vec<u8>, Vec<u8>>);

impl Snapshot {
    /// Runs code of the pallets on the state. What it writes is forgotten.
    pub fn run<R>(&self, code: impl FnOnce() -> R) -> R {
        let storage = Storage { top: self.0.clone(), ..Default::default() };
        TestExternalities::new(storage).execute_with(code)
    }

    /// Adds entries.
    pub fn add(&mut self, entries: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) {
        self.0.extend(entries);
    }
}
