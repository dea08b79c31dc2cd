// SPDX-License-Identifier: Apache-2.0
//! Files in types that the engine does not compute with.

use assay_engine::synthetic::{write, Synthetic};
use candle_core::{
    quantized::{ggml_file::qtensor_from_ggml, gguf_file::Content, GgmlDType},
    Device,
};
use std::io::Cursor;

/// The types that an import converts.
pub const OTHERS: [GgmlDType; 11] = [
    GgmlDType::F32,
    GgmlDType::F16,
    GgmlDType::BF16,
    GgmlDType::Q4_1,
    GgmlDType::Q5_0,
    GgmlDType::Q5_1,
    GgmlDType::Q2K,
    GgmlDType::Q3K,
    GgmlDType::Q4K,
    GgmlDType::Q5K,
    GgmlDType::Q6K,
];

/// The matrix that [`scrambled`] changes.
pub const SCRAMBLED: &str = "blk.0.ffn_up.weight";

/// Returns a shape that is wide enough for the types with blocks of 256 weights.
pub fn shape() -> Synthetic {
    Synthetic { dim: 256, hidden: 512, layers: 1, ..Synthetic::default() }
}

/// Returns the model with one matrix of arbitrary bytes. The scales in it are finite, because no
/// byte has the bit that every infinity's exponent has.
pub fn scrambled(dtype: GgmlDType) -> Vec<u8> {
    let mut tensors = shape().tensors().unwrap();
    let (_, tensor) = tensors.iter_mut().find(|(name, _)| name == SCRAMBLED).unwrap();
    let mut bytes = vec![0; 512 * 256 / dtype.block_size() * dtype.type_size()];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes.iter_mut().for_each(|byte| *byte &= 0xbf);
    *tensor = qtensor_from_ggml(dtype, &bytes, vec![512, 256], &Device::Cpu).unwrap();
    write(&shape().metadata(), &tensors).unwrap()
}

/// Returns the model with the type of one tensor, a matrix, changed to that of another number, whatever its bytes are.
pub fn retyped(mut file: Vec<u8>, name: &str, number: u32) -> Vec<u8> {
    let find = file.windows(name.len()).position(|part| part == name.as_bytes()).unwrap();
    // The name is followed by the number of dimensions, two dimensions and the type.
    let at = find + name.len() + 4 + 2 * 8;
    file[at..at + 4].copy_from_slice(&number.to_le_bytes());
    file
}

/// Returns the numbers that a tensor stands for, as an import reads them.
pub fn numbers(file: &[u8], name: &str) -> Vec<f32> {
    let mut reader = Cursor::new(file);
    let content = Content::read(&mut reader).unwrap();
    let tensor = content.tensor(&mut reader, name, &Device::Cpu).unwrap();
    tensor.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}
