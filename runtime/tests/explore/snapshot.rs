// SPDX-License-Identifier: Apache-2.0
//! A state of the chain that can be gone back to.

use crate::chain;
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

/// A state as its differences from the genesis: 10 KiB or so, where the whole is many times that.
#[derive(Clone, Default)]
pub struct Snapshot {
    changes: BTreeMap<Key, Option<Value>>,
}

impl Snapshot {
    /// Runs the test in this state and returns its result; what it changes is forgotten.
    pub fn read<R>(&self, test: impl FnOnce() -> R) -> R {
        self.run(test).0
    }

    /// Returns the state after the act.
    pub fn after(&self, act: impl FnOnce()) -> Self {
        self.run(act).1
    }

    /// Returns a hash of the state. States that differ in events alone are the same.
    pub fn id(&self) -> [u8; 32] {
        let events = [twox_128(b"System"), twox_128(b"Events")].concat();
        let count = [twox_128(b"System"), twox_128(b"EventCount")].concat();
        let mut bytes = Vec::new();
        for (key, value) in &self.changes {
            if *key != events && *key != count {
                codec::Encode::encode_to(&(key, value), &mut bytes);
            }
        }
        blake2_256(&bytes)
    }

    fn run<R>(&self, act: impl FnOnce() -> R) -> (R, Self) {
        let mut top = GENESIS.clone();
        for (key, value) in &self.changes {
            match value {
                Some(value) => top.insert(key.clone(), value.clone()),
                None => top.remove(key),
            };
        }
        let mut storage = Storage { top, ..Default::default() };
        let result = BasicExternalities::execute_with_storage(&mut storage, act);
        (result, Self { changes: changes(storage.top) })
    }
}

/// Returns what differs between the genesis and a storage.
fn changes(mut top: BTreeMap<Key, Value>) -> BTreeMap<Key, Option<Value>> {
    let mut changes = BTreeMap::new();
    for (key, value) in GENESIS.iter() {
        match top.remove(key) {
            Some(now) if now == *value => {}
            now => {
                changes.insert(key.clone(), now);
            }
        }
    }
    changes.extend(top.into_iter().map(|(key, value)| (key, Some(value))));
    changes
}
