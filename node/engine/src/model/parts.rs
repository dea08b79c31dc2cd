// SPDX-License-Identifier: Apache-2.0
//! Models in several files, as `gguf-split` of llama.cpp writes them: `NAME-00001-of-00003.gguf` and so on.
//!
//! The first part has the metadata of the model, and each part has some of the tensors. An import reads all parts,
//! in their order; nothing else opens one.

use super::source::Mapped;
use crate::{
    gguf::{self, invalid, Gguf},
    EngineError,
};
use std::{collections::BTreeSet, path::Path};

/// The beginning of the keys that describe parts.
pub(super) const KEYS: &str = "split.";
/// The key of a part's number, from 0 on.
const NUMBER: &str = "split.no";
/// The key of the number of parts.
const COUNT: &str = "split.count";
/// The key of the number of tensors in all parts.
const TENSORS: &str = "split.tensors.count";
/// The most parts.
const COUNT_MAX: u64 = 1 << 10;

/// A file of a model, and its header.
pub(super) struct Part {
    pub source: Mapped,
    pub gguf: Gguf,
}

/// The number of a part, from 0 on, and the number of all.
type Place = (u64, u64);

/// Returns which part of a model a file is, unless it is the whole.
fn place(gguf: &Gguf) -> Result<Option<Place>, EngineError> {
    let count = gguf.number(COUNT)?.unwrap_or(0);
    if count < 2 {
        return Ok(None);
    }
    let number = gguf.number(NUMBER)?.unwrap_or(0);
    if count > COUNT_MAX {
        return Err(invalid(COUNT, format!("{count} is above {COUNT_MAX}")));
    }
    match number < count {
        true => Ok(Some((number, count))),
        false => Err(invalid(NUMBER, format!("{number} is not below {COUNT}, which is {count}"))),
    }
}

fn refused((number, parts): Place) -> EngineError {
    EngineError::SplitFile { part: number + 1, parts }
}

/// Refuses a file that is a part of a model.
///
/// # Errors
/// Returns [`EngineError::SplitFile`], or [`EngineError::InvalidKey`] if the file contradicts itself.
pub(super) fn ensure_whole(gguf: &Gguf) -> Result<(), EngineError> {
    place(gguf)?.map_or(Ok(()), |place| Err(refused(place)))
}

/// Reads the headers of a model's file, and those of the other parts if it is the first of several.
///
/// # Errors
/// Returns [`EngineError::SplitFile`] for another part or name, [`EngineError::Io`] for a part that cannot be read, or
/// an error that says where the parts contradict each other.
pub(super) fn parts(from: &Path) -> Result<Vec<Part>, EngineError> {
    let first = read(from)?;
    let Some((number, count)) = place(&first.gguf)? else { return Ok(vec![first]) };
    let stem = name_of(from).and_then(|name| name.strip_suffix(&*end((0, count))));
    let (0, Some(stem)) = (number, stem) else { return Err(refused((number, count))) };
    let mut all = vec![first];
    for expected in 1..count {
        let path = from.with_file_name(format!("{stem}{}", end((expected, count))));
        let part = read(&path)?;
        if place(&part.gguf)? != Some((expected, count)) {
            let name = path.display();
            let problem =
                format!("{name} does not say that it is part {} of {count}", expected + 1);
            return Err(invalid(NUMBER, problem));
        }
        all.push(part);
    }
    check_tensors(&all)?;
    Ok(all)
}

fn read(path: &Path) -> Result<Part, EngineError> {
    let source = Mapped::open(path)?;
    let gguf = gguf::read(source.bytes())?;
    Ok(Part { source, gguf })
}

/// Returns the end of a part's name.
fn end((number, count): Place) -> String {
    format!("-{:05}-of-{count:05}.gguf", number + 1)
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// Checks that each tensor is in one part and that none is missing.
fn check_tensors(parts: &[Part]) -> Result<(), EngineError> {
    let mut seen = BTreeSet::new();
    for name in parts.iter().flat_map(|part| part.gguf.tensor_names()) {
        if !seen.insert(name) {
            let problem = "it occurs in two parts".into();
            return Err(EngineError::Header { field: name.into(), problem });
        }
    }
    match parts[0].gguf.number(TENSORS)? {
        Some(count) if count != seen.len() as u64 => {
            Err(invalid(TENSORS, format!("{count}, but the parts have {}", seen.len())))
        }
        _ => Ok(()),
    }
}
