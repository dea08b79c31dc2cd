// SPDX-License-Identifier: Apache-2.0
//! A worker that cannot start names the problem, the file and the remedy.

mod given;

use assay_worker::{SecretError, SpaceLimits, StoreError, Worker, WorkerConfig, WorkerError};
use given::{config, try_put};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use substrate_prometheus_endpoint::Registry;

fn error(dir: &Path) -> WorkerError {
    Worker::start(config(dir), None).err().expect("the worker does not start")
}

#[test]
fn folder_that_is_a_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("worker");
    fs::write(&path, "a file").unwrap();
    let error = error(&path);
    assert!(matches!(&error, WorkerError::Folder { path: named, .. } if *named == path));
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

/// Writes a file that only its owner can read.
fn write_secret(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn secret_of_another_length_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    write_secret(&dir.path().join("secret"), &[7; 31]);
    let error = error(dir.path());
    assert!(matches!(error, WorkerError::Secret(SecretError::Length { .. })));
    assert!(error.to_string().contains("31 bytes instead of 32"), "{error}");
    assert_eq!(fs::read(dir.path().join("secret")).unwrap(), [7; 31], "it was overwritten");
}

#[test]
fn secret_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    write_secret(&path, &[7; 32]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = error(dir.path()).to_string();
    assert!(error.contains(&format!("chmod 600 {}", path.display())), "{error}");
}

#[test]
fn secret_lies_where_it_is_said() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let secret: PathBuf = elsewhere.path().join("keys/secret");
    let config = || WorkerConfig { secret: Some(secret.clone()), ..config(dir.path()) };
    drop(Worker::start(config(), None).unwrap());
    assert_eq!(fs::read(&secret).unwrap().len(), 32);
    assert!(!dir.path().join("secret").exists());
    drop(Worker::start(config(), None).unwrap());
    // Without it the store's commitments cannot be revealed, and no other is made.
    fs::remove_file(&secret).unwrap();
    let error = Worker::start(config(), None).err().unwrap();
    assert!(matches!(error, WorkerError::Secret(SecretError::Missing { .. })), "{error}");
    assert!(error.to_string().contains(secret.to_str().unwrap()), "{error}");
    assert!(!secret.exists());
}

#[test]
fn disk_without_space_for_an_engine_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let space = SpaceLimits { start: u64::MAX, reserve: 0 };
    let without = WorkerConfig { models: Vec::new(), space, ..config(dir.path()) };
    drop(Worker::start(without, None).unwrap());
    let error = Worker::start(WorkerConfig { space, ..config(dir.path()) }, None).err().unwrap();
    let WorkerError::Space { path, free, needed } = &error else { panic!("{error}") };
    assert_eq!((path.as_path(), *needed), (dir.path(), u64::MAX));
    let text = error.to_string();
    for part in [dir.path().display().to_string(), free.to_string(), needed.to_string()] {
        assert!(text.contains(&part), "{text}");
    }
}

#[test]
fn file_that_is_not_a_store_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    write_secret(&dir.path().join("secret"), &[7; 32]);
    fs::write(&path, vec![7; 8_192]).unwrap();
    let error = error(dir.path());
    assert!(
        matches!(&error, WorkerError::Store { path: named, error: StoreError::Damaged { .. } } if *named == path)
    );
    let words = error.to_string();
    assert!(words.contains(&format!("move {} away", path.display())), "{words}");
    assert!(!words.contains("permissions"), "{words}");
    assert_eq!(fs::read(&path).unwrap(), vec![7; 8_192], "it was overwritten");
}

#[test]
fn metrics_that_are_registered_already_are_refused() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let registry = Registry::new();
    let _worker = Worker::start(config(first.path()), Some(&registry)).unwrap();
    let error = Worker::start(config(second.path()), Some(&registry)).err().unwrap();
    assert!(matches!(error, WorkerError::Metrics(_)), "{error}");
}

#[test]
fn nearly_full_disk_declines_new_work_alone() {
    let dir = tempfile::tempdir().unwrap();
    let space = SpaceLimits { start: 0, reserve: u64::MAX };
    let worker = Worker::start(WorkerConfig { space, ..config(dir.path()) }, None).unwrap();
    let error = try_put(&worker, b"a prompt").unwrap_err();
    assert!(matches!(error, StoreError::Space { reserve: u64::MAX, .. }), "{error}");
    assert!(error.to_string().contains(dir.path().to_str().unwrap()), "{error}");
    let status = worker.store_status();
    assert!(!status.healthy && status.error == Some(error.to_string()), "{status:?}");
    // Outputs are still kept: the reserve is there for them.
    worker.keep_output(&Default::default(), b"an output").unwrap();
}
