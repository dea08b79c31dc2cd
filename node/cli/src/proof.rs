// SPDX-License-Identifier: Apache-2.0
//! Whether an output is the one that the operator committed to. What a node says of an output counts
//! only as far as it hashes to what stands on the chain.

use crate::chain::node::{self, Output};
use assay_primitives::{worker::Transcript, JobState};
use assay_runtime::AccountId;
use codec::DecodeAll;
use sp_core::H256;

/// The hash of the output that was committed, if one was.
pub fn committed(state: &JobState<AccountId>) -> Option<H256> {
    match state {
        JobState::Delivered { commitment, .. } => Some(commitment.output_hash),
        JobState::Settled(settlement) => settlement.output_hash,
        _ => None,
    }
}

/// The output that hashes to the commitment; `None` where the node has not given it.
pub fn proven(output: &Output, committed: Option<H256>) -> Option<Transcript> {
    let bytes = node::bytes(output.transcript.as_ref()?).ok()?;
    if sp_crypto_hashing::blake2_256(&bytes) != committed?.0 {
        return None;
    }
    Transcript::decode_all(&mut bytes.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::state::hex_of;
    use assay_primitives::FinishReason;
    use codec::Encode;

    fn transcript() -> Transcript {
        Transcript {
            input: vec![256, 65],
            output: vec![66],
            text: b"B".to_vec(),
            finish: FinishReason::Length,
            salt: H256::repeat_byte(1),
        }
    }

    fn output(transcript: Option<&[u8]>) -> Output {
        Output {
            tokens: vec![66],
            text: "B".into(),
            bytes: hex_of(b"B"),
            finish: Some("length".into()),
            transcript: transcript.map(hex_of),
        }
    }

    #[test]
    fn transcript_that_hashes_to_the_commitment_is_proven() {
        let committed = Some(transcript().hash());
        assert_eq!(proven(&output(Some(&transcript().encode())), committed), Some(transcript()));
    }

    #[test]
    fn other_text_is_not_proven() {
        let forged = Transcript { text: b"C".to_vec(), ..transcript() };
        assert_eq!(proven(&output(Some(&forged.encode())), Some(transcript().hash())), None);
    }

    #[test]
    fn nothing_is_proven_without_a_transcript_or_a_commitment() {
        assert_eq!(proven(&output(None), Some(transcript().hash())), None);
        assert_eq!(proven(&output(Some(&transcript().encode())), None), None);
    }

    #[test]
    fn bytes_after_the_transcript_are_not_proven() {
        let mut longer = transcript().encode();
        longer.push(0);
        let committed = Some(H256(sp_crypto_hashing::blake2_256(&longer)));
        assert_eq!(proven(&output(Some(&longer)), committed), None);
    }
}
