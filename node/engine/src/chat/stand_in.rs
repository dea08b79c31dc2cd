// SPDX-License-Identifier: Apache-2.0
//! Characters that stand for others while a template is rendered.
//!
//! A control token is found wherever its text occurs. So in the users' text its first character is
//! replaced by one that occurs nowhere else, which is restored when control tokens have been found.
//! This is done wherever such a text begins, and wherever one could begin that the text after the
//! message would complete. The rest of a message stays as it was written, and no control token
//! begins in it.

use crate::EngineError;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// The stand-ins for the first characters of control tokens.
#[derive(Debug)]
pub(super) struct StandIns<'c> {
    /// The control tokens that begin with a character, and its stand-in.
    controls: BTreeMap<char, (Vec<&'c str>, char)>,
    originals: BTreeMap<char, char>,
}

/// Returns characters without a meaning: Unicode's non-characters, and its planes for private use.
fn unassigned() -> impl Iterator<Item = char> {
    let non_characters = '\u{fdd0}'..='\u{fdef}';
    non_characters.chain('\u{f0000}'..='\u{ffffd}').chain('\u{100000}'..='\u{10fffd}')
}

impl<'c> StandIns<'c> {
    /// Selects stand-ins for these control tokens that occur in none of the texts.
    ///
    /// # Errors
    /// Returns [`EngineError::ChatTemplate`] if the texts leave too few unused characters.
    pub(super) fn new<'t>(
        controls: impl Iterator<Item = &'c str>,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<Self, EngineError> {
        let mut by_first = BTreeMap::<char, Vec<&str>>::new();
        let mut used: BTreeSet<char> = texts.flat_map(str::chars).collect();
        for control in controls {
            used.extend(control.chars());
            if let Some(first) = control.chars().next() {
                by_first.entry(first).or_default().push(control);
            }
        }
        let mut free = unassigned().filter(|c| !used.contains(c));
        let mut stand_ins = Self { controls: BTreeMap::new(), originals: BTreeMap::new() };
        for (first, controls) in by_first {
            let stand_in = free.next().ok_or_else(|| EngineError::ChatTemplate {
                problem: "the messages use every character that could stand for a control token"
                    .into(),
            })?;
            stand_ins.controls.insert(first, (controls, stand_in));
            stand_ins.originals.insert(stand_in, first);
        }
        Ok(stand_ins)
    }

    /// Returns the text changed so that no control token begins in it.
    pub(super) fn hide(&self, text: &str) -> String {
        // A template may trim white space.
        let bare = text.trim_end();
        let begins = |at: usize, controls: &[&str]| {
            let (rest, bare) = (&text[at..], bare.get(at..).unwrap_or_default());
            let completed = |control: &&str, end: &str| !end.is_empty() && control.starts_with(end);
            controls.iter().any(|control| {
                rest.starts_with(control) || completed(control, rest) || completed(control, bare)
            })
        };
        let hidden = |(at, c): (usize, char)| match self.controls.get(&c) {
            Some((controls, stand_in)) if begins(at, controls) => *stand_in,
            _ => c,
        };
        text.char_indices().map(hidden).collect()
    }

    /// Returns the text with its hidden characters restored.
    pub(super) fn restore<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !text.contains(|c: char| self.originals.contains_key(&c)) {
            return text.into();
        }
        text.chars().map(|c| self.originals.get(&c).copied().unwrap_or(c)).collect()
    }
}
