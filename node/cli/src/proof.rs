// SPDX-License-Identifier: Apache-2.0
//! Whether an output is the one that the operator committed to. What a node says of an output counts
//! only as far as it hashes to what stands on the chain.

use assay_primitives::{worker::Transcript, JobState};
use assay_rpc::Output;
use assay_runtime::AccountId;
use codec::DecodeAll;
use serde_json::{json, Map, Value};
use sp_core::H256;

/// The hash of the output that was committed, if one was.
pub fn committed(state: &JobState<AccountId>) -> Option<H256> {
    match state {
        JobState::Delivered { commitment, .. } => Some(commitment.output_hash),
        JobState::Settled(settlement) => settlement.output_hash,
        _ => None,
    }
}

/// What is known of an output. Once it is proven, all of it is what was proven, and nothing is what
/// the node says beside.
#[derive(Default)]
pub struct Known {
    said: Option<Output>,
    proven: Option<Transcript>,
}

impl Known {
    /// What a node says, beside what was committed.
    pub fn new(said: Option<Output>, committed: Option<H256>) -> Self {
        let proven = said.as_ref().and_then(|output| proven(output, committed));
        Self { said, proven }
    }

    /// Whether it is the output that was committed.
    pub fn is_proven(&self) -> bool {
        self.proven.is_some()
    }

    /// The bytes of its text.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match (&self.proven, &self.said) {
            (Some(transcript), _) => Some(transcript.text.clone()),
            (None, Some(output)) => Some(output.bytes.to_vec()),
            (None, None) => None,
        }
    }

    /// Its text.
    pub fn text(&self) -> Option<String> {
        match &self.proven {
            Some(transcript) => Some(String::from_utf8_lossy(&transcript.text).into()),
            None => self.said.as_ref().map(|output| output.text.clone()),
        }
    }

    /// Its tokens.
    pub fn tokens(&self) -> Option<&[u32]> {
        match &self.proven {
            Some(transcript) => Some(&transcript.output),
            None => self.said.as_ref().map(|output| output.tokens.as_slice()),
        }
    }

    /// Why it ends, if it does.
    pub fn finish(&self) -> Option<&str> {
        match &self.proven {
            Some(transcript) => Some(transcript.finish.label()),
            None => self.said.as_ref().and_then(|output| output.finish.as_deref()),
        }
    }

    /// Adds it to an object, whether it is proven, and its length, which the chain need not tell.
    pub fn put(&self, object: &mut Map<String, Value>) {
        object.insert("proven".into(), json!(self.is_proven()));
        object.insert("output".into(), json!(self.text()));
        object.insert("finish".into(), json!(self.finish()));
        object.insert("tokenIds".into(), json!(self.tokens()));
        if let Some(tokens) = self.tokens() {
            object.insert("tokens".into(), json!(tokens.len()));
        }
    }
}

/// The output that hashes to the commitment; `None` where the node has not given it.
pub fn proven(output: &Output, committed: Option<H256>) -> Option<Transcript> {
    let bytes = output.transcript.as_ref()?;
    if sp_crypto_hashing::blake2_256(bytes) != committed?.0 {
        return None;
    }
    Transcript::decode_all(&mut bytes.as_ref()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
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
            bytes: b"B".to_vec().into(),
            finish: Some("length".into()),
            transcript: transcript.map(|bytes| bytes.to_vec().into()),
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
    fn what_is_shown_of_a_proven_output_is_proven() {
        let lie = Output {
            tokens: vec![67, 68],
            text: "CD".into(),
            bytes: b"CD".to_vec().into(),
            finish: Some("stop".into()),
            ..output(Some(&transcript().encode()))
        };
        let known = Known::new(Some(lie.clone()), Some(transcript().hash()));
        assert_eq!(known.bytes().unwrap(), b"B");
        let mut object = Map::new();
        known.put(&mut object);
        let truth = json!({
            "proven": true, "output": "B", "finish": "length", "tokenIds": [66], "tokens": 1
        });
        assert_eq!(Value::Object(object), truth);
        // Without a commitment it is only what the node says, and is called so.
        let mut object = Map::new();
        Known::new(Some(lie), None).put(&mut object);
        assert_eq!(object["proven"], false);
        assert_eq!(object["output"], "CD");
    }

    #[test]
    fn nothing_is_shown_where_nothing_is_known() {
        let mut object = Map::new();
        Known::default().put(&mut object);
        assert_eq!(object["output"], Value::Null);
        assert!(!object.contains_key("tokens"));
    }

    #[test]
    fn bytes_after_the_transcript_are_not_proven() {
        let mut longer = transcript().encode();
        longer.push(0);
        let committed = Some(H256(sp_crypto_hashing::blake2_256(&longer)));
        assert_eq!(proven(&output(Some(&longer)), committed), None);
    }
}
