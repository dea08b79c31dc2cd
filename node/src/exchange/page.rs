// SPDX-License-Identifier: Apache-2.0
//! The pages in which the tokens of an output travel.

use assay_primitives::{FinishReason, JobId};
use assay_worker::{StreamState, Worker};
use codec::{Decode, Encode};

/// The most tokens of a page.
pub const PAGE_TOKENS: usize = 4096;

/// A part of an output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Page {
    /// The index of the first token.
    pub index: u32,
    /// The tokens.
    pub tokens: Vec<u32>,
    /// The reason why the output ends with this page; `None` while more tokens may come.
    pub finish: Option<FinishReason>,
}

impl Page {
    /// Returns the page that starts at `index`.
    pub fn of(state: &StreamState, index: u32) -> Self {
        let start = (index as usize).min(state.tokens.len());
        let end = start.saturating_add(PAGE_TOKENS).min(state.tokens.len());
        Self {
            index: start as u32,
            tokens: state.tokens[start..end].to_vec(),
            finish: state.finish.filter(|_| end == state.tokens.len()),
        }
    }

    /// Returns whether this can be the page at `index` of an output of at most `most` tokens.
    pub fn answers(&self, index: u32, most: u32) -> bool {
        let count = self.tokens.len();
        let left = most.checked_sub(index);
        self.index == index
            && count <= PAGE_TOKENS
            && left.is_some_and(|left| count <= left as usize)
    }
}

/// Returns a page of a job's output that this node itself has.
pub fn local_page(worker: &Worker, job: &JobId, index: u32) -> Option<Page> {
    if let Some(stream) = worker.stream(job) {
        return Some(stream.read(|state| Page::of(state, index)));
    }
    let transcript = worker.output(job)?;
    let state = StreamState { tokens: transcript.output, finish: Some(transcript.finish) };
    Some(Page::of(&state, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_the_tokens_from_its_index_on() {
        let mut state = StreamState { tokens: vec![1, 2, 3], finish: None };
        assert_eq!(Page::of(&state, 1).tokens, [2, 3]);
        assert_eq!(Page::of(&state, 9), Page { index: 3, ..Default::default() });
        state.finish = Some(FinishReason::Length);
        assert_eq!(Page::of(&state, 3).finish, Some(FinishReason::Length));
    }

    #[test]
    fn long_output_comes_in_pages_and_ends_with_the_last() {
        let state = StreamState {
            tokens: (0..PAGE_TOKENS as u32 + 1).collect(),
            finish: Some(FinishReason::EndToken),
        };
        let first = Page::of(&state, 0);
        assert_eq!((first.tokens.len(), first.finish), (PAGE_TOKENS, None));
        let last = Page::of(&state, PAGE_TOKENS as u32);
        assert_eq!((last.tokens.len(), last.finish), (1, Some(FinishReason::EndToken)));
    }

    #[test]
    fn page_that_cannot_be_the_answer_is_refused() {
        let page = |index, count| Page { index, tokens: vec![1; count], finish: None };
        assert!(page(4, 6).answers(4, 10) && page(4, 0).answers(4, 4));
        assert!(!page(4, 7).answers(4, 10), "more tokens than the job may have");
        assert!(!page(5, 1).answers(4, 10), "from another index");
        assert!(!page(4, 0).answers(4, 3), "beyond the end");
        assert!(page(0, PAGE_TOKENS).answers(0, u32::MAX));
        assert!(!page(0, PAGE_TOKENS + 1).answers(0, u32::MAX), "more than a page");
    }
}
