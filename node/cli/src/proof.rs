// SPDX-License-Identifier: Apache-2.0
//! The proof that an output is the one that the operator committed to. A node's word counts only if
//! the transcript hashes to the commitment on the chain.

use crate::chain::node::{self, Output};
use anyhow::Result;
use assay_primitives::{worker::Transcript, JobState};
use assay_runtime::AccountId;
use codec::DecodeAll;
use serde_json::{json, Map, Value};
use sp_core::H256;

/// Returns the hash of the output that the operator committed to, if it has.
pub fn committed(state: &JobState<AccountId>) -> Option<H256> {
    match state {
        JobState::Delivered { commitment, .. } => Some(commitment.output_hash),
        JobState::Settled(settlement) => settlement.output_hash,
        _ => None,
    }
}

/// An output as far as it is known. Once it is proven, every part comes from the proven transcript
/// and none from the node's word.
#[derive(Default)]
pub struct KnownOutput {
    said: Option<Output>,
    proven: Option<Transcript>,
}

impl KnownOutput {
    /// Compares a node's word with the commitment.
    pub fn new(said: Option<Output>, committed: Option<H256>) -> Self {
        let proven = said.as_ref().and_then(|output| proven(output, committed));
        Self { said, proven }
    }

    /// Returns whether the output is the one that was committed to.
    pub fn is_proven(&self) -> bool {
        self.proven.is_some()
    }

    /// Returns the bytes of the text.
    pub fn bytes(&self) -> Result<Option<Vec<u8>>> {
        match (&self.proven, &self.said) {
            (Some(transcript), _) => Ok(Some(transcript.text.clone())),
            (None, Some(output)) => node::bytes(&output.bytes).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Returns the text, with U+FFFD for invalid UTF-8.
    pub fn text(&self) -> Option<String> {
        match &self.proven {
            Some(transcript) => Some(String::from_utf8_lossy(&transcript.text).into()),
            None => self.said.as_ref().map(|output| output.text.clone()),
        }
    }

    /// Returns the tokens.
    pub fn tokens(&self) -> Option<&[u32]> {
        match &self.proven {
            Some(transcript) => Some(&transcript.output),
            None => self.said.as_ref().map(|output| output.tokens.as_slice()),
        }
    }

    /// Returns the finish reason, if the output is complete.
    pub fn finish(&self) -> Option<&str> {
        match &self.proven {
            Some(transcript) => Some(transcript.finish.label()),
            None => self.said.as_ref().and_then(|output| output.finish.as_deref()),
        }
    }

    /// Adds the output to a JSON object: whether it is proven, its text, finish reason and tokens.
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

/// Returns the transcript if it hashes to the commitment; `None` if it does not, or is missing.
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
    fn proven_output_shows_nothing_that_is_not_proven() {
        let lie = Output {
            tokens: vec![67, 68],
            text: "CD".into(),
            bytes: hex_of(b"CD"),
            finish: Some("stop".into()),
            ..output(Some(&transcript().encode()))
        };
        let known = KnownOutput::new(Some(lie.clone()), Some(transcript().hash()));
        assert_eq!(known.bytes().unwrap().unwrap(), b"B");
        let mut object = Map::new();
        known.put(&mut object);
        let truth = json!({
            "proven": true, "output": "B", "finish": "length", "tokenIds": [66], "tokens": 1
        });
        assert_eq!(Value::Object(object), truth);
        // Without a commitment it is only the node's word, and not called proven.
        let mut object = Map::new();
        KnownOutput::new(Some(lie), None).put(&mut object);
        assert_eq!(object["proven"], false);
        assert_eq!(object["output"], "CD");
    }

    #[test]
    fn unknown_output_shows_nothing() {
        let mut object = Map::new();
        KnownOutput::default().put(&mut object);
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
