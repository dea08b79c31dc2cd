// SPDX-License-Identifier: Apache-2.0
//! Where an output ends. Generation and verification ask the same [`EndSearch`].

use crate::{tokenizer::Tokenizer, StopSearch, StopStrings};
use std::sync::Arc;

/// The reason why an output ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FinishReason {
    /// The model chose an end token, which is the last of the output and no stop string names.
    EndToken,
    /// The last token completes the stop string of this index, or is the control token whose text it is, and no
    /// earlier one does.
    Stop(u8),
    /// `max_tokens` tokens were generated, and none is an end token or completes a stop string.
    Length,
}

/// The search for the end of an output, token by token.
///
/// A control token has no bytes, so a stop string that is the text of one could never be completed by it. Such a
/// stop string makes an end token of it instead.
#[derive(Debug)]
pub(crate) struct EndSearch {
    tokenizer: Arc<Tokenizer>,
    stops: StopSearch,
    /// The control tokens that stop strings name, with the index of each string.
    named: Vec<(u32, u8)>,
    /// Whether the output goes on after an end token.
    ignore_end: bool,
}

impl EndSearch {
    /// Begins a search.
    pub(crate) fn new(tokenizer: &Arc<Tokenizer>, stops: &StopStrings, ignore_end: bool) -> Self {
        let special = tokenizer.special();
        let named = stops.texts().zip(0..=u8::MAX).flat_map(|(text, index)| {
            special.controls_with_text(text).map(move |token| (token, index))
        });
        let named = named.collect();
        Self { tokenizer: tokenizer.clone(), stops: StopSearch::new(stops), named, ignore_end }
    }

    /// Takes the next token, and returns the reason if the output ends with it.
    pub(crate) fn push(&mut self, token: u32) -> Option<FinishReason> {
        if let Some((_, index)) = self.named.iter().find(|(named, _)| *named == token) {
            return Some(FinishReason::Stop(*index));
        }
        if !self.ignore_end && self.tokenizer.is_end(token) {
            return Some(FinishReason::EndToken);
        }
        let stop = self.stops.push(self.tokenizer.bytes_of(token));
        stop.map(|stop| FinishReason::Stop(stop.index))
    }
}
