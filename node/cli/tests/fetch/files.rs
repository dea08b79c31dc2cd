// SPDX-License-Identifier: Apache-2.0
//! Files of this machine.

use crate::kitchen::{importable, imported, servable, Kitchen};
use assay_engine::synthetic::{write, Synthetic};
use candle_core::quantized::{gguf_file::Value, QTensor};
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
fn model_in_several_parts_is_to_be_imported_first() {
    let (kitchen, shape) = (Kitchen::new(), Synthetic::default());
    let path = |part: usize| kitchen.folder.path().join(format!("m-0000{part}-of-00002.gguf"));
    let tensors = shape.tensors().unwrap();
    let total = i32::try_from(tensors.len()).unwrap();
    let part = |number: u16, metadata: Vec<(String, Value)>, tensors: &[(String, QTensor)]| {
        let keys = [
            ("split.no", Value::U16(number)),
            ("split.count", Value::U16(2)),
            ("split.tensors.count", Value::I32(total)),
        ];
        let keys = keys.map(|(key, value)| (key.to_string(), value));
        write(&[metadata, keys.to_vec()].concat(), tensors).unwrap()
    };
    fs::write(path(1), part(0, shape.metadata(), &tensors[..2])).unwrap();
    fs::write(path(2), part(1, Vec::new(), &tensors[2..])).unwrap();
    let first = path(1);
    let text = first.to_str().unwrap();
    kitchen.fails(text, None, "split_model", &[text, "2 parts", "assay model import"]);
    assert_eq!(kitchen.cache.records(), []);
}

#[test]
fn file_with_a_missing_tensor_is_refused() {
    let (kitchen, shape) = (Kitchen::new(), Synthetic::default());
    let path = kitchen.folder.path().join("m.gguf");
    let mut tensors = shape.tensors().unwrap();
    let (missing, _) = tensors.pop().unwrap();
    fs::write(&path, write(&shape.metadata(), &tensors).unwrap()).unwrap();
    kitchen.fails(path.to_str().unwrap(), None, "model", &[&missing]);
    assert_eq!(kitchen.cache.records(), []);
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
