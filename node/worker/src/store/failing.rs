// SPDX-License-Identifier: Apache-2.0
//! The store on a disk that is full or read-only for a while. The real database runs on a file, and
//! only the system's refusal is made on demand.

use super::{
    handle::Opener,
    orders::Order,
    payloads::{Origin, MAX_PAYLOAD_BYTES},
    space::SpaceLimits,
    Store,
};
use crate::work::key::{Kind, WorkKey};
use assay_primitives::{EngineResult, JobId};
use redb::{backends::FileBackend, Database, StorageBackend};
use sp_core::H256;
use std::{
    fs::OpenOptions,
    io,
    path::Path,
    sync::{
        atomic::{AtomicI32, Ordering::SeqCst},
        Arc,
    },
};

/// The error of the system for a full disk.
const ENOSPC: i32 = 28;
/// The error of the system for a disk that failed.
const EIO: i32 = 5;
/// The error of the system for a file system that is mounted read-only.
const EROFS: i32 = 30;

/// A disk whose writes fail with an error of the system, unless the error is zero.
#[derive(Debug)]
struct Disk {
    file: FileBackend,
    error: Arc<AtomicI32>,
}

impl Disk {
    fn check(&self) -> io::Result<()> {
        match self.error.load(SeqCst) {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check()?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}

/// Opens a store on such a disk, and returns it with the disk's error.
fn store(path: &Path) -> (Store, Arc<AtomicI32>) {
    let error = Arc::new(AtomicI32::new(0));
    let (file, disk) = (path.to_path_buf(), error.clone());
    let opener: Opener = Box::new(move || {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&file)?;
        let disk = Disk { file: FileBackend::new(file)?, error: disk.clone() };
        Database::builder().create_with_backend(disk)
    });
    let limits = SpaceLimits { start: 0, reserve: 0 };
    (Store::open_with(path, limits, opener).unwrap(), error)
}

fn key(job: u8) -> WorkKey {
    let job = JobId::repeat_byte(job);
    WorkKey { kind: Kind::Verify, job, work: job }
}

fn put_result(store: &Store, job: u8) -> bool {
    store.results.put(key(job), EngineResult::Ready { job: JobId::repeat_byte(job) }).is_ok()
}

/// Keeps an output as the context does.
fn keep_output(store: &Store, job: u8, payload: &[u8]) -> bool {
    let job = JobId::repeat_byte(job);
    let written = store.write_output(&job, payload, |_| true).is_ok();
    if !written {
        store.keep_unwritten(&job, payload, |_| true).unwrap();
    }
    written
}

fn output(store: &Store, job: u8) -> Option<Vec<u8>> {
    let hash = store.output(&JobId::repeat_byte(job)).unwrap()?;
    store.payload(&hash).unwrap()
}

fn none_spared(_: &H256) -> bool {
    false
}

#[test]
fn results_and_outputs_of_a_full_disk_are_in_memory_and_then_on_disk() {
    for error in [ENOSPC, EIO, EROFS] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let (store, disk) = store(&path);
        assert!(put_result(&store, 1) && keep_output(&store, 1, b"before"));
        disk.store(error, SeqCst);
        assert!(!put_result(&store, 2) && !keep_output(&store, 2, b"meanwhile"));
        assert!(store.health.complaint().is_some());
        assert_eq!(store.results.poll(8).len(), 2, "both are reported");
        assert_eq!(output(&store, 2).unwrap(), b"meanwhile");
        assert_eq!(store.pending(), 2);

        store.mend(none_spared).unwrap_err();
        assert!(store.health.is_broken());
        assert_eq!(store.pending(), 2);

        disk.store(0, SeqCst);
        store.mend(none_spared).unwrap();
        assert!(store.health.complaint().is_none());
        assert_eq!(store.pending(), 0);
        assert!(put_result(&store, 3), "it is written at once again");
        drop(store);
        let store = Store::open(&path, SpaceLimits::default()).unwrap();
        assert_eq!(store.results.poll(8).len(), 3);
        assert_eq!(output(&store, 1).unwrap(), b"before");
        assert_eq!(output(&store, 2).unwrap(), b"meanwhile");
    }
}

#[test]
fn database_that_was_written_on_a_full_disk_can_be_read_until_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (first, _) = store(&path);
    assert!(keep_output(&first, 1, b"before"));
    drop(first);
    let (store, disk) = store(&path);
    disk.store(ENOSPC, SeqCst);
    assert!(!keep_output(&store, 2, &vec![7; MAX_PAYLOAD_BYTES]));
    // The refusals of a full disk concern new blocks; those that the file has can be written.
    disk.store(0, SeqCst);
    store.handle.reopen().unwrap();
    assert_eq!(output(&store, 1).unwrap(), b"before");
    assert!(store.health.is_broken() && !put_result(&store, 3), "nothing is written meanwhile");
}

#[test]
fn results_that_are_over_are_removed_from_disk_once_it_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, disk) = store(&path);
    assert!(put_result(&store, 1) && put_result(&store, 2));
    disk.store(ENOSPC, SeqCst);
    assert!(!put_result(&store, 3));
    store.results.forget(|job| *job != JobId::repeat_byte(2));
    assert_eq!(store.results.len(), 1);
    assert_eq!(store.pending(), 1, "the third was never written");
    disk.store(0, SeqCst);
    store.mend(none_spared).unwrap();
    assert_eq!(store.pending(), 0);
    drop(store);
    let store = Store::open(&path, SpaceLimits::default()).unwrap();
    assert_eq!(store.results.jobs().into_iter().collect::<Vec<_>>(), [JobId::repeat_byte(2)]);
}

#[test]
fn orders_of_a_full_disk_are_in_memory_and_then_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, disk) = store(&path);
    let order = |byte| {
        let (job, request) = (JobId::repeat_byte(byte), H256::repeat_byte(byte));
        store.orders.put(&[Order { job, request, opens: 1 }], |_| Some(1)).is_ok()
    };
    assert!(order(1));
    disk.store(ENOSPC, SeqCst);
    assert!(!order(2));
    assert_eq!(store.orders.jobs(), [JobId::repeat_byte(1), JobId::repeat_byte(2)]);
    store.orders.forget(|job| *job == JobId::repeat_byte(1));
    assert_eq!(store.pending(), 2, "an order that came and one that is over");
    disk.store(0, SeqCst);
    store.mend(none_spared).unwrap();
    assert_eq!(store.pending(), 0);
    drop(store);
    let store = Store::open(&path, SpaceLimits::default()).unwrap();
    assert_eq!(store.orders.jobs(), [JobId::repeat_byte(2)]);
    assert_eq!(store.orders.requests(), [H256::repeat_byte(2)].into());
}

#[test]
fn totals_are_right_after_a_write_that_failed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, disk) = store(&path);
    for n in 0..4u8 {
        disk.store(if n % 2 == 0 { ENOSPC } else { 0 }, SeqCst);
        let _ = store.payloads.put(&[n; 100], Origin::Submitted, none_spared);
        disk.store(0, SeqCst);
        store.mend(none_spared).unwrap();
    }
    let totals = store.payloads.totals();
    drop(store);
    let store = Store::open(&path, SpaceLimits::default()).unwrap();
    assert_eq!(store.payloads.totals(), totals);
    assert!(totals[0] > 0);
}

#[test]
fn store_whose_file_was_removed_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, disk) = store(&path);
    assert!(put_result(&store, 1));
    std::fs::remove_file(&path).unwrap();
    disk.store(EIO, SeqCst);
    assert!(!put_result(&store, 2));
    disk.store(0, SeqCst);
    store.mend(none_spared).unwrap();
    drop(store);
    assert_eq!(Store::open(&path, SpaceLimits::default()).unwrap().results.len(), 2);
}
