// SPDX-License-Identifier: Apache-2.0
//! An output as far as it is known: the node's word, or the transcript that was committed to.

use crate::{commitment::committed, view::logprobs::Logprobs};
use assay_engine::{Model, StopStrings};
use assay_primitives::{worker::Transcript, FinishReason, JobId};
use assay_rpc::Output;
use serde_json::{json, Map, Value};
use sp_core::H256;

/// An output as far as it is known. Once it is committed, every part comes from the committed transcript
/// and none from the node's word.
#[derive(Default)]
pub struct KnownOutput {
    said: Option<Output>,
    committed: Option<Transcript>,
    text_matches: Option<bool>,
    logprobs: Option<Logprobs>,
    stops: StopStrings,
}

impl KnownOutput {
    /// Compares a node's word about a job with the commitment.
    pub fn new(said: Option<Output>, job: &JobId, commitment: Option<H256>) -> Self {
        let committed = said.as_ref().and_then(|output| committed(output, job, commitment));
        // A node that has the model has compared the text of the transcript that it returned.
        let text_matches =
            said.as_ref().filter(|_| committed.is_some()).and_then(|output| output.text_matches);
        let logprobs = committed.as_ref().and_then(|transcript| Logprobs::of(transcript, None));
        Self { said, committed, text_matches, logprobs, stops: StopStrings::NONE }
    }

    /// Returns the output of a job whose request has these stop strings. Its text is shown up to the first.
    pub fn stopping(self, stops: &StopStrings) -> Self {
        Self { stops: stops.clone(), ..self }
    }

    /// Returns whether the committed output ends at a stop string.
    pub fn ends_at_stop(&self) -> bool {
        let finish = self.committed.as_ref().map(|transcript| transcript.finish);
        matches!(finish, Some(FinishReason::Stop(_)))
    }

    /// Compares the committed text with the committed tokens by a model that this command has opened
    /// itself, which counts more than the node's word. The log probabilities then show the texts of their tokens.
    pub fn compare(&mut self, model: &Model) {
        if let Some(transcript) = &self.committed {
            self.text_matches = Some(model.detokenize(&transcript.output) == transcript.text);
            self.logprobs = Logprobs::of(transcript, Some(model));
        }
    }

    /// Returns the log probabilities of the tokens, if the committed output has them.
    pub fn logprobs(&self) -> Option<&Logprobs> {
        self.logprobs.as_ref()
    }

    /// Returns whether the output is the one that was committed to.
    pub fn is_committed(&self) -> bool {
        self.committed.is_some()
    }

    /// Returns whether the committed text is that of the committed tokens; `None` if nobody with the
    /// model has compared them.
    pub fn text_matches(&self) -> Option<bool> {
        self.text_matches
    }

    /// Returns whether anything of the output is known.
    pub fn is_known(&self) -> bool {
        self.said.is_some()
    }

    /// Returns the bytes of the text, with those of the stop string.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match (&self.committed, &self.said) {
            (Some(transcript), _) => Some(transcript.text.clone()),
            (None, Some(output)) => Some(output.bytes.to_vec()),
            (None, None) => None,
        }
    }

    /// Returns the text before the stop string, with U+FFFD for invalid UTF-8.
    pub fn text(&self) -> Option<String> {
        let bytes = self.bytes()?;
        Some(String::from_utf8_lossy(self.stops.shown(&bytes)).into())
    }

    /// Returns the tokens.
    pub fn tokens(&self) -> Option<&[u32]> {
        match &self.committed {
            Some(transcript) => Some(&transcript.output),
            None => self.said.as_ref().map(|output| output.tokens.as_slice()),
        }
    }

    /// Returns the finish reason, if the output is complete.
    pub fn finish(&self) -> Option<&str> {
        match &self.committed {
            Some(transcript) => Some(transcript.finish.label()),
            None => self.said.as_ref().and_then(|output| output.finish.as_deref()),
        }
    }

    /// Adds the output to a JSON object: whether it is committed, whether its text is that of its
    /// tokens, its text, finish reason and tokens, and their log probabilities if it has them.
    pub fn put(&self, object: &mut Map<String, Value>) {
        object.insert("committed".into(), json!(self.is_committed()));
        object.insert("textMatches".into(), json!(self.text_matches));
        object.insert("output".into(), json!(self.text()));
        object.insert("finish".into(), json!(self.finish()));
        object.insert("tokenIds".into(), json!(self.tokens()));
        if let Some(tokens) = self.tokens() {
            object.insert("tokens".into(), json!(tokens.len()));
        }
        if let Some(logprobs) = &self.logprobs {
            object.insert("logprobs".into(), logprobs.json());
        }
    }
}

#[cfg(test)]
impl KnownOutput {
    /// Returns the output that a transcript commits to, as a node returns it that says whether the text
    /// matches.
    pub(crate) fn sample(transcript: &Transcript, text_matches: Option<bool>) -> Self {
        let bytes = codec::Encode::encode(transcript);
        let said = Output { text_matches, ..crate::samples::output(Some(&bytes)) };
        Self::new(Some(said), &transcript.job, Some(transcript.hash()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{output, transcript, JOB};
    use assay_primitives::worker::{Likely, Logprobs};
    use assay_rpc::TokenLogprobs;
    use codec::Encode;

    #[test]
    fn committed_output_shows_nothing_of_the_nodes_word() {
        let lie = Output {
            tokens: vec![67, 68],
            text: "CD".into(),
            bytes: b"CD".to_vec().into(),
            finish: Some("stop".into()),
            ..output(Some(&transcript().encode()))
        };
        let known = KnownOutput::new(Some(lie.clone()), &JOB, Some(transcript().hash()));
        assert_eq!(known.bytes().unwrap(), b"B");
        let mut object = Map::new();
        known.put(&mut object);
        let truth = json!({
            "committed": true, "textMatches": null, "output": "B", "finish": "length",
            "tokenIds": [66], "tokens": 1
        });
        assert_eq!(Value::Object(object), truth);
        // Without a commitment it is only the node's word, and not called committed.
        let mut object = Map::new();
        KnownOutput::new(Some(lie), &JOB, None).put(&mut object);
        assert_eq!(object["committed"], false);
        assert_eq!(object["output"], "CD");
    }

    #[test]
    fn text_is_shown_up_to_the_stop_string() {
        let stops = StopStrings::new(["CD"]);
        let said = Output { bytes: b"BCD".to_vec().into(), text: "BCD".into(), ..output(None) };
        let known = KnownOutput::new(Some(said), &JOB, None).stopping(&stops);
        assert_eq!((known.text().unwrap(), known.bytes().unwrap()), ("B".into(), b"BCD".to_vec()));
        let transcript = Transcript { text: b"ABCD".to_vec(), ..transcript() };
        let known = KnownOutput::sample(&transcript, None).stopping(&stops);
        assert_eq!(known.text().unwrap(), "AB");
    }

    #[test]
    fn log_probabilities_are_those_of_the_committed_transcript() {
        let logprobs =
            Logprobs { chosen: vec![-65_536], top: vec![Likely { token: 66, logprob: -65_536 }] };
        let transcript = Transcript { logprobs, ..transcript() };
        let shown = |known: KnownOutput| {
            let mut object = Map::new();
            known.put(&mut object);
            object.remove("logprobs")
        };
        let mut known = KnownOutput::sample(&transcript, None);
        known.compare(&Model::tiny().unwrap());
        let likely = json!({ "token": 66, "text": "B", "logprob": -1.0 });
        let own = json!({ "token": 66, "text": "B", "logprob": -1.0, "top": [likely] });
        assert_eq!(shown(known), Some(json!([own])));
        // A node's word is not enough.
        let word = TokenLogprobs { logprob: -1, top: vec![(66, -1)] };
        let said = Output { logprobs: Some(vec![word]), ..output(None) };
        assert_eq!(shown(KnownOutput::new(Some(said), &JOB, None)), None);
    }

    #[test]
    fn unknown_output_shows_nothing() {
        let mut object = Map::new();
        KnownOutput::default().put(&mut object);
        assert_eq!(object["output"], Value::Null);
        assert!(!object.contains_key("tokens"));
    }

    #[test]
    fn text_is_compared_with_the_tokens_by_the_model() {
        let tiny = Model::tiny().unwrap();
        let mut honest = KnownOutput::sample(&transcript(), None);
        assert_eq!(honest.text_matches(), None);
        honest.compare(&tiny);
        assert_eq!(honest.text_matches(), Some(true));
        // The commitment fits the transcript, but the transcript's text is of no token in it. The
        // node's word does not help.
        let mut lie =
            KnownOutput::sample(&Transcript { text: b"C".to_vec(), ..transcript() }, Some(true));
        assert!(lie.is_committed());
        lie.compare(&tiny);
        assert_eq!(lie.text_matches(), Some(false));
    }

    #[test]
    fn word_about_the_text_counts_for_the_committed_transcript_alone() {
        let said = Output { text_matches: Some(true), ..output(None) };
        let known = KnownOutput::new(Some(said), &JOB, Some(transcript().hash()));
        assert_eq!(known.text_matches(), None);
    }
}
