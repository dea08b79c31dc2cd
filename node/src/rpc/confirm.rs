// SPDX-License-Identifier: Apache-2.0
//! The end of an output, as far as the chain confirms it.
//!
//! While a job runs, its tokens are the claim of a node. A claim that the output ends is not enough to
//! end a stream.

use assay_primitives::{
    api::JobView, worker::Transcript, FinishReason, JobState, OutputCommitment, Settlement,
};
use assay_rpc::StreamEnd;
use sp_core::H256;

/// Returns the reason for which an output of `tokens` tokens has ended, given that its source claims
/// the reason `claimed`; `None` if the chain does not confirm that it has.
///
/// Before the commitment only an output of `max_tokens` tokens has ended for certain. A commitment says
/// both the number of tokens and the reason, and a settlement the number. No output that is committed has
/// 0 tokens, so a settlement that records 0 confirms nothing.
pub fn confirmed<AccountId>(
    view: &JobView<AccountId>,
    tokens: u32,
    claimed: Option<FinishReason>,
) -> Option<FinishReason> {
    match &view.state {
        JobState::Running { .. } => {
            let full = tokens == view.spec.max_tokens;
            claimed.filter(|reason| full && *reason == FinishReason::Length)
        }
        JobState::Delivered { commitment, .. } => {
            (tokens == commitment.tokens).then_some(commitment.finish)
        }
        JobState::Settled(Settlement { output_hash: Some(_), tokens: delivered, .. }) => {
            claimed.filter(|_| tokens > 0 && tokens == *delivered)
        }
        JobState::Open { .. } | JobState::Assigned { .. } | JobState::Settled(_) => None,
    }
}

/// Returns the hash of the transcript, once it is committed.
pub fn committed<AccountId>(state: &JobState<AccountId>) -> Option<H256> {
    match state {
        JobState::Delivered { commitment, .. } => Some(commitment.output_hash),
        JobState::Settled(Settlement { output_hash, .. }) => *output_hash,
        _ => None,
    }
}

/// Returns the most tokens that the output can have: those that the job permits, or those that are
/// committed.
pub fn most_tokens<AccountId>(view: &JobView<AccountId>) -> u32 {
    let committed = match &view.state {
        JobState::Delivered { commitment: OutputCommitment { tokens, .. }, .. } => *tokens,
        JobState::Settled(Settlement { output_hash: Some(_), tokens, .. }) => *tokens,
        _ => u32::MAX,
    };
    committed.min(view.spec.max_tokens)
}

/// Returns whether a transcript has as many tokens as the commitment says, and no more than the job
/// permits. The hash of one that does not fit may be committed nevertheless: the operator lies.
pub fn fits<AccountId>(view: &JobView<AccountId>, transcript: &Transcript) -> bool {
    let most = most_tokens(view);
    let confirms = confirmed(view, most, Some(transcript.finish));
    committed(&view.state).is_some()
        && confirms.is_some()
        && u32::try_from(transcript.output.len()) == Ok(most)
}

/// Returns whether an operator can have tokens of a job in that state.
pub fn has_tokens<AccountId>(state: &JobState<AccountId>) -> bool {
    matches!(state, JobState::Running { .. }) || committed(state).is_some()
}

/// Returns the end of a stream of a complete output.
pub fn end_of(finish: FinishReason) -> StreamEnd {
    match finish {
        FinishReason::EndToken | FinishReason::Stop(_) => StreamEnd::Stop,
        FinishReason::Length => StreamEnd::Length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::{
        settlement::AuditOutcome, testing::spec, JobSpec, Outcome, OutputCommitment, Payment,
        Prices,
    };
    use FinishReason::{EndToken, Length};

    fn view(state: JobState<u8>) -> JobView<u8> {
        let spec = JobSpec { max_tokens: 10, ..spec() };
        let payment = Payment { down: 0, cost: 1, tip: 0 };
        let (created, attempts, committee) = (1, 1, vec![]);
        JobView {
            client: 1,
            spec,
            payment,
            created,
            attempts,
            state,
            committee,
            challenge_bond: None,
        }
    }

    fn running() -> JobView<u8> {
        view(JobState::Running { operator: 2, prices: Prices::default(), until: 9 })
    }

    fn delivered(tokens: u32, finish: FinishReason) -> JobView<u8> {
        let (output_hash, digest_commitment) = (H256::zero(), H256::zero());
        let commitment = OutputCommitment { output_hash, digest_commitment, tokens, finish };
        let (operator, prices) = (2, Prices::default());
        view(JobState::Delivered {
            operator,
            prices,
            commitment,
            took: 1,
            audit: true,
            challenger: None,
            until: 9,
        })
    }

    fn settled(output_hash: Option<H256>, tokens: u32) -> JobView<u8> {
        view(JobState::Settled(Settlement {
            outcome: Outcome::Paid,
            operator: Some(2),
            audit: AuditOutcome::Accepted,
            verifiers: 3,
            output_hash,
            tokens,
            paid: 1,
            refunded: 0,
            slashed: 0,
            burnt: 0,
            fund: 0,
            audit_fees: 0,
            challenge: None,
            at: 9,
        }))
    }

    #[test]
    fn claimed_stop_does_not_end_an_output_that_runs() {
        assert_eq!(confirmed(&running(), 3, Some(EndToken)), None);
        assert_eq!(confirmed(&running(), 3, Some(Length)), None, "it is not that long");
        assert_eq!(confirmed(&running(), 10, Some(EndToken)), None);
        assert_eq!(confirmed(&running(), 10, None), None);
        assert_eq!(confirmed(&running(), 10, Some(Length)), Some(Length));
    }

    #[test]
    fn commitment_says_where_and_why_an_output_ends() {
        let view = delivered(4, EndToken);
        assert_eq!(confirmed(&view, 3, Some(EndToken)), None);
        assert_eq!(confirmed(&view, 4, None), Some(EndToken));
        assert_eq!(confirmed(&view, 4, Some(Length)), Some(EndToken));
    }

    #[test]
    fn settlement_says_where_an_output_ends() {
        let view = settled(Some(H256::zero()), 4);
        assert_eq!(confirmed(&view, 3, Some(EndToken)), None);
        assert_eq!(confirmed(&view, 4, Some(EndToken)), Some(EndToken));
        assert_eq!(confirmed(&settled(None, 0), 0, Some(EndToken)), None);
    }

    #[test]
    fn output_without_tokens_is_not_confirmed() {
        let view = settled(Some(H256::zero()), 0);
        assert_eq!(confirmed(&view, 0, Some(EndToken)), None);
    }

    #[test]
    fn transcript_has_as_many_tokens_as_were_committed() {
        let (input, text, salt) = (vec![1], b"text".to_vec(), H256::zero());
        let output = vec![1; 4];
        let job = H256::zero();
        let transcript = Transcript {
            job,
            input,
            output,
            text,
            finish: EndToken,
            salt,
            logprobs: Default::default(),
        };
        let settled = |tokens| settled(Some(H256::zero()), tokens);
        assert!(fits(&delivered(4, EndToken), &transcript) && fits(&settled(4), &transcript));
        assert!(!fits(&delivered(3, EndToken), &transcript) && !fits(&settled(5), &transcript));
        assert!(!fits(&running(), &transcript), "nothing is committed");
        let long = Transcript { output: vec![1; 11], ..transcript };
        assert!(!fits(&delivered(11, EndToken), &long), "the job permits fewer");
    }

    #[test]
    fn tokens_exist_from_the_acceptance_on() {
        let open = JobState::<u8>::Open { until: 9 };
        assert!(!has_tokens(&open) && !has_tokens(&settled(None, 0).state));
        assert!(has_tokens(&running().state) && has_tokens(&delivered(4, Length).state));
        assert!(has_tokens(&settled(Some(H256::zero()), 4).state));
    }
}
