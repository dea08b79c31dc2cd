// SPDX-License-Identifier: Apache-2.0
//! The backup of a node: what `docs/operator.md` says to copy, and nothing else.

use crate::spec::KeySpec;
use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// The backup of a node.
pub struct Backup {
    secret: Vec<u8>,
    network_key: Vec<u8>,
    /// The keys of its keystore, as they were inserted.
    pub keys: Vec<KeySpec>,
}

impl Backup {
    /// Copies the files of a node.
    pub fn of(secret: &Path, network_key: &Path, keys: &[KeySpec]) -> Self {
        let read = |path| fs::read(path).expect("the node has made it");
        Self { secret: read(secret), network_key: read(network_key), keys: keys.to_vec() }
    }

    /// Puts the files where a node expects them, as `install -D -m 600` does.
    pub fn install(&self, secret: &Path, network_key: &Path) {
        for (path, bytes) in [(secret, &self.secret), (network_key, &self.network_key)] {
            let folder = path.parent().expect("it is a file");
            DirBuilder::new().recursive(true).mode(0o700).create(folder).expect("a folder");
            let mut file = OpenOptions::new();
            let file = file.write(true).create_new(true).mode(0o600).open(path);
            file.and_then(|mut file| file.write_all(bytes)).expect("the folder is writable");
        }
    }
}
