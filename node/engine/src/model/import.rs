// SPDX-License-Identifier: Apache-2.0
//! Conversion of files in other types into files that profile N1 computes. The rule is exact: the
//! same file becomes the same bytes, and so has the same root, on every machine.
//!
//! - Metadata is copied record by record, byte for byte and in order. Only `general.file_type` is
//!   set to that of the new file (7 for Q8_0, 2 for Q4_0), or is added at the end. Of a model in
//!   several parts it is the metadata of the first, without the keys of the parts (`split.`).
//! - Tensors keep the order of the file, or of the parts, at multiples of its alignment.
//! - Tensors of one dimension become F32.
//! - Matrices in Q4_0, and in the requested type, are copied. All others become f32 numbers, each
//!   by ggml's formula for its type as candle-core computes it: `d * q`, `d * q + m`, or for the
//!   types with blocks of 256 weights `(d * scale) * q - (dmin * min)`, in f32, with every product
//!   and difference rounded; F16 and BF16 are exact. IQ4_NL is `d * v[q]` with ggml's 16 values v.
//!   The numbers then become blocks by the rule in
//!   [`quantise`].

use super::{
    architecture::Architecture,
    load::{describe, load},
    parts::{self, Part},
    source::Source,
};
use crate::{
    gguf::{self, Gguf, TensorPlace, TensorType},
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
/// The values of IQ4_NL's 16 indices.
const IQ4_NL: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
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
    /// Number of tensors whose type would change. If there is none, and one part, the engine opens the file as it
    /// is.
    pub converted: usize,
    /// Number of files that the model is in.
    pub parts: usize,
}

/// Returns what an import of the model at `from` would write, without converting anything.
///
/// # Errors
/// As for [`import`], except for numbers that cannot be converted.
pub fn plan_import(from: &Path, matrices: MatrixType) -> Result<ImportPlan, EngineError> {
    let parts = read(from)?;
    let parts: Vec<View<'_>> = parts.iter().map(View::of).collect();
    let plans = plans(&parts, matrices)?;
    let alignment = parts[0].gguf.alignment();
    let data = plans.iter().map(|plan| plan.bytes.next_multiple_of(alignment) as u64).sum::<u64>();
    Ok(ImportPlan {
        parts: parts.len(),
        file_bytes: header(&parts, &plans, matrices.file_type()).len() as u64 + data,
        converted: plans
            .iter()
            .filter(|plan| plan.place.dtype != TensorType::Candle(plan.target))
            .count(),
    })
}

/// Reads the model at `from`, of which there is one part at least.
fn read(from: &Path) -> Result<Vec<Part>, EngineError> {
    let parts = parts::parts(from)?;
    match &parts[..] {
        [whole] => drop(describe(&whole.gguf)?),
        // The first part may have no tensors. Opening the result checks the others.
        _ => drop(Architecture::named(parts[0].gguf.required_text("general.architecture")?)?),
    }
    Ok(parts)
}

/// Converts the model at `from` into a file that the engine opens, at `to`. If the model is in several
/// parts, `from` is the first, and the others lie next to it.
///
/// The new file appears under its name once it is complete, on disk and has been opened, and replaces an existing
/// one. Until then it has a unique name in the same folder, so if several imports write to one
/// name, the last to finish determines the file, which is always whole.
///
/// # Errors
/// Returns [`EngineError::Io`], [`EngineError::Import`] for a tensor that cannot be converted, or
/// an error that says what in the file is wrong or unsupported. No file remains then.
pub fn import(
    from: &Path,
    to: &Path,
    matrices: MatrixType,
    progress: &mut dyn FnMut(ImportProgress<'_>),
) -> Result<Imported, EngineError> {
    let parts = read(from)?;
    let parts: Vec<View<'_>> = parts.iter().map(View::of).collect();
    let io = |source| EngineError::Io { path: to.to_path_buf(), source };
    // If anything fails, the partial file is removed when it is dropped.
    let mut partial = partial(to).map_err(io)?;
    let out = BufWriter::new(partial.as_file_mut());
    let mut out = Hashed { out, hash: blake3::Hasher::new(), bytes: 0 };
    let (converted, copied) = convert(&parts, matrices, &mut out, &io, progress)?;
    out.flush().map_err(io)?;
    let (root, file_bytes) = (*out.hash.finalize().as_bytes(), out.bytes);
    drop(out);
    partial.as_file().sync_all().map_err(io)?;
    // Whatever opening refuses, such as a missing tensor, is refused before the file has its name.
    load(&Source::open(partial.path())?)?;
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
    let whole = [View { file, gguf: &gguf }];
    let (converted, _) = convert(&whole, MatrixType::Q4_0, &mut out, &io, &mut |_| ())?;
    if converted == 0 {
        return Err(EngineError::Requantise { problem: "none of its matrices is Q8_0".into() });
    }
    Ok(out)
}

/// The bytes and the header of a file.
struct View<'f> {
    file: &'f [u8],
    gguf: &'f Gguf,
}

impl<'f> View<'f> {
    fn of(part: &'f Part) -> Self {
        Self { file: part.source.bytes(), gguf: &part.gguf }
    }
}

/// A tensor on its way into the new file.
struct Plan<'f> {
    name: &'f str,
    place: TensorPlace,
    data: &'f [u8],
    target: GgmlDType,
    bytes: usize,
}

impl<'f> Plan<'f> {
    fn new(part: &View<'f>, name: &'f str, matrices: MatrixType) -> Result<Self, EngineError> {
        let place = part.gguf.tensor(name)?;
        let target = match (place.shape.len(), place.dtype) {
            (1, _) => GgmlDType::F32,
            (_, TensorType::Candle(GgmlDType::Q4_0)) => GgmlDType::Q4_0,
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
        let data = &part.file[place.at..place.at + place.bytes];
        Ok(Self { name, place, data, target, bytes })
    }
}

/// Returns the plans of all tensors, in the order of the files.
fn plans<'f>(parts: &[View<'f>], matrices: MatrixType) -> Result<Vec<Plan<'f>>, EngineError> {
    let tensors =
        parts.iter().flat_map(|part| part.gguf.tensor_names().map(move |name| (part, name)));
    tensors.map(|(part, name)| Plan::new(part, name, matrices)).collect()
}

fn refused(tensor: &str, problem: impl Into<String>) -> EngineError {
    EngineError::Import { tensor: tensor.into(), problem: problem.into() }
}

/// Writes the new file; returns how many tensors were converted and how many were copied.
fn convert(
    parts: &[View<'_>],
    matrices: MatrixType,
    out: &mut dyn Write,
    io: &dyn Fn(io::Error) -> EngineError,
    progress: &mut dyn FnMut(ImportProgress<'_>),
) -> Result<(usize, usize), EngineError> {
    let plans = plans(parts, matrices)?;
    let alignment = parts[0].gguf.alignment();
    out.write_all(&header(parts, &plans, matrices.file_type())).map_err(io)?;
    let total = plans.iter().map(|plan| plan.place.bytes as u64).sum();
    let (mut done, mut converted) = (0, 0);
    for plan in &plans {
        if plan.place.dtype == TensorType::Candle(plan.target) {
            out.write_all(plan.data).map_err(io)?;
        } else {
            let (block, size) = (plan.place.dtype.block_size(), plan.place.dtype.type_size());
            for piece in plan.data.chunks(PIECE / block * size) {
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
fn header(parts: &[View<'_>], plans: &[Plan<'_>], file_type: u32) -> Vec<u8> {
    let View { file, gguf } = &parts[0];
    let is_kept = |key: &str| parts.len() == 1 || !key.starts_with(parts::KEYS);
    let records = || gguf.records().filter(|(key, _)| is_kept(key));
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
    out.extend((records().count() as u64 + u64::from(added)).to_le_bytes());
    for (key, range) in records() {
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
    let count = data.len() / plan.place.dtype.type_size() * plan.place.dtype.block_size();
    let TensorType::Candle(dtype) = plan.place.dtype else { return Ok(iq4_nl(data)) };
    if dtype == GgmlDType::Q8_1 {
        // candle has no reader for this type. After the scale comes a sum that is not needed.
        let blocks = data.as_chunks::<36>().0.iter();
        let block = |block: &[u8; 36]| {
            let d = f32::from(f16::from_le_bytes([block[0], block[1]]));
            <[u8; 32]>::try_from(&block[4..]).unwrap_or([0; 32]).map(|q| f32::from(q as i8) * d)
        };
        return Ok(blocks.flat_map(block).collect());
    }
    // The copy is aligned as candle requires; the place in the file may not be.
    let data = data.to_vec();
    qtensor_from_ggml(dtype, &data, vec![count], &Device::Cpu)
        .and_then(|tensor| tensor.dequantize(&Device::Cpu)?.to_vec1())
        .map_err(|e| refused(plan.name, gguf::message(&e)))
}

/// Returns the numbers of IQ4_NL blocks: a scale and 16 bytes, whose low nibbles are the first 16 indices.
fn iq4_nl(data: &[u8]) -> Vec<f32> {
    let block = |block: &[u8; 18]| {
        let d = f32::from(f16::from_le_bytes([block[0], block[1]]));
        let (low, high) = (|byte: &u8| byte & 15, |byte: &u8| byte >> 4);
        let indices = block[2..].iter().map(low).chain(block[2..].iter().map(high));
        indices.map(|index| d * f32::from(IQ4_NL[usize::from(index)])).collect::<Vec<f32>>()
    };
    data.as_chunks::<18>().0.iter().flat_map(block).collect()
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
