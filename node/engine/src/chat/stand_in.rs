// SPDX-License-Identifier: Apache-2.0
//! Characters that stand for others while a template is rendered.
//!
//! A control token is found wherever its text occurs. So in the users' text its first character is
//! replaced by one that occurs nowhere else, which is restored when control tokens have been found.
//! This is done wherever such a text begins, and wherever one could begin that the text after the
//! message would complete. The rest of a message stays as it was written, since templates look for words in
//! it, and no control token begins in it.
//!
//! A template that deletes parts of a text, such as `text.split('|')`, could still join the rest to a control
//! token. So where a text has such a first character left, the chat is rendered a second time with all of them
//! replaced, and is refused if its control tokens are others: see [`super::rendered`]. Letters, digits and `_` are
//! left, since the names of fields consist of them.
//!
//! Some templates make control tokens of roles, such as `<|` + role + `|>`. So the first character of a
//! role that is a part of a control token, or begins with the end of one, is replaced as well, unless the
//! role is one of [`ROLES`].
//!
//! So a control token whose first character comes from a user is never found. A template that writes that
//! character itself can still make one of what follows, such as one that frames contents or the names of tools
//! (`'<' ~ name ~ '>'`), or replaces `&lt;`.

use crate::{tokenizer::Special, EngineError};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
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
    special: &'c Special,
    controls: BTreeSet<&'c str>,
    /// The number of bytes of the longest control token.
    longest: usize,
    /// The first characters of control tokens, and their stand-ins.
    firsts: BTreeMap<char, char>,
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
    /// Selects stand-ins for the control tokens, and for the roles, that occur in none of the texts.
    ///
    /// # Errors
    /// Returns [`EngineError::ChatTemplate`] if the texts leave too few unused characters.
    pub(super) fn new<'t>(
        special: &'c Special,
        texts: impl Iterator<Item = &'t str>,
        roles: impl Iterator<Item = &'t str>,
    ) -> Result<Self, EngineError> {
        let controls: BTreeSet<&str> = special.control_texts().collect();
        let in_controls: BTreeSet<char> = controls.iter().flat_map(|text| text.chars()).collect();
        let mut used: BTreeSet<char> = texts.flat_map(str::chars).collect();
        used.extend(&in_controls);
        let mut free = unassigned().filter(|c| !used.contains(c));
        let mut free = || {
            free.next().ok_or_else(|| EngineError::ChatTemplate {
                problem: "the messages use every character that could stand for a control token"
                    .into(),
            })
        };
        let longest = controls.iter().map(|text| text.len()).max().unwrap_or(0);
        let mut stand_ins = Self {
            special,
            controls,
            longest,
            firsts: BTreeMap::new(),
            roles: BTreeMap::new(),
            originals: BTreeMap::new(),
        };
        let roles = roles.filter_map(|role| role.trim().chars().next());
        let roles: BTreeSet<char> = roles.filter(|first| in_controls.contains(first)).collect();
        for first in roles {
            let stand_in = free()?;
            let ends =
                |control: &&'c str| control.match_indices(first).map(|(at, _)| &control[at..]);
            let ends = stand_ins.controls.iter().flat_map(ends).collect();
            stand_ins.roles.insert(first, (ends, stand_in));
            stand_ins.originals.insert(stand_in, first);
        }
        let firsts = stand_ins.controls.iter().filter_map(|text| text.chars().next());
        for first in firsts.collect::<BTreeSet<char>>() {
            let stand_in = free()?;
            stand_ins.firsts.insert(first, stand_in);
            stand_ins.originals.insert(stand_in, first);
        }
        Ok(stand_ins)
    }

    /// Returns the text changed so that no control token begins in it.
    pub(super) fn hide(&self, text: &str) -> String {
        let mut begins: BTreeSet<usize> =
            self.special.controls_in(text).map(|place| place.start).collect();
        // A template may trim white space.
        for text in [text, text.trim_end()] {
            begins.extend(self.completed(text));
        }
        self.replaced(text, |at| begins.contains(&at))
    }

    /// Returns a hidden text with the first characters of control tokens replaced, except those that names have.
    pub(super) fn hide_all(&self, hidden: &str) -> String {
        let replaced = |c: char| match self.firsts.get(&c) {
            Some(stand_in) if !is_of_name(c) => *stand_in,
            _ => c,
        };
        hidden.chars().map(replaced).collect()
    }

    /// Returns whether [`Self::hide_all`] changes the text.
    pub(super) fn has_first(&self, text: &str) -> bool {
        text.contains(|c: char| !is_of_name(c) && self.firsts.contains_key(&c))
    }

    /// Returns where the ends of a text begin that are the beginnings of control tokens.
    fn completed<'t>(&'t self, text: &'t str) -> impl Iterator<Item = usize> + 't {
        let last = text.char_indices().rev();
        let last = last.map(|(at, _)| at).take_while(|at| text.len() - at < self.longest);
        last.filter(|&at| begins_one(&self.controls, &text[at..]))
    }

    /// Returns the text with the first characters of control tokens replaced at these places.
    fn replaced(&self, text: &str, here: impl Fn(usize) -> bool) -> String {
        let replaced = |(at, c)| match self.firsts.get(&c) {
            Some(stand_in) if here(at) => *stand_in,
            _ => c,
        };
        text.char_indices().map(replaced).collect()
    }

    /// Returns a role changed so that no control token is made of it, unless it is one of [`ROLES`].
    pub(super) fn hide_role(&self, role: &str) -> String {
        let hidden = self.hide(role);
        // A template may trim white space.
        let bare = role.trim();
        let known = bare.chars().next().and_then(|first| self.roles.get(&first));
        let Some((ends, stand_in)) = known.filter(|_| !is_known(role)) else {
            return hidden;
        };
        let bounds = bare.char_indices().map(|(at, c)| at + c.len_utf8());
        let mut beginnings = bounds.take_while(|&end| end <= self.longest).map(|end| &bare[..end]);
        if !begins_one(ends, bare) && !beginnings.any(|text| ends.contains(text)) {
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

/// Returns whether the names of fields consist of such characters.
fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns whether a template may make a control token of a role.
pub(super) fn is_known(role: &str) -> bool {
    ROLES.contains(&role.trim())
}

/// Returns whether one of the texts begins with this one.
fn begins_one(texts: &BTreeSet<&str>, text: &str) -> bool {
    let from = (Bound::Included(text), Bound::Unbounded);
    texts.range::<str, _>(from).next().is_some_and(|next| next.starts_with(text))
}
