// SPDX-License-Identifier: Apache-2.0
//! The description of a model in its file.

/// The description of a model in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// `general.name`, or "unnamed".
    pub name: String,
    /// `general.architecture`.
    pub architecture: String,
    /// The type of the matrices: "Q8_0", "Q4_0", or both joined by "+".
    pub quantisation: String,
    /// Number of weights.
    pub parameters: u64,
    /// The most tokens of input and output together.
    pub context_length: u32,
    /// Number of tokens that the tokenizer knows; every token id is below it.
    pub vocab_size: u32,
    /// Length of the file.
    pub file_bytes: u64,
}
