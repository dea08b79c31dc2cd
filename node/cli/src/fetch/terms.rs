// SPDX-License-Identifier: Apache-2.0
//! The terms of a licence that a person accepts before a download.

use super::catalogue::Entry;
use crate::{bounded, fault::Fault, out};
use anyhow::Result;
use std::io::{BufRead, Read};

/// The most bytes of an answer.
const ANSWER_BYTES: usize = 64;

/// Shows the terms of a model, and returns an error unless they are accepted: by an option, or by the answer to a
/// question where a person can be asked. A model without terms needs no answer.
pub fn ensure(entry: &Entry, accepted: bool, person: Option<&mut dyn BufRead>) -> Result<()> {
    let Some(terms) = &entry.terms else { return Ok(()) };
    out::note(&format!("{} comes under the terms at {terms}", entry.title));
    if accepted {
        return Ok(());
    }
    if let Some(person) = person {
        out::note("Do you accept them? Type yes, or anything else to stop:");
        if answer(person)?.trim().eq_ignore_ascii_case("yes") {
            return Ok(());
        }
    }
    Err(Fault::error(
        "terms_not_accepted",
        format!(
            "{} is not fetched, because its terms at {terms} are not accepted; read them, and accept \
             them with --accept-terms",
            entry.name
        ),
    ))
}

/// Reads one line.
fn answer(person: &mut dyn BufRead) -> Result<String> {
    let limit = u64::try_from(ANSWER_BYTES)?.saturating_add(1);
    let mut line = Vec::new();
    person.take(limit).read_until(b'\n', &mut line)?;
    let bytes = bounded::bytes(line.as_slice(), ANSWER_BYTES, "the answer")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::catalogue::Catalogue;
    use std::io::Cursor;

    fn ask(name: &str, accepted: bool, typed: Option<&str>) -> Result<()> {
        let catalogue = Catalogue::built_in().unwrap();
        let mut typed = typed.map(|text| Cursor::new(text.to_string()));
        let person = typed.as_mut().map(|typed| typed as &mut dyn BufRead);
        ensure(catalogue.find(name).unwrap(), accepted, person)
    }

    #[test]
    fn terms_are_accepted_by_option_or_by_answer() {
        assert!(ask("gemma3-270m", true, None).is_ok());
        assert!(ask("gemma3-270m", false, Some("yes\n")).is_ok());
        assert!(ask("smollm2-135m", false, None).is_ok(), "it has no terms");
    }

    #[test]
    fn terms_are_never_accepted_silently() {
        for typed in [None, Some(""), Some("\n"), Some("no\n"), Some("y\n")] {
            let error = ask("gemma3-270m", false, typed).unwrap_err();
            assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "terms_not_accepted");
            let words = ["gemma3-270m", "https://ai.google.dev/gemma/terms", "--accept-terms"];
            assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
        }
        assert!(ask("gemma3-270m", false, Some(&"yes".repeat(1000))).is_err());
    }
}
