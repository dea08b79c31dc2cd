// SPDX-License-Identifier: Apache-2.0
//! A job as the client describes it, its identifier, and its states.

use crate::{prices::Prices, settlement::Settlement, Balance, BlockNumber};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;

/// The identifier of a job: `blake2_256("assay/job/2", genesis hash, client, client's job nonce,
/// SCALE(JobSpec))`.
pub type JobId = H256;

/// The BLAKE3 hash of the model's file, which is the Merkle root over its chunks.
pub type ModelId = H256;

/// The X25519 public key to which a sealed output is encrypted.
pub type OutputKey = [u8; 32];

/// The most bytes of a peer id.
pub const MAX_PEER_ID_LENGTH: u32 = 64;

/// A libp2p peer id in its binary form (a multihash).
pub type PeerIdBytes = BoundedVec<u8, ConstU32<MAX_PEER_ID_LENGTH>>;

/// The most operators that a job may name as the only ones allowed to run it.
pub const MAX_ALLOWED_OPERATORS: u32 = 16;

/// The rule by which the next token is chosen from the logits. Its numbers are fixed point with 16
/// fractional bits, so that the choice is the same on every machine.
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
    /// The temperature; 65,536 is 1.0, and 0 is greedy.
    pub temperature: u32,
    /// The number of likeliest tokens that are candidates; 0 admits all.
    pub top_k: u32,
    /// The sum of probabilities up to which the likeliest tokens are candidates; 65,536 is 1.0,
    /// which admits all.
    pub top_p: u32,
}

impl Sampling {
    /// The value 1.0 in the fixed point of the fields.
    pub const ONE: u32 = 1 << 16;

    /// The highest temperature, 100.0.
    pub const MAX_TEMPERATURE: u32 = 100 * Self::ONE;

    /// The sampling that always chooses the likeliest token.
    pub const GREEDY: Self = Self { temperature: 0, top_k: 0, top_p: Self::ONE };

    /// Returns whether every field lies in its range: temperature at most 100.0, `0 < top_p <=
    /// 1.0`.
    pub fn is_valid(&self) -> bool {
        self.temperature <= Self::MAX_TEMPERATURE && self.top_p > 0 && self.top_p <= Self::ONE
    }
}

/// The numeric profile, which determines each bit of the computation.
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

/// The readers of the input and the output.
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
    /// Anyone that asks a node which holds them.
    #[codec(index = 0)]
    Public,
    /// Only the client: the output is encrypted to its key.
    #[codec(index = 1)]
    Sealed,
}

/// The client's wish if a model has too few operators to verify a job's output.
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
pub enum Verification {
    /// Not to run the job: it waits until enough operators can check it, or expires.
    #[default]
    #[codec(index = 0)]
    Required,
    /// To run the job nevertheless.
    #[codec(index = 1)]
    IfPossible,
}

impl Verification {
    /// Returns the label in JSON.
    pub fn label(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::IfPossible => "if_possible",
        }
    }
}

/// The factor by which a worker expects a job to take longer than computed, because verifications and other
/// programs come without notice.
pub const TIME_MARGIN: BlockNumber = 2;

/// The blocks of a deadline that pass in addition to the computation: the job reaches the engine in the block
/// after its acceptance, and its result reaches the chain one or two blocks after its end. A worker declines a
/// job unless its deadline is at least this and [`TIME_MARGIN`] times the computation.
pub const TIME_OVERHEAD: BlockNumber = 4;

/// A client's order. The prompt and the answer themselves are never on the chain.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct JobSpec<AccountId> {
    /// The model to run.
    pub model: ModelId,
    /// The hash of the encoded [`Request`](crate::Request), which has the prompt.
    pub request_hash: H256,
    /// The length of the prompt in the model's tokens, including those that the model's tokenizer
    /// adds.
    pub input_tokens: u32,
    /// The most tokens to generate, including the end token.
    pub max_tokens: u32,
    /// The seed of the sampling.
    pub seed: u64,
    /// The sampling parameters.
    pub sampling: Sampling,
    /// The numeric profile of the computation.
    pub profile: NumericProfile,
    /// The earliest block in which the job is assigned; 0 means at once.
    pub not_before: BlockNumber,
    /// The number of blocks within which an operator must be found. The operator then has the same
    /// number of blocks from its acceptance to its commitment.
    pub deadline: BlockNumber,
    /// The readers of the input and the output.
    pub privacy: Privacy,
    /// The key to which a sealed output is encrypted; `None` for public jobs.
    pub output_key: Option<OutputKey>,
    /// The node that holds the request and takes the output; empty if any node may be asked.
    pub peer: PeerIdBytes,
    /// The only operators that may run the job; empty if any operator may.
    pub allowed: BoundedVec<AccountId, ConstU32<MAX_ALLOWED_OPERATORS>>,
    /// Whether the job may run where its output could not be verified.
    pub verification: Verification,
    /// Whether the output is audited for certain. The client pays the committee in addition to the
    /// price.
    pub audit: bool,
    /// The account that brought the client here; `None` if nobody did.
    pub referrer: Option<AccountId>,
}

impl<AccountId> JobSpec<AccountId> {
    /// Returns whether prompt and output together fit into that context.
    pub fn fits(&self, context: u32) -> bool {
        self.input_tokens.checked_add(self.max_tokens).is_some_and(|length| length <= context)
    }

    /// Returns the most tokens of prompt and output together.
    pub fn length(&self) -> u32 {
        self.input_tokens.saturating_add(self.max_tokens)
    }
}

/// The client's payment. All of it is on hold from the job's creation.
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
    /// The down payment, paid when an operator accepts the job.
    pub down: Balance,
    /// A cap on the price of the tokens. The operator is paid its prices for the tokens of the
    /// prompt and those delivered.
    pub cost: Balance,
    /// The tip, paid in full when the output is accepted.
    pub tip: Balance,
}

impl Payment {
    /// Returns the sum of the parts; `None` if it overflows.
    pub fn total(&self) -> Option<Balance> {
        self.down.checked_add(self.cost)?.checked_add(self.tip)
    }
}

/// The reason for which an output ends where it does.
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
    /// The output completes a stop string of the request: that of this index.
    #[codec(index = 2)]
    Stop(u8),
}

/// An operator's attestation, backed by its bond.
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
    /// blake2_256 of the root over the logit digests of all positions. Only a party that ran the
    /// model knows the root itself, so a verifier that names it has done the work.
    pub digest_commitment: H256,
    /// The number of tokens generated.
    pub tokens: u32,
    /// The finish reason.
    pub finish: FinishReason,
}

/// The state of a job. In each state but the last, anyone may move the job on after a certain
/// block.
///
/// Indices 3 (`Committed`), 4 (`Locked`) and 6 (`Disputed`) belong to states of sealed and of
/// disputed jobs.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum JobState<AccountId> {
    /// The job waits for an operator. After `until` it expires and is refunded.
    #[codec(index = 0)]
    Open {
        /// The last block in which the job can be assigned.
        until: BlockNumber,
    },
    /// An operator was drawn and has not yet accepted. After `until` the job is assigned to
    /// another.
    #[codec(index = 1)]
    Assigned {
        /// The operator drawn.
        operator: AccountId,
        /// The operator's prices when it was drawn.
        prices: Prices,
        /// The last block in which the operator can accept.
        until: BlockNumber,
    },
    /// The operator generates. After `until` its bond is slashed by the lateness fraction, and the
    /// job is assigned to another operator, or refunded after the last attempt.
    #[codec(index = 2)]
    Running {
        /// The operator that runs the job.
        operator: AccountId,
        /// The operator's prices.
        prices: Prices,
        /// The last block in which the operator can commit.
        until: BlockNumber,
    },
    /// The output is committed and can be fetched. After `until`, unless an audit or a challenge is
    /// open, the job is settled as accepted.
    #[codec(index = 5)]
    Delivered {
        /// The operator that ran the job.
        operator: AccountId,
        /// The operator's prices.
        prices: Prices,
        /// The operator's commitment.
        commitment: OutputCommitment,
        /// The blocks from the operator's acceptance to its commitment.
        took: BlockNumber,
        /// Whether the job waits for its audit, for the draw that decides on one, or for the jury
        /// of a challenge.
        audit: bool,
        /// The account that challenges the output; `None` while nobody does.
        challenger: Option<AccountId>,
        /// The last block of the challenge window.
        until: BlockNumber,
    },
    /// The job is over. It is pruned after the retention period.
    #[codec(index = 7)]
    Settled(Settlement<AccountId>),
}

/// Returns the identifier of the `nonce`-th job of `client` on the chain with that genesis block.
pub fn job_id<AccountId: Encode>(
    genesis: &H256,
    client: &AccountId,
    nonce: u64,
    spec: &JobSpec<AccountId>,
) -> JobId {
    (b"assay/job/2", genesis, client, nonce, spec)
        .using_encoded(sp_crypto_hashing::blake2_256)
        .into()
}
