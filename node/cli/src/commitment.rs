// SPDX-License-Identifier: Apache-2.0
//! The commitment to an output. A node's word about an output counts only if the transcript hashes to
//! the commitment on the chain. The commitment binds the operator; it does not make the text right.

use assay_primitives::{worker::Transcript, JobId, JobState};
use assay_rpc::Output;
use assay_runtime::AccountId;
use codec::DecodeAll;
use sp_core::H256;

/// Returns the hash of the output that the operator committed to, if it has.
pub fn commitment(state: &JobState<AccountId>) -> Option<H256> {
    match state {
        JobState::Delivered { commitment, .. } => Some(commitment.output_hash),
        JobState::Settled(settlement) => settlement.output_hash,
        _ => None,
    }
}

/// Returns the transcript of an output of the job if it hashes to the commitment and names the job;
/// `None` if it does not, or is missing. An operator that commits to the output of another job has none
/// of this one.
pub fn committed(output: &Output, job: &JobId, commitment: Option<H256>) -> Option<Transcript> {
    let bytes = output.transcript.as_ref()?;
    if sp_crypto_hashing::blake2_256(bytes) != commitment?.0 {
        return None;
    }
    let transcript = Transcript::decode_all(&mut bytes.as_ref()).ok()?;
    (transcript.job == *job).then_some(transcript)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{output, transcript, JOB};
    use codec::Encode;

    #[test]
    fn transcript_that_hashes_to_the_commitment_is_committed() {
        let commitment = Some(transcript().hash());
        assert_eq!(
            committed(&output(Some(&transcript().encode())), &JOB, commitment),
            Some(transcript())
        );
    }

    #[test]
    fn other_text_is_not_committed() {
        let forged = Transcript { text: b"C".to_vec(), ..transcript() };
        assert_eq!(
            committed(&output(Some(&forged.encode())), &JOB, Some(transcript().hash())),
            None
        );
    }

    #[test]
    fn nothing_is_committed_without_a_transcript_or_a_commitment() {
        assert_eq!(committed(&output(None), &JOB, Some(transcript().hash())), None);
        assert_eq!(committed(&output(Some(&transcript().encode())), &JOB, None), None);
    }

    #[test]
    fn bytes_after_the_transcript_are_not_committed() {
        let mut longer = transcript().encode();
        longer.push(0);
        let commitment = Some(H256(sp_crypto_hashing::blake2_256(&longer)));
        assert_eq!(committed(&output(Some(&longer)), &JOB, commitment), None);
    }

    #[test]
    fn transcript_of_another_job_is_not_committed() {
        let commitment = Some(transcript().hash());
        let said = output(Some(&transcript().encode()));
        assert_eq!(committed(&said, &JobId::repeat_byte(8), commitment), None);
    }
}
