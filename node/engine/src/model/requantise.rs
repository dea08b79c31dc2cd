// SPDX-License-Identifier: Apache-2.0
//! The same model in fewer bits: another file, another root, other outputs.

use super::{Model, Source};
use crate::{
    gguf,
    quantise::{self, Q8_0_BYTES},
    EngineError,
};
use candle_core::{
    quantized::{
        ggml_file::qtensor_from_ggml,
        gguf_file::{self, Value},
        GgmlDType, QTensor,
    },
    Device,
};
use std::{collections::BTreeMap, io::Cursor};

/// `general.file_type` of a file whose matrices are Q4_0.
const FILE_TYPE_Q4_0: u32 = 2;

fn refused(problem: impl std::fmt::Display) -> EngineError {
    EngineError::Requantise { problem: problem.to_string() }
}

impl Model {
    /// The model with each Q8_0 matrix in Q4_0, as a new file in memory.
    ///
    /// The rule is exact: each weight is `d * q` in f32, then quantised as [`quantise`] says.
    /// Metadata is kept but for `general.file_type`, which becomes 2; keys and tensors stand in the
    /// order of their names.
    ///
    /// # Errors
    /// [`EngineError::Requantise`] if a matrix is not Q8_0.
    pub fn requantised_q4_0(&self) -> Result<Self, EngineError> {
        let file = self.file();
        let gguf = gguf::read(file)?;
        let mut tensors = BTreeMap::new();
        for name in gguf.tensor_names() {
            let place = gguf.tensor(name)?;
            let data = &file[place.at..place.at + place.bytes];
            let tensor = match place.dtype {
                GgmlDType::F32 => raw(GgmlDType::F32, data, place.shape)?,
                GgmlDType::Q8_0 => {
                    let blocks: &[[u8; Q8_0_BYTES]] = data.as_chunks().0;
                    let values: Vec<f32> = blocks.iter().flat_map(weights).collect();
                    let q4 = quantise::q4_0(&values)
                        .ok_or_else(|| refused(format!("a scale of {name} is not finite")))?;
                    raw(GgmlDType::Q4_0, &q4, place.shape)?
                }
                other => return Err(refused(format!("tensor {name} has type {other:?}"))),
            };
            tensors.insert(name, tensor);
        }
        let mut metadata: BTreeMap<&str, &Value> = gguf.metadata().collect();
        let file_type = Value::U32(FILE_TYPE_Q4_0);
        metadata.insert("general.file_type", &file_type);
        let metadata: Vec<_> = metadata.into_iter().collect();
        let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
        let mut out = Cursor::new(Vec::new());
        gguf_file::write(&mut out, &metadata, &tensors).map_err(refused)?;
        Self::load(Source::Owned(out.into_inner()))
    }
}

fn raw(dtype: GgmlDType, data: &[u8], shape: Vec<usize>) -> Result<QTensor, EngineError> {
    qtensor_from_ggml(dtype, data, shape, &Device::Cpu).map_err(refused)
}

fn weights(block: &[u8; Q8_0_BYTES]) -> [f32; quantise::BLOCK] {
    let (q, d) = quantise::unpack_q8_0(block);
    q.map(|q| f32::from(q) * f32::from(d))
}
