// SPDX-License-Identifier: Apache-2.0
//! A file whose header has been checked.

use super::header::{header, walk, Header};
use crate::EngineError;
use candle_core::quantized::{
    gguf_file::{Content, Value},
    GgmlDType,
};
use std::{io::Cursor, ops::Range};

/// A file whose header has been checked.
#[derive(Debug)]
pub struct Gguf {
    content: Content,
    header: Header,
    file_bytes: u64,
}

/// A tensor inside the bounds of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorPlace {
    /// The tensor's type.
    pub dtype: GgmlDType,
    /// Its shape, rows first.
    pub shape: Vec<usize>,
    /// First byte in the file.
    pub at: usize,
    /// Bytes of its data.
    pub bytes: usize,
}

/// Reads a file's header.
///
/// # Errors
/// Returns [`EngineError::NotGguf`], [`EngineError::Header`], [`EngineError::UnknownType`] or
/// [`EngineError::Truncated`].
pub fn read(file: &[u8]) -> Result<Gguf, EngineError> {
    let walked = walk(file)?;
    let content = Content::read(&mut Cursor::new(file))
        .map_err(|e| header("content", format!("candle-core refuses it: {}", message(&e))))?;
    let gguf = Gguf { content, header: walked, file_bytes: file.len() as u64 };
    check_places(&gguf)?;
    Ok(gguf)
}

/// Checks that no tensors overlap, so that all of them together are at most as large as the file.
fn check_places(gguf: &Gguf) -> Result<(), EngineError> {
    let mut places = gguf
        .tensor_names()
        .map(|name| Ok((gguf.tensor(name)?, name)))
        .collect::<Result<Vec<_>, EngineError>>()?;
    places.sort_by_key(|(place, _)| place.at);
    for ((one, first), (other, second)) in places.iter().zip(places.iter().skip(1)) {
        // Both are within the file.
        if one.at + one.bytes > other.at {
            let problem = format!("its bytes from {} on also belong to {first}", other.at);
            return Err(header(*second, problem));
        }
    }
    Ok(())
}

impl Gguf {
    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.content.metadata.get(key)
    }

    /// Returns each key with the range of its record (key, type and value) in the file, in the
    /// file's order.
    pub fn records(&self) -> impl ExactSizeIterator<Item = (&str, Range<usize>)> {
        self.header.records.iter().map(|(key, range)| (key.as_str(), range.clone()))
    }

    /// Returns the alignment: the place of each tensor in the file is a multiple of it.
    pub fn alignment(&self) -> usize {
        self.header.alignment
    }

    /// Returns the names of all tensors, in the file's order.
    pub fn tensor_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.header.tensors.iter().map(String::as_str)
    }

    /// Returns the place of a tensor.
    ///
    /// # Errors
    /// Returns [`EngineError::MissingTensor`], [`EngineError::Truncated`] if the file ends before
    /// the tensor does, or [`EngineError::Header`] if its size is not one of whole blocks or
    /// overflows.
    pub fn tensor(&self, name: &str) -> Result<TensorPlace, EngineError> {
        let tensor = || name.to_string();
        let info = self.content.tensor_infos.get(name);
        let info = info.ok_or_else(|| EngineError::MissingTensor { tensor: tensor() })?;
        let shape = info.shape.dims().to_vec();
        let (block, size) = (info.ggml_dtype.block_size(), info.ggml_dtype.type_size());
        let bytes = shape
            .iter()
            .try_fold(1usize, |product, &n| product.checked_mul(n))
            .filter(|n| n.is_multiple_of(block))
            .and_then(|n| (n / block).checked_mul(size))
            .ok_or_else(|| header(name, format!("shape {shape:?} is not one of whole blocks")))?;
        let from = self.content.tensor_data_offset.saturating_add(info.offset);
        let to = from.saturating_add(bytes as u64);
        if to > self.file_bytes {
            return Err(EngineError::Truncated {
                tensor: tensor(),
                from,
                to,
                file: self.file_bytes,
            });
        }
        // Both are at most the length of a slice in memory.
        Ok(TensorPlace { dtype: info.ggml_dtype, shape, at: from as usize, bytes })
    }
}

/// Returns candle's message, without the backtrace that it includes.
pub(crate) fn message(error: &candle_core::Error) -> String {
    match error {
        candle_core::Error::WithBacktrace { inner, .. } => message(inner),
        other => other.to_string(),
    }
}
