// SPDX-License-Identifier: Apache-2.0
//! Files of this machine.

use crate::kitchen::{importable, imported, servable, Kitchen};
use std::fs;

#[test]
fn file_that_the_engine_runs_keeps_its_id() {
    let (kitchen, file) = (Kitchen::new(), servable());
    let path = kitchen.folder.path().join("m.gguf");
    fs::write(&path, &file).unwrap();
    let fetched = kitchen.fetch(path.to_str().unwrap(), None).unwrap();
    assert_eq!((fetched.id, fetched.cached), (blake3::hash(&file), false));
    assert_eq!(fs::read(&fetched.file).unwrap(), file);
    assert_eq!(fs::read(&path).unwrap(), file, "the file itself stays");
    assert!(kitchen.fetch(path.to_str().unwrap(), None).unwrap().cached);
}

#[test]
fn other_file_is_imported() {
    let (kitchen, file) = (Kitchen::new(), importable());
    let path = kitchen.folder.path().join("m.gguf");
    fs::write(&path, &file).unwrap();
    let text = path.to_str().unwrap();
    let fetched = kitchen.fetch(text, Some(blake3::hash(&file))).unwrap();
    assert_eq!(fs::read(&fetched.file).unwrap(), imported(&file));
    assert_eq!(fetched.id, blake3::hash(&imported(&file)));
    assert!(kitchen.fetch(text, None).unwrap().cached);

    // A file of the same bytes is the same source.
    let copy = kitchen.folder.path().join("copy.gguf");
    fs::copy(&path, &copy).unwrap();
    assert!(kitchen.fetch(copy.to_str().unwrap(), None).unwrap().cached);
}

#[test]
fn damaged_model_is_made_again() {
    let (kitchen, file) = (Kitchen::new(), importable());
    let path = kitchen.folder.path().join("m.gguf");
    fs::write(&path, &file).unwrap();
    let fetched = kitchen.fetch(path.to_str().unwrap(), None).unwrap();
    let whole = fs::read(&fetched.file).unwrap();
    fs::write(&fetched.file, &whole[..whole.len() - 1]).unwrap();
    let again = kitchen.fetch(path.to_str().unwrap(), None).unwrap();
    assert!(!again.cached && again.id == fetched.id);
    assert_eq!(fs::read(&again.file).unwrap(), whole);
}

#[test]
fn file_that_cannot_be_used_is_named() {
    let kitchen = Kitchen::new();
    let path = kitchen.folder.path().join("m.gguf");
    fs::write(&path, b"no model").unwrap();
    let text = path.to_str().unwrap();
    kitchen.fails(text, None, "model", &[text, "GGUF"]);
    let other = blake3::hash(b"other");
    kitchen.fails(
        text,
        Some(other),
        "wrong_hash",
        &[text, &other.to_string(), "get the file again"],
    );
    assert_eq!(kitchen.cache.records(), []);
}
