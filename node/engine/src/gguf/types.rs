// SPDX-License-Identifier: Apache-2.0
//! The types of tensors.

use candle_core::quantized::GgmlDType;

/// The types of tensors by their number in the file. Numbers that ggml has given up have no name.
const TYPES: [&str; 41] = [
    "F32", "F16", "Q4_0", "Q4_1", "Q4_2", "Q4_3", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K",
    "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S",
    "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M", "BF16", "", "", "", "TQ1_0",
    "TQ2_0", "", "", "", "MXFP4", "NVFP4",
];

/// A type that a model or an import can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorType {
    /// A type that candle-core reads.
    Candle(GgmlDType),
    /// IQ4_NL: blocks of 32 weights, each one of 16 values times the block's scale. Files in Q2_K and Q3_K have it
    /// where rows are not whole blocks of 256.
    Iq4Nl,
}

impl TensorType {
    /// Returns the type with this number in a file, if it can be used.
    pub(super) fn numbered(number: u32) -> Option<Self> {
        use GgmlDType as G;
        Some(Self::Candle(match number {
            0 => G::F32,
            1 => G::F16,
            2 => G::Q4_0,
            3 => G::Q4_1,
            6 => G::Q5_0,
            7 => G::Q5_1,
            8 => G::Q8_0,
            9 => G::Q8_1,
            10 => G::Q2K,
            11 => G::Q3K,
            12 => G::Q4K,
            13 => G::Q5K,
            14 => G::Q6K,
            20 => return Some(Self::Iq4Nl),
            30 => G::BF16,
            _ => return None,
        }))
    }

    /// Returns the number of weights in a block.
    pub fn block_size(self) -> usize {
        match self {
            Self::Candle(dtype) => dtype.block_size(),
            Self::Iq4Nl => 32,
        }
    }

    /// Returns the number of bytes in a block.
    pub fn type_size(self) -> usize {
        match self {
            Self::Candle(dtype) => dtype.type_size(),
            Self::Iq4Nl => 18,
        }
    }

    /// Returns the name of the type.
    pub fn name(self) -> String {
        match self {
            Self::Candle(GgmlDType::Q2K) => "Q2_K".into(),
            Self::Candle(GgmlDType::Q3K) => "Q3_K".into(),
            Self::Candle(GgmlDType::Q4K) => "Q4_K".into(),
            Self::Candle(GgmlDType::Q5K) => "Q5_K".into(),
            Self::Candle(GgmlDType::Q6K) => "Q6_K".into(),
            Self::Candle(other) => format!("{other:?}"),
            Self::Iq4Nl => "IQ4_NL".into(),
        }
    }
}

/// Returns the name of the type with this number in a file.
pub(super) fn type_name(number: u32) -> String {
    let name = TYPES.get(number as usize).filter(|name| !name.is_empty());
    name.map_or_else(|| format!("number {number}"), |name| name.to_string())
}
