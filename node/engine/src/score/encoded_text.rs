// SPDX-License-Identifier: Apache-2.0
//! A text as the tokens that the model encodes, one window after the other.

use super::frequency::{part, uniform};
use crate::{range_coder::Part, EngineError, Limits, Model, Row, Session, Threads};
use std::sync::atomic::AtomicBool;

/// The longest window in tokens, which bounds the memory for a text.
const WINDOW: usize = 2048;

/// A text as tokens.
pub(super) struct EncodedText {
    /// The tokens before the text.
    pub opening: Vec<u32>,
    /// The tokens that are encoded.
    pub tokens: Vec<u32>,
}

/// Tokens `from..to` of a text, of which the window before has encoded those before `new`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub from: usize,
    pub new: usize,
    pub to: usize,
}

impl EncodedText {
    /// Returns the tokens of a text, if they restore it.
    pub(super) fn new(model: &Model, text: &[u8]) -> Option<Self> {
        let tokenizer = model.tokenizer();
        let tokens = tokenizer.encode_bare(text).ok()?;
        let restored = !tokens.is_empty() && tokenizer.decode_bare(&tokens) == text;
        restored.then(|| Self { opening: tokenizer.opening(), tokens })
    }

    /// Returns the number of tokens of the text in a window: at least two, one that is known and
    /// one that is encoded.
    pub(super) fn room(model: &Model, opening: usize) -> usize {
        let window = model.shape().context.min(WINDOW);
        window.saturating_sub(opening).max(2)
    }

    /// Returns the number of tokens of a window that go through the model: the last is encoded and
    /// not sent.
    pub(super) fn capacity(room: usize, opening: usize, tokens: usize) -> usize {
        opening + room.min(tokens) - 1
    }
}

/// Returns the windows of a text of `tokens` tokens with `room` for each.
pub(super) fn windows(tokens: usize, room: usize) -> impl Iterator<Item = Window> {
    let first = Window { from: 0, new: 0, to: room.min(tokens) };
    std::iter::successors((tokens > 0).then_some(first), move |last| {
        let from = last.to - room.min(last.to) / 2;
        let next = Window { from, new: last.to, to: (from + room).min(tokens) };
        (last.to < tokens).then_some(next)
    })
}

/// Calls `visit` with the part of each token of a text, in order.
pub(super) fn for_each_part(
    (model, threads): (&Model, &Threads),
    text: &EncodedText,
    limits: &Limits,
    cancel: &AtomicBool,
    visit: &mut dyn FnMut(Part),
) -> Result<(), EngineError> {
    let EncodedText { opening, tokens } = text;
    let room = EncodedText::room(model, opening.len());
    let capacity = EncodedText::capacity(room, opening.len(), tokens.len());
    let mut session = Session::new(model, threads, capacity, limits)?;
    for Window { from, new, to } in windows(tokens.len(), room) {
        session.truncate(0);
        // The row after this many tokens of the window encodes the first new token.
        let known = opening.len() + new - from;
        if known == 0 {
            visit(uniform(model.info().vocab_size, tokens[0]));
        }
        let sent = [opening.as_slice(), &tokens[from..to - 1]].concat();
        let wanted = |index: usize| index + 1 >= known;
        let judge =
            |row: Row<'_>| part(row.logits, tokens[from + row.position + 1 - opening.len()]);
        session.forward(&sent, limits, cancel, &wanted, &judge)?.into_iter().for_each(&mut *visit);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn windows_encode_each_token_once(tokens in 0usize..500, room in 2usize..60) {
            let mut encoded = 0;
            for Window { from, new, to } in windows(tokens, room) {
                prop_assert_eq!(new, encoded);
                prop_assert!(to > new && to - from <= room && from <= new);
                // After the first window, half a window precedes each token.
                prop_assert!(new == 0 || new - from == room / 2);
                encoded = to;
            }
            prop_assert_eq!(encoded, tokens);
        }
    }
}
