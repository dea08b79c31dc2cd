// SPDX-License-Identifier: Apache-2.0
//! The reasons for which a request is refused.

use core::fmt;

/// The reason for which bytes are not a request, or a request cannot be honoured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestError {
    /// The encoding is too long.
    TooLong {
        /// The bytes of the encoding.
        bytes: usize,
        /// The most bytes.
        limit: usize,
    },
    /// The request is of a version that this node does not know.
    UnknownVersion {
        /// The version, which is the first byte.
        version: u8,
    },
    /// The bytes are not the SCALE encoding of a request.
    Malformed,
    /// The encoding is followed by other bytes.
    TrailingBytes {
        /// The number of these bytes.
        left: usize,
    },
    /// The chat's arguments are not in ascending order of their names, or a name occurs twice.
    ArgumentsNotAscending {
        /// The index of the first argument whose name is not above the one before.
        index: usize,
    },
    /// The request has too many stop strings.
    TooManyStops {
        /// The number of stop strings.
        stops: usize,
        /// The most stop strings.
        limit: usize,
    },
    /// A stop string is empty.
    StopEmpty {
        /// The index of the stop string.
        index: usize,
    },
    /// The tokens of the logit bias are not in ascending order, or a token occurs twice.
    LogitBiasNotAscending {
        /// The first token that is not above the one before.
        token: u32,
    },
    /// The repetition penalty is 0.
    RepetitionZero,
    /// The least probability of a candidate is above that of the likeliest.
    MinPTooHigh {
        /// The least probability, with 16 fractional bits.
        min_p: u32,
        /// The highest value, which is 1.0.
        limit: u32,
    },
    /// The request asks for too many log probabilities.
    TooManyLogprobs {
        /// The number of log probabilities.
        logprobs: u8,
        /// The most log probabilities.
        limit: u8,
    },
    /// The prompt is empty.
    PromptEmpty,
    /// The engine does not honour a field yet.
    Unsupported {
        /// The name of the field.
        field: &'static str,
    },
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, limit } => write!(
                f,
                "the request has {bytes} bytes and may have {limit}; shorten its prompt"
            ),
            Self::UnknownVersion { version } => write!(
                f,
                "the request is of version {version}, and this node knows version 1; send the SCALE \
                 encoding of a request, whose first byte is its version"
            ),
            Self::Malformed => f.write_str(
                "the bytes are not the SCALE encoding of a request of version 1; send all its fields \
                 in their order, each length in its shortest form",
            ),
            Self::TrailingBytes { left } => {
                write!(f, "the request is followed by other bytes ({left}); leave them out")
            }
            Self::ArgumentsNotAscending { index } => write!(
                f,
                "the name of the chat's argument {index} is not above the one before it; order the \
                 arguments by their names, each name once"
            ),
            Self::TooManyStops { stops, limit } => {
                write!(f, "the request has {stops} stop strings and may have {limit}; leave some out")
            }
            Self::StopEmpty { index } => {
                write!(f, "the stop string {index} is empty; leave it out")
            }
            Self::LogitBiasNotAscending { token } => write!(
                f,
                "token {token} of the logit bias is not above the one before it; order the tokens, each \
                 token once"
            ),
            Self::RepetitionZero => {
                f.write_str("the repetition penalty is 0; 65536 stands for 1.0, which is neutral")
            }
            Self::MinPTooHigh { min_p, limit } => {
                write!(f, "min_p is {min_p} and may be {limit}, which stands for 1.0; lower it")
            }
            Self::TooManyLogprobs { logprobs, limit } => write!(
                f,
                "the request asks for {logprobs} log probabilities with each token and may ask for \
                 {limit}; ask for fewer"
            ),
            Self::PromptEmpty => {
                f.write_str("the prompt is empty; it must have a text, a token or a message")
            }
            Self::Unsupported { field } => write!(
                f,
                "the engine does not honour the field '{field}' of a request yet; leave it neutral"
            ),
        }
    }
}

#[cfg(feature = "std")]
impl std::error::Error for RequestError {}
