// SPDX-License-Identifier: Apache-2.0
//! A worker that cannot start names the problem, the file and the remedy.

use assay_engine::Model;
use assay_worker::{StoreError, Worker, WorkerConfig, WorkerError};
use std::{fs, path::Path, time::Duration};
use substrate_prometheus_endpoint::Registry;

fn config(dir: &Path) -> WorkerConfig {
    WorkerConfig {
        dir: dir.into(),
        models: vec![Model::tiny().unwrap()],
        threads: 1,
        gate: Default::default(),
        memory_bytes: 1 << 28,
        block_time: Duration::from_secs(3),
        fault: None,
    }
}

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

#[test]
fn secret_of_another_length_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("secret"), [7; 31]).unwrap();
    let error = error(dir.path());
    assert!(matches!(error, WorkerError::Folder { .. }));
    assert!(error.to_string().contains("31 bytes instead of 32"), "{error}");
    assert_eq!(fs::read(dir.path().join("secret")).unwrap(), [7; 31], "it was overwritten");
}

#[test]
fn file_that_is_not_a_store_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    fs::write(&path, vec![7; 8_192]).unwrap();
    let error = error(dir.path());
    assert!(
        matches!(&error, WorkerError::Store { path: named, error: StoreError::Database(_) } if *named == path)
    );
    assert!(error.to_string().contains("store.redb"), "{error}");
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
