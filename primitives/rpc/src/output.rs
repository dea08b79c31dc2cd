// SPDX-License-Identifier: Apache-2.0
//! The output of a job, whole and in parts.

use crate::StreamEnd;
use serde::{Deserialize, Serialize};
use sp_core::Bytes;

/// The output of a job, as far as a node knows it: the result of `assay_output`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The ids of the generated tokens.
    pub tokens: Vec<u32>,
    /// The text of the tokens, with U+FFFD in place of bytes that are not UTF-8.
    pub text: String,
    /// The bytes of the text, which need not be UTF-8.
    pub bytes: Bytes,
    /// `stop` if the model ended the output and `length` if it reached the job's `max_tokens`; `None`
    /// while more tokens may come, and while the chain does not confirm that the output is complete.
    pub finish: Option<String>,
    /// The SCALE encoding of the transcript
    /// ([`assay_primitives::worker::Transcript`]), whose blake2_256 hash is the `output_hash` that
    /// the operator committed to. If it is present, the other fields are read from it. It is `None`
    /// before the commitment, and if no node nearby returns it; then the other fields are the claim
    /// of this node or of a peer.
    pub transcript: Option<Bytes>,
    /// Whether the transcript's text is that of its tokens; `None` without a transcript, and on a node
    /// that has not loaded the model.
    #[serde(rename = "textMatches", default)]
    pub text_matches: Option<bool>,
    /// The log probabilities of the tokens in order, from the transcript; `None` without one, and if the
    /// request asks for none.
    #[serde(default)]
    pub logprobs: Option<Vec<TokenLogprobs>>,
}

/// The log probabilities at one position of an output: natural logarithms in units of 2^-16, so that -65,536
/// is -1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLogprobs {
    /// The log probability of the token.
    pub logprob: i32,
    /// The likeliest tokens at its position with their log probabilities, the likeliest first.
    pub top: Vec<(u32, i32)>,
}

/// A part of an output: one notification of `assay_subscribeOutput`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputItem {
    /// The index of the first token in the output.
    pub index: u32,
    /// The ids of the tokens.
    pub tokens: Vec<u32>,
    /// The bytes of their text. A character may be split between two items.
    pub bytes: Bytes,
    /// `stop` or `length` in the last item of a complete output, as in [`Output::finish`]; otherwise
    /// `None`.
    pub finish: Option<String>,
    /// The reason for which the stream ended, in its last item; otherwise `None`.
    pub end: Option<StreamEnd>,
}

impl OutputItem {
    /// Returns an item of a stream. One with an `end` is the last.
    pub fn new(index: u32, tokens: Vec<u32>, bytes: Vec<u8>, end: Option<StreamEnd>) -> Self {
        let finish = end.filter(|end| end.is_complete()).map(|end| end.label().to_string());
        Self { index, tokens, bytes: bytes.into(), finish, end }
    }
}
