// SPDX-License-Identifier: Apache-2.0
//! Models in several files: an import joins them, and nothing else takes a part for the whole.

mod models;

use assay_engine::{import, synthetic::write, EngineError, Imported, MatrixType, Model};
use candle_core::quantized::{gguf_file::Value, QTensor};
use models::other_types::shape;
use std::path::{Path, PathBuf};

/// Returns the name of a part, from 1 on.
fn name(part: usize, parts: usize) -> String {
    format!("model-{part:05}-of-{parts:05}.gguf")
}

/// Returns the keys of a part, counted from 0 on.
fn keys(number: u16, parts: u16, tensors: i32) -> Vec<(String, Value)> {
    vec![
        ("split.no".into(), Value::U16(number)),
        ("split.count".into(), Value::U16(parts)),
        ("split.tensors.count".into(), Value::I32(tensors)),
    ]
}

/// Writes a model into a folder, with so many tensors in each part.
fn split(folder: &Path, sizes: &[usize]) -> Vec<PathBuf> {
    let mut tensors = shape().tensors().unwrap();
    let total = tensors.len() as i32;
    let write_part = |(number, size): (usize, &usize)| {
        let own: Vec<(String, QTensor)> = tensors.drain(..*size).collect();
        let mut metadata = if number == 0 { shape().metadata() } else { vec![] };
        metadata.extend(keys(number as u16, sizes.len() as u16, total));
        let path = folder.join(name(number + 1, sizes.len()));
        std::fs::write(&path, write(&metadata, &own).unwrap()).unwrap();
        path
    };
    let paths = sizes.iter().enumerate().map(write_part).collect();
    assert!(tensors.is_empty());
    paths
}

/// Returns how many tensors the model has.
fn tensors() -> usize {
    shape().tensors().unwrap().len()
}

fn imported(from: &Path, to: &Path) -> Result<Imported, EngineError> {
    let result = import(from, to, MatrixType::Q4_0, &mut |_| ());
    assert_eq!(result.is_ok(), to.exists());
    result
}

#[test]
fn import_of_the_first_part_is_that_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, to] = ["whole", "to"].map(|name| folder.path().join(name));
    std::fs::write(&whole, shape().file().unwrap()).unwrap();
    let expected = imported(&whole, &to).unwrap();
    let bytes = std::fs::read(&to).unwrap();
    for sizes in [vec![tensors() - 3, 3], vec![0, 4, tensors() - 4], vec![1; tensors()]] {
        let folder = tempfile::tempdir().unwrap();
        let (parts, to) = (split(folder.path(), &sizes), folder.path().join("to"));
        assert_eq!(imported(&parts[0], &to).unwrap(), expected, "{sizes:?}");
        assert!(std::fs::read(&to).unwrap() == bytes, "{sizes:?}");
    }
}

#[test]
fn part_is_refused_wherever_a_whole_model_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("to");
    let paths = split(folder.path(), &[2, 3, tensors() - 5]);
    let renamed = folder.path().join("model.gguf");
    std::fs::copy(&paths[0], &renamed).unwrap();
    let opened = paths.iter().map(|path| Model::open(path).map(drop));
    let others = [&paths[1], &paths[2], &renamed].map(|path| imported(path, &to).map(drop));
    for (result, expected) in opened.chain(others).zip([1, 2, 3, 2, 3, 1]) {
        let error = result.unwrap_err();
        assert!(matches!(error, EngineError::SplitFile { part, parts: 3 } if part == expected));
        assert!(error.to_string().contains("-00001-of-00003.gguf"), "{error}");
    }
}

#[test]
fn part_that_is_missing_or_another_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("to");
    let paths = split(folder.path(), &[2, 3, tensors() - 5]);
    let last = std::fs::read(&paths[2]).unwrap();
    std::fs::copy(&paths[1], &paths[2]).unwrap();
    match imported(&paths[0], &to) {
        Err(EngineError::InvalidKey { key, problem }) => {
            assert!(key == "split.no" && problem.contains(&name(3, 3)), "{problem}");
        }
        other => panic!("{other:?}"),
    }
    std::fs::remove_file(&paths[2]).unwrap();
    let result = imported(&paths[0], &to);
    assert!(matches!(result, Err(EngineError::Io { path, .. }) if path == paths[2]));
    std::fs::write(&paths[2], last).unwrap();
    imported(&paths[0], &to).unwrap();
}

#[test]
fn parts_that_do_not_fit_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let paths = split(folder.path(), &[2, tensors() - 2]);
    let part = |path: &Path, metadata: Vec<(String, Value)>, own: &[(String, QTensor)]| {
        std::fs::write(path, write(&metadata, own).unwrap()).unwrap();
        imported(&paths[0], &folder.path().join("to")).map(drop)
    };
    let total = tensors() as i32;
    let twice = part(&paths[1], keys(1, 2, total), &shape().tensors().unwrap()[1..]);
    assert!(
        matches!(twice, Err(EngineError::Header { problem, .. }) if problem.contains("two parts"))
    );
    let fewer = part(&paths[1], keys(1, 2, total), &shape().tensors().unwrap()[3..]);
    assert!(
        matches!(fewer, Err(EngineError::InvalidKey { key, .. }) if key == "split.tensors.count")
    );
    for (number, parts, wrong) in [(2, 2, "split.no"), (0, 2000, "split.count")] {
        let metadata = [shape().metadata(), keys(number, parts, total)].concat();
        let result = part(&paths[0], metadata, &[]);
        assert!(matches!(result, Err(EngineError::InvalidKey { key, .. }) if key == wrong));
    }
}

#[test]
fn only_part_of_a_model_is_the_whole() {
    let metadata = [shape().metadata(), keys(0, 1, tensors() as i32)].concat();
    Model::from_bytes(write(&metadata, &shape().tensors().unwrap()).unwrap()).unwrap();
}
