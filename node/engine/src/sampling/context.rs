// SPDX-License-Identifier: Apache-2.0
//! The tokens that precede a choice.

/// The tokens before the one that is chosen.
#[derive(Clone, Copy, Debug)]
pub struct Context<'t> {
    /// The tokens of input and output.
    pub tokens: &'t [u32],
    /// The number of tokens of the input.
    pub input: usize,
}
