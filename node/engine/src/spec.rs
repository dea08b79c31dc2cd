// SPDX-License-Identifier: Apache-2.0
//! The parameters of a generation, which its verification has as well.

use crate::{digest::DigestKey, SampleSpec, StopStrings};

/// The parameters of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerateSpec {
    /// The rule by which tokens are chosen.
    pub sample: SampleSpec,
    /// The most tokens to generate, including the end token.
    pub max_tokens: u32,
    /// The strings at the first of which the output ends.
    pub stops: StopStrings,
    /// The key of the digests, which belongs to one job of one operator.
    pub digest_key: DigestKey,
}
