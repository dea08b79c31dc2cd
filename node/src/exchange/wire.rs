// SPDX-License-Identifier: Apache-2.0
//! The protocol on the wire: its name, its requests and its limits.

use super::page::PAGE_TOKENS;
use assay_primitives::{JobId, ModelId};
use assay_worker::MAX_PAYLOAD_BYTES;
use codec::{Decode, Encode};
use sc_network::types::ProtocolName;
use sp_core::H256;
use std::time::Duration;

/// The most bytes of a request, which is a hash, a job and an index, or a model and a page of tokens.
pub const MAX_REQUEST_BYTES: u64 = 64 + 4 * PAGE_TOKENS as u64;
/// The most bytes of a response, which is a payload and its framing.
pub const MAX_RESPONSE_BYTES: u64 = MAX_PAYLOAD_BYTES as u64 + 1024;
/// The time in which a peer is dialled, asked and answers.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// A request. The response is the SCALE encoding of an `Option`, which is `None` if the peer does not
/// have the answer.
#[derive(Debug, Encode, Decode)]
pub enum Request {
    /// Asks for the payload with that hash: `Vec<u8>`.
    #[codec(index = 0)]
    Payload(H256),
    /// Asks for the tokens of a job from an index on: a `Page`.
    #[codec(index = 1)]
    Tokens(JobId, u32),
    /// Asks for the bytes of the text of at most a page of a model's tokens: `Vec<u8>`.
    #[codec(index = 2)]
    Text(ModelId, Vec<u32>),
}

/// Returns the name of the protocol on the chain with that genesis block.
pub fn protocol(genesis: &H256) -> ProtocolName {
    format!("/{}/assay/exchange/1", hex::encode(genesis)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_fit_the_limit() {
        for request in [
            Request::Tokens(JobId::repeat_byte(255), u32::MAX),
            Request::Text(ModelId::repeat_byte(255), vec![u32::MAX; PAGE_TOKENS]),
        ] {
            assert!(request.encoded_size() as u64 <= MAX_REQUEST_BYTES);
        }
    }
}
