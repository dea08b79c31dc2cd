// SPDX-License-Identifier: Apache-2.0
//! The name of a node in the network, known before the node starts.

use assay_primitives::contact;
use sp_core::{ed25519, Pair};
use std::{fs, path::Path};

/// A network key and the peer id that follows from it.
#[derive(Debug)]
pub struct Identity {
    seed: [u8; 32],
    peer_id: String,
}

impl Identity {
    /// Makes a random one.
    pub fn random() -> Self {
        let seed = rand::random();
        let public = ed25519::Pair::from_seed(&seed).public();
        let peer_id = bs58::encode(contact::peer_id(&public.0)).into_string();
        Self { seed, peer_id }
    }

    /// Returns the peer id in base 58.
    pub fn peer_id(&self) -> &str {
        &self.peer_id
    }

    /// Writes the key into a file as `--node-key-file` reads it.
    pub fn write(&self, path: &Path) {
        fs::write(path, self.seed).expect("the folder is writable");
    }
}
