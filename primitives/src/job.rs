// SPDX-License-Identifier: Apache-2.0
//! A job as the client describes it, its identifier, and the states that it goes through.

use crate::{settlement::Settlement, Balance, BlockNumber};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;

/// `blake2_256("assay/job/1", genesis hash, client, client's job nonce, SCALE(JobSpec))`.
pub type JobId = H256;

/// The BLAKE3 hash of the model's file, which is the Merkle root over its chunks.
pub type ModelId = H256;

/// X25519 public key to which a sealed output is encrypted.
pub type OutputKey = [u8; 32];

/// The most bytes of a peer id.
pub const MAX_PEER_ID_LENGTH: u32 = 64;

/// A libp2p peer id in its binary form (a multihash).
pub type PeerIdBytes = BoundedVec<u8, ConstU32<MAX_PEER_ID_LENGTH>>;

/// The most operators that a job may name as the only ones allowed to run it.
pub const MAX_ALLOWED_OPERATORS: u32 = 16;

/// How the next token is chosen from the logits. Fixed point with 16 fractional bits, so that the
/// choice is the same on every machine.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Sampling {
    /// Temperature, 65,536 being 1.0. 0 is greedy.
    pub temperature: u32,
    /// Only the `top_k` likeliest tokens are candidates. 0 is all of them.
    pub top_k: u32,
    /// Only the likeliest tokens whose probabilities sum to `top_p` are candidates, 65,536 being
    /// 1.0, which is all of them.
    pub top_p: u32,
}

impl Sampling {
    /// 1.0 in the fixed point of the fields.
    pub const ONE: u32 = 1 << 16;

    /// The highest temperature, 100.0.
    pub const MAX_TEMPERATURE: u32 = 100 * Self::ONE;

    /// Always the likeliest token.
    pub const GREEDY: Self = Self { temperature: 0, top_k: 0, top_p: Self::ONE };

    /// Whether every field lies in its range: temperature at most 100.0, `0 < top_p <= 1.0`.
    pub fn is_valid(&self) -> bool {
        self.temperature <= Self::MAX_TEMPERATURE && self.top_p > 0 && self.top_p <= Self::ONE
    }
}

/// The numeric profile, which fixes each bit of the computation.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub enum NumericProfile {
    /// Bit-exact inference on CPUs with 8-bit activations.
    #[codec(index = 1)]
    N1,
}

/// Who may read the input and the output.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub enum Privacy {
    /// Anyone who asks a node that holds them.
    #[codec(index = 0)]
    Public,
    /// Only the client: the output is encrypted to its key.
    #[codec(index = 1)]
    Sealed,
}

/// What a client orders. The prompt and the answer themselves are never on the chain.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct JobSpec<AccountId> {
    /// The model to run.
    pub model: ModelId,
    /// blake2_256 of the prompt's bytes.
    pub input_hash: H256,
    /// Length of the prompt in the model's tokens, with those that its tokenizer adds.
    pub input_tokens: u32,
    /// The most tokens to generate, the end token among them.
    pub max_tokens: u32,
    /// Seed of the sampling.
    pub seed: u64,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Numeric profile of the computation.
    pub profile: NumericProfile,
    /// The job is assigned in this block at the earliest; 0 for at once.
    pub not_before: BlockNumber,
    /// Blocks within which an operator must be found, and blocks that it then has from its
    /// acceptance to its commitment.
    pub deadline: BlockNumber,
    /// Who may read.
    pub privacy: Privacy,
    /// Where a sealed output is encrypted to; `None` for public jobs.
    pub output_key: Option<OutputKey>,
    /// Whether the payment is locked by the commitment itself. Without it the client locks it by an
    /// extrinsic of its own.
    pub auto_lock: bool,
    /// The node that holds the prompt and takes the output; empty when any node may be asked.
    pub peer: PeerIdBytes,
    /// The only operators that may run it; empty for any.
    pub allowed: BoundedVec<AccountId, ConstU32<MAX_ALLOWED_OPERATORS>>,
}

impl<AccountId> JobSpec<AccountId> {
    /// Whether prompt and output together fit into that context.
    pub fn fits(&self, context: u32) -> bool {
        self.input_tokens.checked_add(self.max_tokens).is_some_and(|length| length <= context)
    }
}

/// What the client pays, all of it on hold from the job's creation.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Payment {
    /// Paid when an operator accepts the job.
    pub down: Balance,
    /// A cap: the price of `max_tokens`. What is paid is the operator's price per token times the
    /// tokens delivered.
    pub cost: Balance,
    /// Paid whole when the output is accepted.
    pub tip: Balance,
}

impl Payment {
    /// The sum of its parts; `None` where that overflows.
    pub fn total(&self) -> Option<Balance> {
        self.down.checked_add(self.cost)?.checked_add(self.tip)
    }
}

/// Why an output ends where it does.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub enum FinishReason {
    /// The model produced its end token.
    #[codec(index = 0)]
    EndToken,
    /// `max_tokens` were produced.
    #[codec(index = 1)]
    Length,
}

/// An operator's testament on its output: its bond stands on it.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct OutputCommitment {
    /// blake2_256 of the SCALE encoding of the output's [`Transcript`](crate::worker::Transcript),
    /// under which any node serves it.
    pub output_hash: H256,
    /// blake2_256 of the root over the logit digests of all positions. The root itself is known only
    /// to who ran the model, so a verifier that names it has done the work.
    pub digest_commitment: H256,
    /// Number of tokens generated.
    pub tokens: u32,
    /// Why it ends.
    pub finish: FinishReason,
}

/// Where a job is. Each state but the last has a block after which anyone may move it on.
///
/// Indices 3 (`Committed`), 4 (`Locked`) and 6 (`Disputed`) belong to states of sealed and of
/// disputed jobs.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum JobState<AccountId> {
    /// Waits for an operator. After `until`: expired and refunded.
    #[codec(index = 0)]
    Open {
        /// Last block in which it can be assigned.
        until: BlockNumber,
    },
    /// An operator was drawn and has not yet accepted. After `until`: given to another.
    #[codec(index = 1)]
    Assigned {
        /// Who was drawn.
        operator: AccountId,
        /// Its price per token when it was drawn.
        price: Balance,
        /// Last block in which it can accept.
        until: BlockNumber,
    },
    /// The operator generates. After `until`: its bond is slashed by the lateness fraction, and the
    /// job is given to another, or refunded after the last attempt.
    #[codec(index = 2)]
    Running {
        /// Who runs it.
        operator: AccountId,
        /// Its price per token.
        price: Balance,
        /// Last block in which it can commit.
        until: BlockNumber,
    },
    /// The output is committed and can be fetched. After `until`, and when no audit is open:
    /// settled as accepted.
    #[codec(index = 5)]
    Delivered {
        /// Who ran it.
        operator: AccountId,
        /// Its price per token.
        price: Balance,
        /// What it stands for.
        commitment: OutputCommitment,
        /// Blocks that it took, from its acceptance to its commitment.
        took: BlockNumber,
        /// Whether the job waits for its audit, or for the draw that decides on one.
        audit: bool,
        /// Last block of the challenge window.
        until: BlockNumber,
    },
    /// Over. Pruned after the retention period.
    #[codec(index = 7)]
    Settled(Settlement<AccountId>),
}

/// The identifier of the `nonce`-th job of `client` on the chain with that genesis block.
pub fn job_id<AccountId: Encode>(
    genesis: &H256,
    client: &AccountId,
    nonce: u64,
    spec: &JobSpec<AccountId>,
) -> JobId {
    (b"assay/job/1", genesis, client, nonce, spec)
        .using_encoded(sp_crypto_hashing::blake2_256)
        .into()
}
