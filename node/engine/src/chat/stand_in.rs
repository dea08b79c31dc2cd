// SPDX-License-Identifier: Apache-2.0
//! Characters that stand for others while a template is rendered.
//!
//! A control token is found wherever its text occurs. So in the users' text its first character is
//! replaced by one that occurs nowhere else, which is restored when control tokens have been found.
//! This is done wherever such a text begins, and wherever one could begin that the text after the
//! message would complete. The rest of a message stays as it was written, and no control token
//! begins in it.
//!
//! Some templates make control tokens of roles, such as `<|` + role + `|>`. So the first character of a
//! role that is a part of a control token, or begins with the end of one, is replaced as well, unless the
//! role is one of [`ROLES`].
//!
//! Two kinds of templates can still make a control token of such text: one that deletes a part of a text, whose
//! rest then joins, and one that frames the keys or texts of tools and arguments, such as `'<' ~ key ~ '>'`.

use crate::EngineError;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// The roles of which a template may make a control token.
const ROLES: [&str; 10] = [
    "assistant",
    "developer",
    "environment",
    "function",
    "ipython",
    "model",
    "observation",
    "system",
    "tool",
    "user",
];

/// The stand-ins for the first characters of control tokens.
#[derive(Debug)]
pub(super) struct StandIns<'c> {
    /// The control tokens that begin with a character, and its stand-in.
    controls: BTreeMap<char, (Vec<&'c str>, char)>,
    /// The ends of control tokens that begin with a character of the beginning of a role, and its stand-in.
    roles: BTreeMap<char, (BTreeSet<&'c str>, char)>,
    originals: BTreeMap<char, char>,
}

/// Returns characters without a meaning: Unicode's non-characters, and its planes for private use.
fn unassigned() -> impl Iterator<Item = char> {
    let non_characters = '\u{fdd0}'..='\u{fdef}';
    non_characters.chain('\u{f0000}'..='\u{ffffd}').chain('\u{100000}'..='\u{10fffd}')
}

impl<'c> StandIns<'c> {
    /// Selects stand-ins for these control tokens, and for the roles, that occur in none of the texts.
    ///
    /// # Errors
    /// Returns [`EngineError::ChatTemplate`] if the texts leave too few unused characters.
    pub(super) fn new<'t>(
        controls: impl Iterator<Item = &'c str>,
        texts: impl Iterator<Item = &'t str>,
        roles: impl Iterator<Item = &'t str>,
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
        let mut free = || {
            free.next().ok_or_else(|| EngineError::ChatTemplate {
                problem: "the messages use every character that could stand for a control token"
                    .into(),
            })
        };
        let mut stand_ins =
            Self { controls: BTreeMap::new(), roles: BTreeMap::new(), originals: BTreeMap::new() };
        let in_controls: BTreeSet<char> =
            by_first.values().flatten().flat_map(|control| control.chars()).collect();
        let firsts = roles.filter_map(|role| role.trim().chars().next());
        let firsts: BTreeSet<char> = firsts.filter(|first| in_controls.contains(first)).collect();
        for first in firsts {
            let stand_in = free()?;
            let ends =
                |control: &&'c str| control.match_indices(first).map(|(at, _)| &control[at..]);
            let ends = by_first.values().flatten().flat_map(ends).collect();
            stand_ins.roles.insert(first, (ends, stand_in));
            stand_ins.originals.insert(stand_in, first);
        }
        for (first, controls) in by_first {
            let stand_in = free()?;
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

    /// Returns a role changed so that no control token is made of it, unless it is one of [`ROLES`].
    pub(super) fn hide_role(&self, role: &str) -> String {
        let hidden = self.hide(role);
        // A template may trim white space.
        let bare = role.trim();
        let known = bare.chars().next().and_then(|first| self.roles.get(&first));
        let Some((ends, stand_in)) = known.filter(|_| !ROLES.contains(&bare)) else {
            return hidden;
        };
        if !ends.iter().any(|end| end.starts_with(bare) || bare.starts_with(end)) {
            return hidden;
        }
        let before = role.chars().take_while(|c| c.is_whitespace()).count();
        let replaced = |(at, c)| if at == before { *stand_in } else { c };
        hidden.chars().enumerate().map(replaced).collect()
    }

    /// Returns the text with its hidden characters restored.
    pub(super) fn restore<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !text.contains(|c: char| self.originals.contains_key(&c)) {
            return text.into();
        }
        text.chars().map(|c| self.originals.get(&c).copied().unwrap_or(c)).collect()
    }
}
