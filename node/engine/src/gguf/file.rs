// SPDX-License-Identifier: Apache-2.0
//! A file whose header has been checked.

use super::{
    header::{header, walk, Header, TensorRecord},
    types::{type_name, TensorType},
};
use crate::EngineError;
use candle_core::quantized::gguf_file::{Content, Value};
use std::{
    collections::{BTreeMap, HashMap},
    io::Cursor,
    ops::Range,
};

/// The bytes of a header that hold the number of tensors.
const TENSOR_COUNT: Range<usize> = 8..16;

/// A file whose header has been checked.
#[derive(Debug)]
pub struct Gguf {
    metadata: HashMap<String, Value>,
    header: Header,
    /// The index of each tensor in the header.
    tensors: BTreeMap<String, usize>,
    file_bytes: u64,
}

/// A tensor inside the bounds of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorPlace {
    /// The tensor's type.
    pub dtype: TensorType,
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
/// Returns [`EngineError::NotGguf`], [`EngineError::Header`] or [`EngineError::Truncated`]. A tensor of an unknown
/// type is not an error until it is asked for.
pub fn read(file: &[u8]) -> Result<Gguf, EngineError> {
    read_header(file, file.len() as u64)
}

/// Reads a header from the beginning of a file that has so many bytes: all of them, or at least [`super::HEADER_MAX`].
///
/// # Errors
/// Returns the errors of [`read`].
pub(crate) fn read_header(file: &[u8], file_bytes: u64) -> Result<Gguf, EngineError> {
    let walked = walk(file)?;
    let mut metadata = file[..walked.records_end].to_vec();
    metadata[TENSOR_COUNT].fill(0);
    let content = Content::read(&mut Cursor::new(metadata))
        .map_err(|e| header("content", format!("candle-core refuses it: {}", message(&e))))?;
    let metadata = content.metadata;
    let names = walked.tensors.iter().map(|tensor| tensor.name.clone());
    let tensors = names.zip(0..).collect();
    let gguf = Gguf { metadata, header: walked, tensors, file_bytes };
    check_places(&gguf)?;
    Ok(gguf)
}

/// Checks that no tensors overlap, so that all of them together are at most as large as the file. The length of a
/// tensor of an unknown type is not known, and its bytes are never read.
fn check_places(gguf: &Gguf) -> Result<(), EngineError> {
    let known = gguf.header.tensors.iter().filter(|tensor| tensor.dtype().is_some());
    let mut places = known
        .map(|tensor| Ok((gguf.place(tensor)?, tensor.name.as_str())))
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
        self.metadata.get(key)
    }

    /// Returns each key with the range of its record (key, type and value) in the file, in the
    /// file's order.
    pub fn records(&self) -> impl ExactSizeIterator<Item = (&str, Range<usize>)> {
        self.header.records.iter().map(|(key, range)| (key.as_str(), range.clone()))
    }

    /// Returns the length of the header, up to the data of tensors.
    pub(crate) fn header_bytes(&self) -> usize {
        self.header.data as usize
    }

    /// Returns the alignment: the place of each tensor in the file is a multiple of it.
    pub fn alignment(&self) -> usize {
        self.header.alignment
    }

    /// Returns the names of all tensors, in the file's order.
    pub fn tensor_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.header.tensors.iter().map(|tensor| tensor.name.as_str())
    }

    /// Returns the place of a tensor.
    ///
    /// # Errors
    /// Returns [`EngineError::MissingTensor`], [`EngineError::UnknownType`] if not even an import reads its type,
    /// [`EngineError::Truncated`] if the file ends before the tensor does, or [`EngineError::Header`] if its size is
    /// not one of whole blocks or overflows.
    pub fn tensor(&self, name: &str) -> Result<TensorPlace, EngineError> {
        let missing = || EngineError::MissingTensor { tensor: name.into() };
        self.place(&self.header.tensors[*self.tensors.get(name).ok_or_else(missing)?])
    }

    fn place(&self, tensor: &TensorRecord) -> Result<TensorPlace, EngineError> {
        let name = tensor.name.as_str();
        let unknown =
            || EngineError::UnknownType { tensor: name.into(), found: type_name(tensor.kind) };
        let dtype = tensor.dtype().ok_or_else(unknown)?;
        let shape = tensor.shape.clone();
        let (block, size) = (dtype.block_size(), dtype.type_size());
        let bytes = shape
            .iter()
            .try_fold(1usize, |product, &n| product.checked_mul(n))
            .filter(|n| n.is_multiple_of(block))
            .and_then(|n| (n / block).checked_mul(size))
            .ok_or_else(|| header(name, format!("shape {shape:?} is not one of whole blocks")))?;
        let from = self.header.data.saturating_add(tensor.offset);
        let to = from.saturating_add(bytes as u64);
        if to > self.file_bytes {
            return Err(EngineError::Truncated {
                tensor: name.into(),
                from,
                to,
                file: self.file_bytes,
            });
        }
        // Both are at most the length of a slice in memory.
        Ok(TensorPlace { dtype, shape, at: from as usize, bytes })
    }
}

impl TensorRecord {
    /// Returns the type, if it can be used.
    fn dtype(&self) -> Option<TensorType> {
        TensorType::numbered(self.kind)
    }
}

/// Returns candle's message, without the backtrace that it includes.
pub(crate) fn message(error: &candle_core::Error) -> String {
    match error {
        candle_core::Error::WithBacktrace { inner, .. } => message(inner),
        other => other.to_string(),
    }
}
