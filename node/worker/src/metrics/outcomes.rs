// SPDX-License-Identifier: Apache-2.0
//! The outcomes that a piece of work can have, as labels.

use crate::work::key::Kind;
use assay_primitives::{
    AbstainReason, DeclineReason, EngineResult, FinishReason, RejectReason, Verdict,
};

/// The outcome of work that ends without a result: its job is over, or it is poisoned.
pub const GIVEN_UP: &str = "given_up";

/// The label of a verdict that accepts.
const ACCEPT: &str = "accept";
/// The label of a job that the node can run.
const READY: &str = "ready";

/// Returns the label of a result in logs and metrics.
pub fn outcome(result: &EngineResult) -> &'static str {
    match result {
        EngineResult::Ready { .. } => READY,
        EngineResult::Refused { reason, .. } => reason.label(),
        EngineResult::Generated { commitment, .. } => commitment.finish.label(),
        EngineResult::Verified { verdict, .. } => match verdict {
            Verdict::Accept { .. } => ACCEPT,
            Verdict::Reject { reason, .. } => reason.label(),
            Verdict::Abstain(reason) => reason.label(),
        },
    }
}

/// Returns all outcomes of a kind of work.
pub fn all(kind: Kind) -> Vec<&'static str> {
    let mut labels = vec![GIVEN_UP];
    match kind {
        Kind::Prepare => {
            labels.push(READY);
            labels.extend(DeclineReason::ALL.map(DeclineReason::label));
        }
        Kind::Generate => {
            labels.extend([FinishReason::EndToken, FinishReason::Length].map(FinishReason::label));
        }
        Kind::Verify => {
            labels.push(ACCEPT);
            labels.extend(
                [
                    RejectReason::Binding,
                    RejectReason::Continuity,
                    RejectReason::Integrity,
                    RejectReason::Truncation,
                    RejectReason::Digest,
                    RejectReason::Malformed,
                    RejectReason::Request,
                    RejectReason::Logprobs,
                ]
                .map(RejectReason::label),
            );
            labels.extend(
                [
                    AbstainReason::PayloadUnavailable,
                    AbstainReason::ModelMissing,
                    AbstainReason::Resource,
                ]
                .map(AbstainReason::label),
            );
        }
    }
    labels
}
