// SPDX-License-Identifier: Apache-2.0
//! Reasons that reports, events, RPC errors, logs and metric labels share. They are wire-stable:
//! indices and labels never change their meaning.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The reasons for which an operator declines a job that was assigned to it.
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
pub enum DeclineReason {
    /// No node that was asked has the request.
    #[codec(index = 0)]
    PayloadUnavailable,
    /// The node does not hold the model.
    #[codec(index = 1)]
    ModelMissing,
    /// The prompt's length in tokens differs from the job's `input_tokens`.
    #[codec(index = 2)]
    InputLength,
    /// Prompt and output together exceed the model's context.
    #[codec(index = 3)]
    ContextExceeded,
    /// No memory, thread or place in the queue is free.
    #[codec(index = 4)]
    Resource,
    /// The request is not the canonical encoding of one, or no engine honours it.
    #[codec(index = 5)]
    Request,
}

impl DeclineReason {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::PayloadUnavailable,
        Self::ModelMissing,
        Self::InputLength,
        Self::ContextExceeded,
        Self::Resource,
        Self::Request,
    ];

    /// Returns whether the reason is that the client's node does not serve what the job promises.
    pub fn is_clients_fault(self) -> bool {
        match self {
            Self::PayloadUnavailable | Self::InputLength | Self::Request => true,
            Self::ModelMissing | Self::ContextExceeded | Self::Resource => false,
        }
    }
}

/// The check of RASTiC that an output fails.
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
pub enum RejectReason {
    /// The transcript's input is not the job's prompt in the model's tokens.
    #[codec(index = 0)]
    Binding,
    /// The first generated token is not the model's.
    #[codec(index = 1)]
    Continuity,
    /// A later token is not the model's.
    #[codec(index = 2)]
    Integrity,
    /// The output ends neither with the end token nor at `max_tokens`, it contains an end token
    /// earlier, or the finish reason is another one.
    #[codec(index = 3)]
    Truncation,
    /// The tokens are right, but the logit digests are not those committed to.
    #[codec(index = 4)]
    Digest,
    /// The transcript does not have the form or the length that the commitment names.
    #[codec(index = 5)]
    Malformed,
    /// The request is not the canonical encoding of one, no engine honours it, or prompt and output
    /// exceed the model's context. Every verifier finds that alike, and no honest operator accepts such
    /// a job.
    #[codec(index = 6)]
    Request,
    /// The tokens are right, but a log probability is wrong, missing or superfluous.
    #[codec(index = 7)]
    Logprobs,
}

/// The reasons for which a verifier has no finding. Only the first one is a ballot, which is committed
/// and revealed; for the others a verifier vacates its seat ([`VacateReason`]).
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
pub enum AbstainReason {
    /// The request or the output could not be fetched.
    #[codec(index = 0)]
    PayloadUnavailable,
    /// The node does not hold the model.
    #[codec(index = 1)]
    ModelMissing,
    /// No memory, thread or place in the queue was free in time.
    #[codec(index = 2)]
    Resource,
}

/// The reasons for which a verifier vacates its seat before it commits to a verdict. They say nothing
/// of the operator whose output it had to check.
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
pub enum VacateReason {
    /// The node does not hold the model.
    #[codec(index = 0)]
    ModelMissing,
    /// No memory, thread or place in the queue is free in time.
    #[codec(index = 1)]
    Resource,
}

impl VacateReason {
    /// All reasons.
    pub const ALL: [Self; 2] = [Self::ModelMissing, Self::Resource];

    /// Returns the label in metrics, logs and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Self::ModelMissing => "model_missing",
            Self::Resource => "resource",
        }
    }
}

impl DeclineReason {
    /// Returns the label in metrics, logs and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Self::PayloadUnavailable => "payload_unavailable",
            Self::ModelMissing => "model_missing",
            Self::InputLength => "input_length",
            Self::ContextExceeded => "context_exceeded",
            Self::Resource => "resource",
            Self::Request => "request",
        }
    }
}

impl RejectReason {
    /// Returns the label in metrics, logs and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Self::Binding => "binding",
            Self::Continuity => "continuity",
            Self::Integrity => "integrity",
            Self::Truncation => "truncation",
            Self::Digest => "digest",
            Self::Malformed => "malformed",
            Self::Request => "request",
            Self::Logprobs => "logprobs",
        }
    }
}

impl AbstainReason {
    /// Returns the label in metrics, logs and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Self::PayloadUnavailable => "payload_unavailable",
            Self::ModelMissing => "model_missing",
            Self::Resource => "resource",
        }
    }
}
