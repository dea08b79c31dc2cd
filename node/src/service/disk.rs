// SPDX-License-Identifier: Apache-2.0
//! The watch over the disk of the chain's database.
//!
//! A database that meets a full disk cannot be trusted to end in order: a write fails in the middle of a
//! block, or a mapped file has no page and the process is killed without a word. The node therefore ends
//! before its disk is full, and says why.

use assay_worker::free_bytes;
use sc_service::{error::Error as ServiceError, Configuration, TaskManager};
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// The time between two looks at the free space.
const LOOK: Duration = Duration::from_secs(2);

/// Fails if the disk of the chain's database has less than `reserve` bytes free. Otherwise starts a task
/// that ends the node once it has less.
pub fn watch(
    config: &Configuration,
    reserve: u64,
    task_manager: &TaskManager,
) -> Result<(), ServiceError> {
    let Some(folder) = config.database.path().filter(|_| reserve > 0) else { return Ok(()) };
    let folder = folder.to_path_buf();
    ensure_free(&folder, reserve, free_bytes).map_err(ServiceError::Other)?;
    task_manager.spawn_essential_handle().spawn("chain-disk", None, async move {
        let reason = until_low(folder, reserve).await;
        log::error!("{reason}; the node ends before its database fails");
    });
    Ok(())
}

/// Waits until the folder's disk has less than `reserve` bytes free, and returns the reason.
async fn until_low(folder: PathBuf, reserve: u64) -> String {
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        if let Err(reason) = ensure_free(&folder, reserve, free_bytes) {
            return reason;
        }
    }
}

/// Fails if the folder's disk has less than `reserve` bytes free. A disk that does not say how much it
/// has free is let be.
fn ensure_free(
    folder: &Path,
    reserve: u64,
    free: impl FnOnce(&Path) -> io::Result<u64>,
) -> Result<(), String> {
    match free(folder) {
        Ok(free) if free < reserve => Err(format!(
            "the disk of the chain's database {} has {} MiB left and {} MiB are kept in reserve; free \
             space on it and start the node again, or lower the reserve with --db-storage-threshold",
            folder.display(),
            free >> 20,
            reserve >> 20,
        )),
        Ok(_) => Ok(()),
        Err(error) => {
            log::debug!("the free space of {} is unknown: {error}", folder.display());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_below_the_reserve_is_named_with_the_remedy() {
        let folder = Path::new("/data/chains/dev/db");
        let with = |free: u64| ensure_free(folder, 128 << 20, |_| Ok(free));
        assert_eq!(with(128 << 20), Ok(()));
        let reason = with((128 << 20) - 1).unwrap_err();
        for part in ["/data/chains/dev/db", "127 MiB left", "128 MiB", "free space"] {
            assert!(reason.contains(part), "{reason}");
        }
    }

    #[test]
    fn disk_that_does_not_say_what_is_free_is_let_be() {
        let unknown = |_: &Path| Err(io::Error::from(io::ErrorKind::Unsupported));
        assert_eq!(ensure_free(Path::new("/data"), u64::MAX, unknown), Ok(()));
    }

    #[tokio::test]
    async fn watch_ends_once_the_space_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        // No disk has this much.
        let reason = until_low(folder.path().into(), u64::MAX).await;
        assert!(reason.contains(&folder.path().display().to_string()), "{reason}");
    }
}
