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
}

impl Transcript {
    /// Returns the hash that the operator commits to.
    pub fn hash(&self) -> H256 {
        self.using_encoded(sp_crypto_hashing::blake2_256).into()
    }
}
