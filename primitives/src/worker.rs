// SPDX-License-Identifier: Apache-2.0
//! The key with which workers sign reports, and the output as it travels between nodes.

use crate::job::{FinishReason, JobId};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use sp_core::{crypto::KeyTypeId, H256};

/// The key type of worker keys in a node's keystore.
pub const KEY_TYPE: KeyTypeId = KeyTypeId(*b"assy");

/// The sr25519 worker key.
pub mod sr25519 {
    mod app {
        use sp_application_crypto::{app_crypto, sr25519};

        app_crypto!(sr25519, super::super::KEY_TYPE);
    }

    /// A worker's public key.
    pub type WorkerId = app::Public;
    /// A worker's signature.
    pub type WorkerSignature = app::Signature;
}

/// An output: everything that a verifier needs in addition to the job itself, and all that a client
/// reads. Its SCALE encoding hashes to the commitment's `output_hash`, so that a node without the
/// model can distinguish the verified text from any other.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Transcript {
    /// The job, so that the output of another one is not an output of this one.
    pub job: JobId,
    /// The prompt in the model's tokens.
    pub input: Vec<u32>,
    /// The tokens generated.
    pub output: Vec<u32>,
    /// The bytes that the generated tokens stand for, which need not be UTF-8.
    pub text: Vec<u8>,
    /// The finish reason.
    pub finish: FinishReason,
    /// A salt that makes the hash of a short output unguessable.
    pub salt: H256,
    /// The log probabilities of the generated tokens, if the request asks for them.
    pub logprobs: Logprobs,
}

/// The log probabilities of an output's tokens: natural logarithms in Q15.16, so that -65,536 is -1. Both
/// lists are empty if the request asks for none.
///
/// In memory they take no more than twice the bytes of their encoding, whatever an operator encodes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Logprobs {
    /// The log probability of each generated token.
    pub chosen: Vec<i32>,
    /// The likeliest tokens at each position, as many at each as the request asks for, or the whole
    /// vocabulary if it has fewer. They are in descending order of their logits, then in ascending order of
    /// the tokens.
    pub top: Vec<Likely>,
}

/// A likely token with its log probability.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Likely {
    /// The id of the token.
    pub token: u32,
    /// The log probability, a natural logarithm in Q15.16.
    pub logprob: i32,
}

impl Logprobs {
    /// Returns the log probability of each generated token with the likeliest tokens at its position; `None`
    /// if the request asked for none, or if their number does not fit an output of so many tokens, which
    /// verifiers reject.
    pub fn by_token(&self, tokens: usize) -> Option<impl Iterator<Item = (i32, &[Likely])>> {
        let count = self.top.len().checked_div(tokens)?;
        let fits = count > 0 && self.chosen.len() == tokens && self.top.len() == count * tokens;
        fits.then(|| self.chosen.iter().copied().zip(self.top.chunks(count)))
    }
}

impl Transcript {
    /// Returns the hash that the operator commits to.
    pub fn hash(&self) -> H256 {
        self.using_encoded(sp_crypto_hashing::blake2_256).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn likely(token: u32) -> Likely {
        Likely { token, logprob: -1 }
    }

    #[test]
    fn log_probabilities_belong_to_their_tokens() {
        let logprobs = Logprobs { chosen: vec![-3, -4], top: (0..4).map(likely).collect() };
        let by_token: Option<Vec<_>> = logprobs.by_token(2).map(Iterator::collect);
        let expected = vec![(-3, &logprobs.top[..2]), (-4, &logprobs.top[2..])];
        assert_eq!(by_token, Some(expected));
    }

    #[test]
    fn log_probabilities_that_do_not_fit_the_tokens_belong_to_none() {
        for (chosen, top, tokens) in
            [(0, 0, 0), (0, 0, 2), (2, 0, 2), (1, 2, 2), (2, 3, 2), (3, 4, 2), (2, 2, 0), (0, 2, 2)]
        {
            let logprobs = Logprobs { chosen: vec![0; chosen], top: vec![likely(1); top] };
            assert!(logprobs.by_token(tokens).is_none(), "{chosen} {top} {tokens}");
        }
    }

    #[test]
    fn likely_token_has_eight_bytes_in_memory_and_in_its_encoding() {
        assert_eq!((size_of::<Likely>(), likely(7).encode().len()), (8, 8));
    }
}
