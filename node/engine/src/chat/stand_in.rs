// SPDX-License-Identifier: Apache-2.0
//! Characters that stand for others while a template is rendered.
//!
//! A control token is found where its text stands, so in what users write its first character is
//! replaced by one that occurs nowhere else, and put back when control tokens have been found. That
//! is done at every place where such a text begins, and where one could begin that what follows the
//! message would complete. All that is left of a message is then as it was written, and no control
//! token begins in it.

use crate::EngineError;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// The stand-ins for the first characters of control tokens.
#[derive(Debug)]
pub(super) struct StandIns<'c> {
    /// The control tokens that begin with a character, and what stands for it.
    controls: BTreeMap<char, (Vec<&'c str>, char)>,
    originals: BTreeMap<char, char>,
}

/// Characters without a meaning: Unicode's non-characters, and its planes for private use.
fn unassigned() -> impl Iterator<Item = char> {
    let non_characters = '\u{fdd0}'..='\u{fdef}';
    non_characters.chain('\u{f0000}'..='\u{ffffd}').chain('\u{100000}'..='\u{10fffd}')
}

impl<'c> StandIns<'c> {
    /// Stand-ins that are in none of the texts, for these control tokens.
    ///
    /// # Errors
    /// [`EngineError::ChatTemplate`] if the texts leave no character for one.
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
                problem: "the messages hold every character that has no meaning".into(),
            })?;
            stand_ins.controls.insert(first, (controls, stand_in));
            stand_ins.originals.insert(stand_in, first);
        }
        Ok(stand_ins)
    }

    /// The text, in which no control token begins.
    pub(super) fn hide(&self, text: &str) -> String {
        // A template may cut white space off.
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

    /// The text with the characters that were hidden.
    pub(super) fn restore<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !text.contains(|c: char| self.originals.contains_key(&c)) {
            return text.into();
        }
        text.chars().map(|c| self.originals.get(&c).copied().unwrap_or(c)).collect()
    }
}
