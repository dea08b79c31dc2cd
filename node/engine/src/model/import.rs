// SPDX-License-Identifier: Apache-2.0
//! Conversion of files in other types into files that profile N1 computes. The rule is exact: the
//! same file becomes the same bytes, and so has the same root, on every machine.
//!
//! - Metadata is copied record by record, byte for byte and in order. Only `general.file_type` is
//!   set to that of the new file (7 for Q8_0, 2 for Q4_0), or is added at the end.
//! - Tensors keep the order of the file, at multiples of its alignment.
//! - Tensors of one dimension become F32.
//! - Matrices in Q4_0, and in the requested type, are copied. All others become f32 numbers, each
//!   by ggml's formula for its type as candle-core computes it: `d * q`, `d * q + m`, or for the
//!   types with blocks of 256 weights `(d * scale) * q - (dmin * min)`, in f32, with every product
//!   and difference rounded; F16 and BF16 are exact. The numbers then become blocks by the rule in
//!   [`quantise`].

use super::{load::describe, source::Source};
use crate::{
    gguf::{self, Gguf, TensorPlace},
    quantise, EngineError,
};
use candle_core::{
    quantized::{ggml_file::qtensor_from_ggml, GgmlDType},
    Device,
};
use half::f16;
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};
use tempfile::NamedTempFile;

/// Number of weights that are converted at a time, which is a multiple of every type's block.
const PIECE: usize = 1 << 18;
/// The key that an import changes.
const FILE_TYPE: &str = "general.file_type";

/// The type that matrices are converted to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatrixType {
    /// 8.5 bits per weight, which changes the model very little.
    #[default]
    Q8_0,
    /// 4.5 bits per weight.
    Q4_0,
}

impl MatrixType {
    fn dtype(self) -> GgmlDType {
        match self {
            Self::Q8_0 => GgmlDType::Q8_0,
            Self::Q4_0 => GgmlDType::Q4_0,
        }
    }

    /// Returns `general.file_type` of a file whose matrices are of this type.
    fn file_type(self) -> u32 {
        match self {
            Self::Q8_0 => 7,
            Self::Q4_0 => 2,
        }
    }
}

/// The progress of an import.
#[derive(Clone, Copy, Debug)]
pub struct ImportProgress<'p> {
    /// The tensor that has just been written.
    pub tensor: &'p str,
    /// Bytes of tensors that have been read so far.
    pub done: u64,
    /// Bytes of all tensors.
    pub total: u64,
}

/// The result of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// BLAKE3 of the new file: the model's identity.
    pub root: [u8; 32],
    /// The new file's length in bytes.
    pub file_bytes: u64,
    /// Number of tensors whose type has changed.
    pub converted: usize,
    /// Number of tensors that were copied.
    pub copied: usize,
}

/// The result that an import would have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportPlan {
    /// The new file's length in bytes.
    pub file_bytes: u64,
    /// Number of tensors whose type would change. If there is none, the engine opens the file as it is.
    pub converted: usize,
}

/// Returns what an import of the model at `from` would write, without converting anything.
///
/// # Errors
/// As for [`import`], except for numbers that cannot be converted.
pub fn plan_import(from: &Path, matrices: MatrixType) -> Result<ImportPlan, EngineError> {
    let source = Source::map(from)?;
    let file = source.bytes();
    let gguf = gguf::read(file)?;
    describe(&gguf)?;
    let plans = plans(&gguf, matrices)?;
    let alignment = gguf.alignment();
    let data = plans.iter().map(|plan| plan.bytes.next_multiple_of(alignment) as u64).sum::<u64>();
    Ok(ImportPlan {
        file_bytes: header(file, &gguf, &plans, matrices.file_type()).len() as u64 + data,
        converted: plans.iter().filter(|plan| plan.target != plan.place.dtype).count(),
    })
}

/// Converts the model at `from` into a file that the engine opens, at `to`.
///
/// The new file appears under its name once it is complete and on disk, and replaces an existing
/// one. Until then it has a unique name in the same folder, so if several imports write to one
/// name, the last to finish determines the file, which is always whole.
///
/// # Errors
/// Returns [`EngineError::Io`], [`EngineError::Import`] for a tensor that cannot be converted, or
/// an error that says what in the file is wrong or unsupported, before anything is written.
pub fn import(
    from: &Path,
    to: &Path,
    matrices: MatrixType,
    progress: &mut dyn FnMut(ImportProgress<'_>),
) -> Result<Imported, EngineError> {
    let source = Source::map(from)?;
    let file = source.bytes();
    let gguf = gguf::read(file)?;
    describe(&gguf)?;
    let io = |source| EngineError::Io { path: to.to_path_buf(), source };
    // If anything fails, the partial file is removed when it is dropped.
    let mut partial = partial(to).map_err(io)?;
    let out = BufWriter::new(partial.as_file_mut());
    let mut out = Hashed { out, hash: blake3::Hasher::new(), bytes: 0 };
    let (converted, copied) = convert(file, &gguf, matrices, &mut out, &io, progress)?;
    out.flush().map_err(io)?;
    let (root, file_bytes) = (*out.hash.finalize().as_bytes(), out.bytes);
    drop(out);
    partial.as_file().sync_all().map_err(io)?;
    partial.persist(to).map_err(|e| io(e.error))?;
    sync_folder(folder(to)).map_err(io)?;
    Ok(Imported { root, file_bytes, converted, copied })
}

/// Returns the folder of a file.
fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Creates a new file next to `to`, with the permissions of any new file.
fn partial(to: &Path) -> io::Result<NamedTempFile> {
    let mut prefix = to.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".partial");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder(to))
}

/// Makes a new name in a folder survive a crash.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Other systems cannot open a folder as a file, and need no such step.
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

/// A file and the hash of the bytes that have been written to it.
struct Hashed<'f> {
    out: BufWriter<&'f mut File>,
    hash: blake3::Hasher,
    bytes: u64,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns the file with each Q8_0 matrix in Q4_0.
///
/// # Errors
/// Returns [`EngineError::Requantise`] if no matrix is Q8_0.
pub(super) fn requantise_q4_0(file: &[u8]) -> Result<Vec<u8>, EngineError> {
    let mut out = Vec::new();
    let io = |e: io::Error| EngineError::Requantise { problem: e.to_string() };
    let gguf = gguf::read(file)?;
    let (converted, _) = convert(file, &gguf, MatrixType::Q4_0, &mut out, &io, &mut |_| ())?;
    if converted == 0 {
        return Err(EngineError::Requantise { problem: "none of its matrices is Q8_0".into() });
    }
    Ok(out)
}

/// A tensor on its way into the new file.
struct Plan<'g> {
    name: &'g str,
    place: TensorPlace,
    target: GgmlDType,
    bytes: usize,
}

impl<'g> Plan<'g> {
    fn new(gguf: &Gguf, name: &'g str, matrices: MatrixType) -> Result<Self, EngineError> {
        let place = gguf.tensor(name)?;
        let target = match (place.shape.len(), place.dtype) {
            (1, _) => GgmlDType::F32,
            (_, GgmlDType::Q4_0) => GgmlDType::Q4_0,
            _ => matrices.dtype(),
        };
        let columns = place.shape.last().copied().unwrap_or_default();
        let (block, size) = (target.block_size(), target.type_size());
        if !columns.is_multiple_of(block) {
            let problem = format!("rows of {columns} are not whole blocks of {block}");
            return Err(refused(name, problem));
        }
        // The product is a number of elements, which has been checked; a target takes at most 4
        // bytes for each.
        let bytes = place.shape.iter().product::<usize>() / block * size;
        Ok(Self { name, place, target, bytes })
    }
}

/// Returns the plans of all tensors, in the order of the file.
fn plans(gguf: &Gguf, matrices: MatrixType) -> Result<Vec<Plan<'_>>, EngineError> {
    gguf.tensor_names().map(|name| Plan::new(gguf, name, matrices)).collect()
}

fn refused(tensor: &str, problem: impl Into<String>) -> EngineError {
    EngineError::Import { tensor: tensor.into(), problem: problem.into() }
}

/// Writes the new file; returns how many tensors were converted and how many were copied.
fn convert(
    file: &[u8],
    gguf: &Gguf,
    matrices: MatrixType,
    out: &mut dyn Write,
    io: &dyn Fn(io::Error) -> EngineError,
    progress: &mut dyn FnMut(ImportProgress<'_>),
) -> Result<(usize, usize), EngineError> {
    let plans = plans(gguf, matrices)?;
    let alignment = gguf.alignment();
    out.write_all(&header(file, gguf, &plans, matrices.file_type())).map_err(io)?;
    let total = plans.iter().map(|plan| plan.place.bytes as u64).sum();
    let (mut done, mut converted) = (0, 0);
    for plan in &plans {
        let data = &file[plan.place.at..plan.place.at + plan.place.bytes];
        if plan.target == plan.place.dtype {
            out.write_all(data).map_err(io)?;
        } else {
            let (block, size) = (plan.place.dtype.block_size(), plan.place.dtype.type_size());
            for piece in data.chunks(PIECE / block * size) {
                let encoded = encode(plan, &numbers(plan, piece)?)?;
                out.write_all(&encoded).map_err(io)?;
            }
            converted += 1;
        }
        out.write_all(&vec![0; padding(plan.bytes, alignment)]).map_err(io)?;
        done += plan.place.bytes as u64;
        progress(ImportProgress { tensor: plan.name, done, total });
    }
    Ok((converted, plans.len() - converted))
}

/// Returns the number of bytes from an end to the next multiple of the alignment.
fn padding(bytes: usize, alignment: usize) -> usize {
    bytes.next_multiple_of(alignment) - bytes
}

/// Returns everything before the data of the first tensor.
fn header(file: &[u8], gguf: &Gguf, plans: &[Plan<'_>], file_type: u32) -> Vec<u8> {
    let mut out = b"GGUF".to_vec();
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend((text.len() as u64).to_le_bytes());
        out.extend(text.bytes());
    };
    let kind = |out: &mut Vec<u8>| {
        text(out, FILE_TYPE);
        out.extend(4u32.to_le_bytes());
        out.extend(file_type.to_le_bytes());
    };
    let added = gguf.get(FILE_TYPE).is_none();
    out.extend(3u32.to_le_bytes());
    out.extend((plans.len() as u64).to_le_bytes());
    out.extend((gguf.records().len() as u64 + u64::from(added)).to_le_bytes());
    for (key, range) in gguf.records() {
        match key {
            FILE_TYPE => kind(&mut out),
            _ => out.extend(&file[range]),
        }
    }
    if added {
        kind(&mut out);
    }
    let (alignment, mut offset) = (gguf.alignment(), 0);
    for plan in plans {
        text(&mut out, plan.name);
        // There are at most four dimensions.
        out.extend((plan.place.shape.len() as u32).to_le_bytes());
        plan.place.shape.iter().rev().for_each(|n| out.extend((*n as u64).to_le_bytes()));
        out.extend(type_number(plan.target).to_le_bytes());
        out.extend((offset as u64).to_le_bytes());
        offset += plan.bytes.next_multiple_of(alignment);
    }
    out.resize(out.len().next_multiple_of(alignment), 0);
    out
}

/// Returns the number, in a file, of a type that an import writes.
fn type_number(dtype: GgmlDType) -> u32 {
    match dtype {
        GgmlDType::Q8_0 => 8,
        GgmlDType::Q4_0 => 2,
        _ => 0,
    }
}

/// Returns the numbers that whole blocks stand for.
fn numbers(plan: &Plan<'_>, data: &[u8]) -> Result<Vec<f32>, EngineError> {
    let dtype = plan.place.dtype;
    if dtype == GgmlDType::Q8_1 {
        // candle has no reader for this type. After the scale comes a sum that is not needed.
        let blocks = data.as_chunks::<36>().0.iter();
        let block = |block: &[u8; 36]| {
            let d = f32::from(f16::from_le_bytes([block[0], block[1]]));
            <[u8; 32]>::try_from(&block[4..]).unwrap_or([0; 32]).map(|q| f32::from(q as i8) * d)
        };
        return Ok(blocks.flat_map(block).collect());
    }
    let count = data.len() / dtype.type_size() * dtype.block_size();
    // The copy is aligned as candle requires; the place in the file may not be.
    let data = data.to_vec();
    qtensor_from_ggml(dtype, &data, vec![count], &Device::Cpu)
        .and_then(|tensor| tensor.dequantize(&Device::Cpu)?.to_vec1())
        .map_err(|e| refused(plan.name, gguf::message(&e)))
}

fn encode(plan: &Plan<'_>, numbers: &[f32]) -> Result<Vec<u8>, EngineError> {
    let encoded = match plan.target {
        GgmlDType::Q8_0 => quantise::q8_0(numbers),
        GgmlDType::Q4_0 => quantise::q4_0(numbers),
        _ => numbers
            .iter()
            .all(|x| x.is_finite())
            .then(|| numbers.iter().flat_map(|x| x.to_le_bytes()).collect()),
    };
    encoded.ok_or_else(|| {
        refused(plan.name, "one of its numbers, or the scale of a block, is not finite")
    })
}
