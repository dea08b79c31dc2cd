// SPDX-License-Identifier: Apache-2.0
//! The protocol on the wire: its name, its requests and its limits.

use super::page::PAGE_TOKENS;
use assay_primitives::{JobId, ModelId};
use assay_worker::MAX_PAYLOAD_BYTES;
use codec::{Decode, DecodeAll, Encode};
use sc_network::types::ProtocolName;
use sp_core::{bounded::BoundedVec, ConstU32, H256};
use std::time::Duration;

/// The most bytes of a payload that travel in one response.
pub const RANGE_BYTES: usize = 256 << 10;
/// The most tokens whose text one request asks for, so that the text fits into a response: no token of
/// a known vocabulary stands for more than 256 bytes.
pub const TEXT_TOKENS: u32 = 1024;
/// The most bytes of a request, which is a hash and an offset, a job and an index, or a model and tokens.
pub const MAX_REQUEST_BYTES: usize = 64 + 4 * TEXT_TOKENS as usize;
/// The most bytes of a response, which is a range of a payload and its framing.
pub const MAX_RESPONSE_BYTES: usize = RANGE_BYTES + FRAME_BYTES;
/// The most bytes of a response in addition to those of a range or of a page's tokens.
const FRAME_BYTES: usize = 64;
/// The time in which a peer is dialled, asked and answers.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// A request. The response is the SCALE encoding of an `Option`, which is `None` if the peer does not
/// have the answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Request {
    /// Asks for the bytes of the payload with that hash from an offset on: a [`Range`].
    #[codec(index = 0)]
    Payload(H256, u32),
    /// Asks for the tokens of a job from an index on: a `Page`.
    #[codec(index = 1)]
    Tokens(JobId, u32),
    /// Asks for the bytes of the text of a model's tokens: `Vec<u8>`.
    #[codec(index = 2)]
    Text(ModelId, BoundedVec<u32, ConstU32<TEXT_TOKENS>>),
    /// Says that the sender has the payload with that hash, of a job that was assigned to an operator of
    /// this node: `()`. The operator then pulls it, over the connection that the sender has opened.
    #[codec(index = 3)]
    Have(H256),
}

impl Request {
    /// Reads a request; `None` if it is too long, is malformed, or has trailing bytes. The number of
    /// tokens is checked before any is allocated.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_REQUEST_BYTES {
            return None;
        }
        Self::decode_all(&mut &*bytes).ok()
    }

    /// Returns the most bytes that the response can have.
    pub fn max_response_bytes(&self) -> usize {
        match self {
            Self::Payload(..) | Self::Text(..) => MAX_RESPONSE_BYTES,
            Self::Tokens(..) => 4 * PAGE_TOKENS + FRAME_BYTES,
            Self::Have(_) => FRAME_BYTES,
        }
    }
}

/// A part of a payload.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Range {
    /// The number of bytes of the whole payload.
    pub length: u32,
    /// The bytes from the offset on that was asked for: [`RANGE_BYTES`], or the rest if that is less.
    pub bytes: Vec<u8>,
}

impl Range {
    /// Returns whether this can be the range at `offset` of a payload that nodes take.
    pub fn answers(&self, offset: u32) -> bool {
        let left = self.length.checked_sub(offset).map(|left| left as usize);
        self.length as usize <= MAX_PAYLOAD_BYTES
            && left.is_some_and(|left| self.bytes.len() == left.min(RANGE_BYTES))
    }
}

/// Returns the name of the protocol on the chain with that genesis block.
pub fn protocol(genesis: &H256) -> ProtocolName {
    format!("/{}/assay/exchange/2", hex::encode(genesis)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::page::Page;
    use assay_primitives::FinishReason;

    fn text(tokens: u32) -> Request {
        let tokens = vec![u32::MAX; tokens as usize];
        Request::Text(ModelId::repeat_byte(255), BoundedVec::truncate_from(tokens))
    }

    #[test]
    fn requests_fit_the_limit_and_are_read() {
        for request in [
            Request::Payload(H256::repeat_byte(255), u32::MAX),
            Request::Tokens(JobId::repeat_byte(255), u32::MAX),
            text(TEXT_TOKENS),
            Request::Have(H256::repeat_byte(255)),
        ] {
            assert_eq!(Request::read(&request.encode()), Some(request));
        }
    }

    #[test]
    fn request_with_trailing_bytes_is_refused() {
        let mut bytes = Request::Tokens(JobId::zero(), 0).encode();
        bytes.push(0);
        assert_eq!(Request::read(&bytes), None);
    }

    #[test]
    fn request_for_the_text_of_too_many_tokens_is_refused() {
        let tokens = vec![1u32; TEXT_TOKENS as usize + 1];
        let bytes = (2u8, ModelId::zero(), &tokens).encode();
        assert!(bytes.len() <= MAX_REQUEST_BYTES);
        assert_eq!(Request::read(&bytes), None);
        // One that claims tokens that it does not have is refused as well.
        let claim = (2u8, ModelId::zero(), codec::Compact(u32::MAX)).encode();
        assert_eq!(Request::read(&claim), None);
    }

    #[test]
    fn request_over_the_limit_is_refused() {
        assert_eq!(Request::read(&vec![0; MAX_REQUEST_BYTES + 1]), None);
    }

    #[test]
    fn responses_fit_the_limit() {
        let range = Range { length: u32::MAX, bytes: vec![0; RANGE_BYTES] };
        assert!(Some(range).encoded_size() <= MAX_RESPONSE_BYTES);
        let page = Page {
            index: u32::MAX,
            tokens: vec![u32::MAX; PAGE_TOKENS],
            finish: Some(FinishReason::Length),
        };
        assert!(
            Some(page).encoded_size() <= Request::Tokens(JobId::zero(), 0).max_response_bytes()
        );
    }

    #[test]
    fn range_that_cannot_be_the_answer_is_refused() {
        let range = |length, bytes| Range { length, bytes: vec![0; bytes] };
        let (whole, part) = (RANGE_BYTES as u32 + 7, RANGE_BYTES);
        assert!(range(0, 0).answers(0) && range(7, 7).answers(0));
        assert!(range(whole, part).answers(0) && range(whole, 7).answers(RANGE_BYTES as u32));
        assert!(!range(7, 6).answers(0), "fewer bytes than there are");
        assert!(!range(whole, 7).answers(0), "fewer bytes than a range has");
        assert!(!range(7, 8).answers(0), "more bytes than there are");
        assert!(!range(whole, part + 1).answers(0), "more bytes than a range has");
        assert!(!range(7, 0).answers(8), "beyond the end");
        assert!(!range(MAX_PAYLOAD_BYTES as u32 + 1, part).answers(0), "a longer payload than any");
    }
}
