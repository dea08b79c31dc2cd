// SPDX-License-Identifier: Apache-2.0
//! The turn of one command among all on this machine that sign with the same key for the same chain.
//! Each takes its nonce after the one before it has sent its extrinsic.

use crate::folders;
use assay_runtime::{AccountId, Hash};
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{sleep, Instant};

/// The longest to wait. A command that has waited this long goes on without its turn: a nonce that is
/// taken twice is found out and answered with another.
const PATIENCE: Duration = Duration::from_secs(30);

/// The time between two looks at the lock.
const LOOK: Duration = Duration::from_millis(20);

/// A turn, which ends when it is dropped, and with the process however that ends.
pub struct Turn {
    _lock: Option<File>,
}

impl Turn {
    /// Waits for the turn.
    pub async fn take(genesis: &Hash, signer: &AccountId) -> Self {
        let lock = match folders::state() {
            Some(folder) => lock(&file(&folder, genesis, signer), PATIENCE).await,
            None => None,
        };
        Self { _lock: lock }
    }
}

fn file(state: &Path, genesis: &Hash, signer: &AccountId) -> PathBuf {
    let chain = hex::encode(&genesis[..8]);
    state.join("turns").join(format!("{chain}-{signer}.lock"))
}

/// Locks a file; `None` if it cannot be created, or is locked for longer than that.
async fn lock(path: &Path, patience: Duration) -> Option<File> {
    fs::create_dir_all(path.parent()?).ok()?;
    let file = File::options().create(true).truncate(false).write(true).open(path).ok()?;
    let deadline = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Some(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(LOOK).await,
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_keyring::Sr25519Keyring;

    #[tokio::test]
    async fn turn_is_one_commands_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("turns").join("lock");
        let first = lock(&path, Duration::ZERO).await.expect("it is free");
        assert!(lock(&path, Duration::ZERO).await.is_none());
        let waiting = lock(&path, PATIENCE);
        let (second, ()) = tokio::join!(waiting, async { drop(first) });
        assert!(second.is_some());
    }

    #[test]
    fn turns_of_other_keys_and_chains_are_others() {
        use Sr25519Keyring::{Alice, Bob};
        let file = |byte, who: Sr25519Keyring| {
            file(Path::new("/state"), &Hash::repeat_byte(byte), &who.to_account_id())
        };
        assert_ne!(file(1, Alice), file(1, Bob));
        assert_ne!(file(1, Alice), file(2, Alice));
    }
}
