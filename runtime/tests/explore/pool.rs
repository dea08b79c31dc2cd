// SPDX-License-Identifier: Apache-2.0
//! The keys and values of all states, each of which is held once: one state has few that no other has.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

/// The number of some bytes.
pub type Id = u32;

#[derive(Default)]
struct Pool {
    ids: HashMap<Arc<[u8]>, Id>,
    all: Vec<Arc<[u8]>>,
}

static POOL: LazyLock<Mutex<Pool>> = LazyLock::new(Mutex::default);

/// Returns the number of these bytes.
pub fn put(bytes: Vec<u8>) -> Id {
    let mut pool = POOL.lock().unwrap();
    if let Some(id) = pool.ids.get(&bytes[..]) {
        return *id;
    }
    let id = Id::try_from(pool.all.len()).unwrap();
    let bytes: Arc<[u8]> = bytes.into();
    pool.ids.insert(bytes.clone(), id);
    pool.all.push(bytes);
    id
}

/// Returns the bytes with that number.
pub fn get(id: Id) -> Vec<u8> {
    POOL.lock().unwrap().all[id as usize].to_vec()
}
