// SPDX-License-Identifier: Apache-2.0
//! A state of the chain that can be gone back to.

use crate::{chain, pool};
use assay_runtime::presets;
use sp_crypto_hashing::{blake2_256, twox_128};
use sp_runtime::Storage;
use sp_state_machine::BasicExternalities;
use std::{collections::BTreeMap, sync::LazyLock};

type Key = Vec<u8>;
type Value = Vec<u8>;

/// The storage of the development preset, without the runtime's code.
static GENESIS: LazyLock<BTreeMap<Key, Value>> = LazyLock::new(|| {
    let mut top = chain::genesis(presets::development()).top;
    top.remove(sp_core::storage::well_known_keys::CODE);
    top
});

/// A state as its differences from the genesis, by their numbers in the pool.
#[derive(Clone, Default)]
pub struct Snapshot {
    changes: Vec<(pool::Id, Option<pool::Id>)>,
}

impl Snapshot {
    /// Runs the test in this state and returns its result; what it changes is forgotten.
    pub fn read<R>(&self, test: impl FnOnce() -> R) -> R {
        self.run(test).0
    }

    /// Returns the state after the act.
    pub fn after(&self, act: impl FnOnce()) -> Self {
        let (_, top) = self.run(act);
        Self { changes: changes(top) }
    }

    /// Returns a hash of the state. States that differ in events alone are the same.
    pub fn id(&self) -> [u8; 32] {
        blake2_256(&codec::Encode::encode(&self.changes))
    }

    fn run<R>(&self, act: impl FnOnce() -> R) -> (R, BTreeMap<Key, Value>) {
        let mut top = GENESIS.clone();
        for (key, value) in &self.changes {
            match value {
                Some(value) => top.insert(pool::get(*key), pool::get(*value)),
                None => top.remove(&pool::get(*key)),
            };
        }
        let mut storage = Storage { top, ..Default::default() };
        let result = BasicExternalities::execute_with_storage(&mut storage, act);
        (result, storage.top)
    }
}

/// Returns what differs between the genesis and a storage, without events.
fn changes(mut top: BTreeMap<Key, Value>) -> Vec<(pool::Id, Option<pool::Id>)> {
    for events in ["Events", "EventCount"] {
        top.remove(&[twox_128(b"System"), twox_128(events.as_bytes())].concat());
    }
    let mut changes = Vec::new();
    for (key, value) in GENESIS.iter() {
        match top.remove(key) {
            Some(now) if now == *value => {}
            now => changes.push((pool::put(key.clone()), now.map(pool::put))),
        }
    }
    changes.extend(top.into_iter().map(|(key, value)| (pool::put(key), Some(pool::put(value)))));
    changes
}
