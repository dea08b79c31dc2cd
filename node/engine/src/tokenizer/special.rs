// SPDX-License-Identifier: Apache-2.0
//! Control and user-defined tokens, whose texts are found before a text is cut.
//!
//! One automaton looks for all of them at once: vocabularies have thousands, and the texts come from clients.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::{collections::BTreeSet, ops::Range};

/// The most bytes of all texts together, for which the automaton needs some 100 MiB. The vocabularies in use
/// have at most 100 KB of them.
const BYTES_MAX: usize = 1 << 20;

/// A piece of text, or a special token in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'t> {
    Text(&'t str),
    Token(u32),
}

/// A special token.
#[derive(Debug)]
struct Token {
    id: u32,
    text: String,
    is_control: bool,
}

/// The special tokens of a vocabulary.
#[derive(Debug)]
pub(crate) struct Special {
    /// The tokens, longest text first.
    tokens: Vec<Token>,
    /// Its patterns are the texts, in the same order.
    automaton: AhoCorasick,
}

impl Special {
    /// Returns these tokens, of which each has an id, a text and says whether it is a control token. An empty
    /// text would be found everywhere, so tokens without text are left out.
    ///
    /// # Errors
    /// Returns a description if the texts are too long together.
    pub(super) fn new<'v>(all: impl Iterator<Item = (u32, &'v str, bool)>) -> Result<Self, String> {
        let named = all.filter(|(_, text, _)| !text.is_empty());
        let token =
            |(id, text, is_control): (u32, &str, bool)| Token { id, text: text.into(), is_control };
        let mut tokens: Vec<Token> = named.map(token).collect();
        let bytes: usize = tokens.iter().map(|token| token.text.len()).sum();
        if bytes > BYTES_MAX {
            return Err(format!(
                "the control and user-defined tokens have {bytes} bytes of text, and at most {BYTES_MAX} are supported"
            ));
        }
        tokens.sort_by_key(|token| std::cmp::Reverse(token.text.len()));
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(tokens.iter().map(|token| &token.text))
            .map_err(|error| error.to_string())?;
        Ok(Self { tokens, automaton })
    }

    /// Returns the texts of the control tokens, longest first.
    pub(crate) fn control_texts(&self) -> impl Iterator<Item = &str> {
        let control = self.tokens.iter().filter(|token| token.is_control);
        control.map(|token| token.text.as_str())
    }

    /// Returns the control tokens with this text.
    pub(crate) fn controls_with_text<'s>(
        &'s self,
        text: &'s [u8],
    ) -> impl Iterator<Item = u32> + 's {
        let named = move |token: &&Token| token.is_control && token.text.as_bytes() == text;
        self.tokens.iter().filter(named).map(|token| token.id)
    }

    /// Returns the places of all control tokens in a text, overlapping ones too.
    pub(crate) fn controls_in<'t>(
        &'t self,
        text: &'t str,
    ) -> impl Iterator<Item = Range<usize>> + 't {
        let all = self.automaton.find_overlapping_iter(text);
        all.filter(|found| self.tokens[found.pattern()].is_control).map(|found| found.range())
    }

    /// Cuts a text at its special tokens, as llama.cpp does: first at all occurrences of the
    /// longest, then the remaining pieces at those of the next. Control tokens are found only if
    /// `control` is set.
    pub(super) fn cut<'t>(&self, text: &'t str, control: bool) -> Vec<Part<'t>> {
        let mut occurs = vec![false; self.tokens.len()];
        for found in self.automaton.find_overlapping_iter(text) {
            occurs[found.pattern()] = true;
        }
        let mut parts = match text {
            "" => vec![],
            _ => vec![Part::Text(text)],
        };
        for (token, occurs) in self.tokens.iter().zip(occurs) {
            if occurs && (control || !token.is_control) {
                parts = cut(parts, token);
            }
        }
        parts
    }

    /// Returns the control tokens of a text, in their order.
    pub(crate) fn control_tokens(&self, text: &str) -> Vec<u32> {
        let token = |part| match part {
            Part::Token(token) => Some(token),
            Part::Text(_) => None,
        };
        let controls = self.tokens.iter().filter(|token| token.is_control);
        let controls: BTreeSet<u32> = controls.map(|token| token.id).collect();
        let tokens = self.cut(text, true).into_iter().filter_map(token);
        tokens.filter(|id| controls.contains(id)).collect()
    }
}

/// Cuts the texts among some parts at each occurrence of a token's text.
fn cut<'t>(parts: Vec<Part<'t>>, token: &Token) -> Vec<Part<'t>> {
    let mut cut = Vec::with_capacity(parts.len());
    for part in parts {
        let Part::Text(text) = part else {
            cut.push(part);
            continue;
        };
        for (i, piece) in text.split(&token.text).enumerate() {
            if i > 0 {
                cut.push(Part::Token(token.id));
            }
            if !piece.is_empty() {
                cut.push(Part::Text(piece));
            }
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn special(all: &[(&str, bool)]) -> Special {
        let all = all.iter().zip(259..).map(|(&(text, is_control), id)| (id, text, is_control));
        Special::new(all).unwrap()
    }

    #[test]
    fn cut_is_at_the_longest_token_first() {
        let special = special(&[("ab", false), ("bcd", false)]);
        let parts = special.cut("abcdab", false);
        assert_eq!(parts, [Part::Text("a"), Part::Token(260), Part::Token(259)]);
        assert!(special.cut("", true).is_empty());
    }

    #[test]
    fn cut_finds_control_tokens_only_where_asked() {
        let special = special(&[("<|end|>", true), ("", true)]);
        assert_eq!(special.cut("a<|end|>", false), [Part::Text("a<|end|>")]);
        assert_eq!(special.cut("a<|end|>", true), [Part::Text("a"), Part::Token(259)]);
    }

    #[test]
    fn controls_are_found_where_they_overlap_and_nothing_else_is() {
        let special = special(&[("aa", true), ("aaa", true), ("b", false)]);
        let found: Vec<_> = special.controls_in("aaab").collect();
        assert_eq!(found, [0..2, 0..3, 1..3]);
        assert_eq!(special.control_texts().collect::<Vec<_>>(), ["aaa", "aa"]);
        assert_eq!(special.control_tokens("baab"), [259]);
    }

    #[test]
    fn texts_that_are_too_long_are_refused() {
        let long = "a".repeat(BYTES_MAX);
        assert!(Special::new([(0, &*long, true)].into_iter()).is_ok());
        let problem = Special::new([(0, &*long, true), (1, "b", false)].into_iter()).unwrap_err();
        assert!(problem.contains(&(BYTES_MAX + 1).to_string()), "{problem}");
    }

    proptest! {
        #[test]
        fn cut_takes_each_token_wherever_the_longer_ones_leave_it(
            texts in prop::collection::vec("[ab<]{1,4}", 1..8),
            text in "[ab<c]{0,40}",
        ) {
            let texts: Vec<_> = texts.iter().map(|text| (text.as_str(), false)).collect();
            let special = special(&texts);
            let mut expected = vec![Part::Text(text.as_str())];
            expected.retain(|part| *part != Part::Text(""));
            for token in &special.tokens {
                expected = cut(expected, token);
            }
            prop_assert_eq!(special.cut(&text, false), expected);
        }
    }
}
