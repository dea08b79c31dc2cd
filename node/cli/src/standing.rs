// SPDX-License-Identifier: Apache-2.0
//! The standing of an output: committed is what the operator is bound to, verified is what a committee
//! has computed again. Only the second says that the model wrote the text.

use crate::{exit::Exit, known_output::KnownOutput, out::Cell, view::count};
use assay_primitives::{settlement::AuditOutcome, JobState, Outcome};
use assay_runtime::AccountId;
use serde_json::{json, Map, Value};

/// The standing of a job's output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nothing of the output is known, and the operator has not committed to one.
    Absent,
    /// The node's word: the operator has committed to nothing yet.
    Claimed,
    /// The operator has committed to an output, but the node has shown none that hashes to it.
    Withheld,
    /// The operator has committed to this output, and the job is not settled.
    Committed,
    /// The same, and the job was paid without an audit.
    Unaudited,
    /// The same, and it was drawn for an audit that could not be decided; it was not paid.
    Undecided,
    /// A jury has found the output wrong, or the operator has withheld it from its verifiers.
    Rejected,
    /// A committee of that many verifiers has computed the same output.
    Verified(u32),
}

impl Standing {
    /// Returns the standing of an output in that state of its job.
    pub fn of(state: &JobState<AccountId>, known: &KnownOutput) -> Self {
        let settlement = match state {
            JobState::Settled(settlement) => settlement,
            JobState::Delivered { .. } if known.is_committed() => return Self::Committed,
            JobState::Delivered { .. } => return Self::Withheld,
            _ if known.is_known() => return Self::Claimed,
            _ => return Self::Absent,
        };
        match settlement.audit {
            _ if settlement.output_hash.is_none() => Self::Absent,
            AuditOutcome::Rejected | AuditOutcome::Withheld => Self::Rejected,
            _ if !known.is_committed() => Self::Withheld,
            AuditOutcome::Accepted => Self::Verified(settlement.verifiers),
            AuditOutcome::Undecided => Self::Undecided,
            AuditOutcome::NotAudited => Self::Unaudited,
        }
    }

    /// Returns whether a committee has accepted the output.
    pub fn is_verified(self) -> bool {
        matches!(self, Self::Verified(_))
    }

    /// Returns the exit code for a job that ended with this outcome.
    pub fn exit(self, outcome: Outcome, accept_unaudited: bool) -> Exit {
        match (outcome, self) {
            (Outcome::Paid, Self::Verified(_)) => Exit::Done,
            (Outcome::Paid, Self::Unaudited) if accept_unaudited => Exit::Done,
            (Outcome::Paid, Self::Unaudited) => Exit::Unaudited,
            _ => Exit::JobFailed,
        }
    }

    /// Returns the standing in words; `None` if there is no output to speak of.
    pub fn words(self) -> Option<Cell> {
        Some(match self {
            Self::Absent => return None,
            Self::Claimed => "not verified: the operator has not committed to it yet".into(),
            Self::Withheld => Cell::bad(
                "not committed: this node has no transcript that hashes to the commitment, so a text \
                 that it shows may be another one; ask another node",
            ),
            Self::Committed => "committed, not verified: the job is not settled yet".into(),
            Self::Unaudited => "committed, not verified: the job was not audited".into(),
            Self::Undecided => {
                Cell::bad("committed, not verified: its audit could not be decided")
            }
            Self::Rejected => Cell::bad("rejected: a jury found it wrong, or it was withheld"),
            Self::Verified(verifiers) => {
                Cell::good(format!("verified: computed again by {}", count(verifiers, "verifier")))
            }
        })
    }

    /// Adds to a JSON object whether the output is verified.
    pub fn put(self, object: &mut Map<String, Value>) {
        object.insert("verified".into(), json!(self.is_verified()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{output, transcript};
    use assay_primitives::Settlement;
    use codec::Encode;
    use sp_core::H256;

    fn settled(outcome: Outcome, audit: AuditOutcome, hash: Option<H256>) -> JobState<AccountId> {
        JobState::Settled(Settlement {
            outcome,
            operator: None,
            audit,
            verifiers: 3,
            output_hash: hash,
            tokens: 1,
            paid: 1,
            refunded: 0,
            slashed: 0,
            burnt: 0,
            fund: 0,
            audit_fees: 0,
            challenge: None,
            at: 9,
        })
    }

    fn standing(audit: AuditOutcome) -> Standing {
        let state = settled(Outcome::Paid, audit, Some(transcript().hash()));
        Standing::of(&state, &KnownOutput::sample(&transcript(), None))
    }

    #[test]
    fn only_an_accepted_audit_verifies() {
        assert_eq!(standing(AuditOutcome::Accepted), Standing::Verified(3));
        for audit in [AuditOutcome::NotAudited, AuditOutcome::Undecided, AuditOutcome::Rejected] {
            let standing = standing(audit);
            assert!(!standing.is_verified(), "{audit:?}");
            let words = standing.words().unwrap();
            assert!(!words.text().starts_with("verified"), "{words:?}");
            let mut object = Map::new();
            standing.put(&mut object);
            assert_eq!(object["verified"], false);
        }
    }

    #[test]
    fn output_that_does_not_hash_to_the_commitment_is_not_verified() {
        let other = H256::repeat_byte(7);
        let state = settled(Outcome::Paid, AuditOutcome::Accepted, Some(other));
        let said = output(Some(&transcript().encode()));
        let known = KnownOutput::new(Some(said), &transcript().job, Some(other));
        assert_eq!(Standing::of(&state, &known), Standing::Withheld);
        assert_eq!(Standing::of(&state, &KnownOutput::default()), Standing::Withheld);
        // The words hold where the node shows no text at all, and below them where it does.
        assert!(!Standing::Withheld.words().unwrap().text().contains("text above"));
    }

    #[test]
    fn output_before_the_commitment_is_a_claim() {
        let state = JobState::Open { until: 1 };
        assert_eq!(Standing::of(&state, &KnownOutput::default()), Standing::Absent);
        assert_eq!(
            Standing::of(&state, &KnownOutput::sample(&transcript(), None)),
            Standing::Claimed
        );
    }

    #[test]
    fn exit_codes_tell_verified_unaudited_and_failed_apart() {
        use AuditOutcome::*;
        let exit = |outcome, audit, accept| standing(audit).exit(outcome, accept);
        for (outcome, audit, accept, expected) in [
            (Outcome::Paid, Accepted, false, Exit::Done),
            (Outcome::Paid, NotAudited, false, Exit::Unaudited),
            (Outcome::Paid, NotAudited, true, Exit::Done),
            (Outcome::Unverified, Undecided, true, Exit::JobFailed),
            (Outcome::Slashed, Rejected, true, Exit::JobFailed),
            (Outcome::Refunded, NotAudited, true, Exit::JobFailed),
            (Outcome::Expired, NotAudited, true, Exit::JobFailed),
            (Outcome::Cancelled, NotAudited, true, Exit::JobFailed),
        ] {
            assert_eq!(exit(outcome, audit, accept), expected, "{outcome:?} {audit:?} {accept}");
        }
        assert_eq!(Standing::Withheld.exit(Outcome::Paid, true), Exit::JobFailed);
    }
}
