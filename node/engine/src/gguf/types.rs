// SPDX-License-Identifier: Apache-2.0
//! The types of tensors.

use candle_core::quantized::GgmlDType;

/// The types of tensors by their number in the file.
const TYPES: [&str; 31] = [
    "F32", "F16", "Q4_0", "Q4_1", "Q4_2", "Q4_3", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K",
    "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S",
    "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M", "BF16",
];

/// The types that candle-core reads, by their number: those that a model or an import can use.
pub(super) const KNOWN_TYPES: [u32; 14] = [0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 30];

/// Returns the name of a tensor type.
pub(super) fn type_name(number: u32) -> String {
    TYPES.get(number as usize).map_or_else(|| format!("number {number}"), |name| name.to_string())
}

/// Returns the name of a type that candle-core reads.
pub(crate) fn dtype_name(dtype: GgmlDType) -> String {
    match dtype {
        GgmlDType::Q2K => "Q2_K".into(),
        GgmlDType::Q3K => "Q3_K".into(),
        GgmlDType::Q4K => "Q4_K".into(),
        GgmlDType::Q5K => "Q5_K".into(),
        GgmlDType::Q6K => "Q6_K".into(),
        GgmlDType::Q8K => "Q8_K".into(),
        other => format!("{other:?}"),
    }
}
