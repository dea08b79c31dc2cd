// SPDX-License-Identifier: Apache-2.0
//! The log probabilities of an output's tokens, as numbers whose natural exponential is the probability.

use crate::out;
use assay_engine::Model;
use assay_primitives::worker::{Likely, Transcript};
use serde_json::{json, Value};
use std::io;

/// The value 1.0 in the fixed point of a transcript. A quotient by it is exact.
const ONE: f64 = 65_536.0;

/// A token with its log probability.
struct Named {
    token: u32,
    /// The text of the token, where the model is open.
    text: Option<String>,
    logprob: i32,
}

/// The log probabilities of an output's tokens.
pub struct Logprobs(Vec<(Named, Vec<Named>)>);

impl Named {
    fn new(model: Option<&Model>, token: u32, logprob: i32) -> Self {
        let text = |model: &Model| String::from_utf8_lossy(&model.detokenize(&[token])).into();
        Self { token, text: model.map(text), logprob }
    }

    fn natural(&self) -> f64 {
        f64::from(self.logprob) / ONE
    }

    fn name(&self) -> String {
        match &self.text {
            Some(text) => format!("{} {text:?}", self.token),
            None => self.token.to_string(),
        }
    }

    fn json(&self) -> Value {
        json!({ "token": self.token, "text": self.text, "logprob": self.natural() })
    }
}

impl Logprobs {
    /// Returns the log probabilities in a transcript, with the texts of the tokens if a model is open; `None` if
    /// it has none, or not for each token.
    pub fn of(transcript: &Transcript, model: Option<&Model>) -> Option<Self> {
        let by_token = transcript.logprobs.by_token(transcript.output.len())?;
        let likely = |likely: &Likely| Named::new(model, likely.token, likely.logprob);
        let position = |(&token, (logprob, top)): (&u32, (i32, &[Likely]))| {
            (Named::new(model, token, logprob), top.iter().map(likely).collect())
        };
        Some(Self(transcript.output.iter().zip(by_token).map(position).collect()))
    }

    /// Returns them as JSON: for each token its id, text and log probability, and those of the likeliest.
    pub fn json(&self) -> Value {
        let position = |(own, top): &(Named, Vec<Named>)| {
            let mut object = own.json();
            object["top"] = top.iter().map(Named::json).collect();
            object
        };
        self.0.iter().map(position).collect()
    }

    /// Writes the table below an empty line.
    pub fn show(&self) -> io::Result<()> {
        out::line("")?;
        self.table().iter().try_for_each(|line| out::line(line))
    }

    /// Returns a table: a line for each token, below its head.
    fn table(&self) -> Vec<String> {
        let likely = |one: &Named| format!("{} {:.4}", one.name(), one.natural());
        let head = ("Token".to_string(), "ln p".to_string(), "Likeliest".to_string());
        let rows = self.0.iter().map(|(own, top)| {
            let top: Vec<String> = top.iter().map(likely).collect();
            (own.name(), format!("{:.4}", own.natural()), top.join(", "))
        });
        let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
        let first = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or_default();
        let second = rows.iter().map(|row| row.1.len()).max().unwrap_or_default();
        let line = |(token, logprob, top): &(String, String, String)| {
            format!("{token:first$}  {logprob:>second$}  {top}")
        };
        rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::transcript;
    use assay_primitives::worker::Logprobs as Claimed;

    fn asked() -> Transcript {
        let likely = |token, logprob| Likely { token, logprob };
        let top = vec![likely(66, -16_384), likely(10, -131_072)];
        Transcript { logprobs: Claimed { chosen: vec![-16_384], top }, ..transcript() }
    }

    #[test]
    fn json_has_natural_logarithms_and_the_texts_of_an_open_model() {
        let shown = Logprobs::of(&asked(), None).unwrap().json();
        let token =
            |token: u32, logprob: f64| json!({ "token": token, "text": null, "logprob": logprob });
        let mut own = token(66, -0.25);
        own["top"] = json!([token(66, -0.25), token(10, -2.0)]);
        assert_eq!(shown, json!([own]));
        let tiny = Model::tiny().unwrap();
        let shown = Logprobs::of(&asked(), Some(&tiny)).unwrap().json();
        assert_eq!((&shown[0]["text"], &shown[0]["top"][1]["text"]), (&"B".into(), &"\n".into()));
    }

    #[test]
    fn table_has_a_line_for_each_token() {
        let shown = Logprobs::of(&asked(), None).unwrap().table();
        assert_eq!(shown, ["Token     ln p  Likeliest", "66     -0.2500  66 -0.2500, 10 -2.0000"]);
        let tiny = Model::tiny().unwrap();
        let shown = Logprobs::of(&asked(), Some(&tiny)).unwrap().table();
        assert_eq!(shown[1], r#"66 "B"  -0.2500  66 "B" -0.2500, 10 "\n" -2.0000"#);
    }

    #[test]
    fn output_without_them_shows_none() {
        assert!(Logprobs::of(&transcript(), None).is_none());
        let mut fewer = asked();
        fewer.output.push(66);
        assert!(Logprobs::of(&fewer, None).is_none());
    }
}
