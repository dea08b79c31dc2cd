// SPDX-License-Identifier: Apache-2.0
//! A request: everything that a client wants of a model and that does not go on the chain.
//!
//! A request travels and is stored as its SCALE encoding, the [canonical](Request::decode_canonical)
//! one. The chain has the blake2_256 hash of that encoding ([`crate::JobSpec::request_hash`]), so a
//! request has one hash. The encoding is wire-stable: a field never changes its meaning, and another
//! set of fields is another version.

mod constraint;
mod error;
mod prompt;
mod v1;

pub use constraint::{Compiled, Constraint};
pub use error::RequestError;
pub use prompt::{Argument, Chat, Message, Prompt};
pub use v1::{LogitBias, RequestV1, MAX_LOGPROBS, MAX_STOPS};

use alloc::vec::Vec;
use codec::{Decode, Encode};
use sp_core::H256;

/// The most bytes of a request's encoding, 1 MiB.
pub const MAX_REQUEST_BYTES: usize = 1 << 20;

/// A request of any version. The first byte of the encoding is the version.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Request {
    /// A request of version 1.
    #[codec(index = 1)]
    V1(RequestV1),
}

impl Request {
    /// Returns the request that asks for the continuation of a text, and for nothing else.
    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::V1(RequestV1::new(Prompt::Text(text.into())))
    }

    /// Returns the request that asks for the continuation of these tokens, and for nothing else.
    pub fn tokens(tokens: impl Into<Vec<u32>>) -> Self {
        Self::V1(RequestV1::new(Prompt::Tokens(tokens.into())))
    }

    /// Returns the blake2_256 hash of the encoding.
    pub fn hash(&self) -> H256 {
        self.using_encoded(sp_crypto_hashing::blake2_256).into()
    }

    /// Decodes the canonical encoding of a request. Other bytes are not a request, even if they could
    /// be understood as one, so that no request has two hashes.
    ///
    /// # Errors
    ///
    /// The bytes are more than [`MAX_REQUEST_BYTES`], are of another version, are not the encoding of a
    /// request, or a field of the request exceeds its limit.
    pub fn decode_canonical(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > MAX_REQUEST_BYTES {
            return Err(RequestError::TooLong { bytes: bytes.len(), limit: MAX_REQUEST_BYTES });
        }
        match bytes.first() {
            None | Some(1) => {}
            Some(&version) => return Err(RequestError::UnknownVersion { version }),
        }
        let mut left = bytes;
        let request = Self::decode(&mut left).map_err(|_| RequestError::Malformed)?;
        if !left.is_empty() {
            return Err(RequestError::TrailingBytes { left: left.len() });
        }
        // That the decoder is strict is its own business; that the encoding is the only one is this one's.
        if request.encode() != bytes {
            return Err(RequestError::Malformed);
        }
        request.validate()?;
        Ok(request)
    }

    /// Ensures that each field lies within its limits.
    ///
    /// # Errors
    ///
    /// Names the first field that does not, with its value and the limit.
    pub fn validate(&self) -> Result<(), RequestError> {
        let Self::V1(request) = self;
        request.validate()
    }

    /// Returns the name of the first field whose value no engine of this version honours; `None` if the
    /// engine honours them all.
    pub fn unsupported(&self) -> Option<&'static str> {
        let Self::V1(request) = self;
        request.unsupported()
    }

    /// Ensures that the engine honours every field.
    ///
    /// # Errors
    ///
    /// [`RequestError::Unsupported`].
    pub fn ensure_supported(&self) -> Result<(), RequestError> {
        self.unsupported().map_or(Ok(()), |field| Err(RequestError::Unsupported { field }))
    }
}
