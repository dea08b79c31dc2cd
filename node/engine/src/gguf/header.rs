// SPDX-License-Identifier: Apache-2.0
//! The walk over a header, which checks everything that candle-core's reader would trust.

use crate::EngineError;
use std::{collections::BTreeSet, ops::Range};

/// The most metadata keys in a file.
const KEYS_MAX: u64 = 1 << 16;
/// The most tensors in a file.
const TENSORS_MAX: u64 = 1 << 16;
/// The longest name of a key or tensor, in bytes.
const NAME_MAX: u64 = 1 << 10;
/// The deepest nesting of arrays.
const DEPTH_MAX: u32 = 4;
/// The most elements in all arrays. candle's reader takes about 32 bytes for each, and the largest
/// vocabulary in use (262,144 tokens with scores, types and merges) has 1.3 million.
const ELEMENTS_MAX: u64 = 1 << 22;
/// The longest header in bytes, for the same reason.
pub(crate) const HEADER_MAX: usize = 1 << 27;
/// The most dimensions of a tensor.
const DIMENSIONS_MAX: u32 = 4;
/// The alignment of a file without `general.alignment`.
const ALIGNMENT: u64 = 32;

/// The result of the walk over a header, in the file's order.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// Each key and the range of its record (key, type and value).
    pub records: Vec<(String, Range<usize>)>,
    pub tensors: Vec<TensorRecord>,
    /// The byte after the last record.
    pub records_end: usize,
    /// The byte from which the places of tensors are counted.
    pub data: u64,
    /// The alignment: the place of each tensor is a multiple of it.
    pub alignment: usize,
}

/// A tensor as the header describes it.
#[derive(Debug)]
pub(super) struct TensorRecord {
    pub name: String,
    /// Its shape, rows first.
    pub shape: Vec<usize>,
    /// The number of its type.
    pub kind: u32,
    pub offset: u64,
}

/// Returns the error for a field of the header.
pub(super) fn header(field: impl Into<String>, problem: impl Into<String>) -> EngineError {
    EngineError::Header { field: field.into(), problem: problem.into() }
}

/// The part of the header that has not been read.
struct Reader<'f> {
    rest: &'f [u8],
    /// The number of array elements that may still follow.
    elements: u64,
}

impl<'f> Reader<'f> {
    fn take(&mut self, n: u64, field: &str) -> Result<&'f [u8], EngineError> {
        match usize::try_from(n).ok().and_then(|n| self.rest.split_at_checked(n)) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => {
                let left = self.rest.len();
                Err(header(
                    field,
                    format!("claims that {n} bytes follow, but the file has {left} more"),
                ))
            }
        }
    }

    fn array<const N: usize>(&mut self, field: &str) -> Result<[u8; N], EngineError> {
        let mut out = [0u8; N];
        out.copy_from_slice(self.take(N as u64, field)?);
        Ok(out)
    }

    fn u32(&mut self, field: &str) -> Result<u32, EngineError> {
        Ok(u32::from_le_bytes(self.array(field)?))
    }

    fn u64(&mut self, field: &str) -> Result<u64, EngineError> {
        Ok(u64::from_le_bytes(self.array(field)?))
    }

    fn name(&mut self, field: &str) -> Result<String, EngineError> {
        let length = self.u64(field)?;
        if length > NAME_MAX {
            return Err(header(
                field,
                format!("a name of {length} bytes exceeds the limit of {NAME_MAX}"),
            ));
        }
        let bytes = self.take(length, field)?;
        match std::str::from_utf8(bytes) {
            Ok(name) if !name.ends_with('\0') => Ok(name.to_string()),
            _ => Err(header(field, "the name is not UTF-8 or ends in a zero byte")),
        }
    }

    /// Skips a value of the type with this number.
    fn skip(&mut self, kind: u32, field: &str, depth: u32) -> Result<(), EngineError> {
        if let Some(size) = fixed_size(kind) {
            return self.take(size, field).map(drop);
        }
        match kind {
            8 => {
                let length = self.u64(field)?;
                self.take(length, field).map(drop)
            }
            9 if depth < DEPTH_MAX => {
                let (kind, count) = (self.u32(field)?, self.u64(field)?);
                self.elements = self.elements.checked_sub(count).ok_or_else(|| {
                    header(
                        field,
                        format!(
                            "{count} elements exceed the limit of {ELEMENTS_MAX} for all arrays"
                        ),
                    )
                })?;
                if let Some(size) = fixed_size(kind) {
                    let bytes = count.checked_mul(size);
                    return self.take(bytes.unwrap_or(u64::MAX), field).map(drop);
                }
                // Each iteration takes at least eight bytes of the file or fails.
                (0..count).try_for_each(|_| self.skip(kind, field, depth + 1))
            }
            9 => Err(header(field, format!("arrays are nested deeper than {DEPTH_MAX}"))),
            _ => Err(header(field, format!("the value has the unknown type {kind}"))),
        }
    }
}

/// Returns the size in bytes of a value type, if it is fixed.
fn fixed_size(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

/// Checks everything that candle's reader would trust.
pub(super) fn walk(file: &[u8]) -> Result<Header, EngineError> {
    let cut = file.len().min(HEADER_MAX);
    let mut reader = Reader { rest: &file[..cut], elements: ELEMENTS_MAX };
    let magic = reader.take(4, "magic").unwrap_or_default();
    if magic != b"GGUF" {
        return Err(EngineError::NotGguf { found: format!("it begins with {magic:02x?}") });
    }
    let version = reader.u32("version")?;
    if !(2..=3).contains(&version) {
        return Err(EngineError::NotGguf { found: format!("it says version {version}") });
    }
    let tensors = reader.u64("tensor_count")?;
    if tensors > TENSORS_MAX {
        return Err(header(
            "tensor_count",
            format!("{tensors} exceeds the limit of {TENSORS_MAX}"),
        ));
    }
    let keys = reader.u64("metadata_kv_count")?;
    if keys > KEYS_MAX {
        return Err(header("metadata_kv_count", format!("{keys} exceeds the limit of {KEYS_MAX}")));
    }
    let (records, alignment) = walk_keys(&mut reader, cut, keys)?;
    let records_end = cut - reader.rest.len();
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for i in 0..tensors {
        let name = reader.name(&format!("tensor {i}"))?;
        let tensor = walk_tensor(&mut reader, name, alignment)?;
        if !seen.insert(tensor.name.clone()) {
            return Err(header(tensor.name, "it occurs twice"));
        }
        all.push(tensor);
    }
    // A header is at most as long as HEADER_MAX.
    let data = ((cut - reader.rest.len()) as u64).next_multiple_of(alignment);
    // The alignment is at most 65,536.
    Ok(Header { records, tensors: all, records_end, data, alignment: alignment as usize })
}

/// Reads the records of the keys and the alignment from a reader whose file has `length` bytes.
#[allow(clippy::type_complexity, reason = "each key with its range")]
fn walk_keys(
    reader: &mut Reader<'_>,
    length: usize,
    keys: u64,
) -> Result<(Vec<(String, Range<usize>)>, u64), EngineError> {
    let mut alignment = ALIGNMENT;
    let mut seen = BTreeSet::new();
    let mut records = Vec::new();
    for i in 0..keys {
        let from = length - reader.rest.len();
        let key = reader.name(&format!("metadata key {i}"))?;
        let kind = reader.u32(&key)?;
        if key == "general.alignment" {
            if kind != 4 {
                return Err(header(key, "not a u32"));
            }
            alignment = u64::from(reader.u32(&key)?);
        } else {
            reader.skip(kind, &key, 0)?;
        }
        if !seen.insert(key.clone()) {
            return Err(header(key, "it occurs twice"));
        }
        records.push((key, from..length - reader.rest.len()));
    }
    if !alignment.is_power_of_two() || !(8..=65_536).contains(&alignment) {
        let problem = format!("{alignment} is not a power of two from 8 to 65536");
        return Err(header("general.alignment", problem));
    }
    Ok((records, alignment))
}

fn walk_tensor(
    reader: &mut Reader<'_>,
    tensor: String,
    alignment: u64,
) -> Result<TensorRecord, EngineError> {
    let name = tensor.as_str();
    let dimensions = reader.u32(name)?;
    if !(1..=DIMENSIONS_MAX).contains(&dimensions) {
        return Err(header(
            name,
            format!("{dimensions} dimensions are not from 1 to {DIMENSIONS_MAX}"),
        ));
    }
    let (mut product, mut shape) = (1u64, Vec::new());
    for _ in 0..dimensions {
        let n = reader.u64(name)?;
        product = match product.checked_mul(n) {
            Some(product) if n > 0 && product < 1 << 48 => product,
            _ => return Err(header(name, format!("a dimension of {n} is 0 or too large"))),
        };
        let size = usize::try_from(n);
        shape.push(size.map_err(|_| header(name, format!("a dimension of {n} is too large")))?);
    }
    shape.reverse();
    let kind = reader.u32(name)?;
    let offset = reader.u64(name)?;
    if !offset.is_multiple_of(alignment) {
        return Err(header(name, format!("offset {offset} is not a multiple of {alignment}")));
    }
    Ok(TensorRecord { name: tensor, shape, kind, offset })
}
