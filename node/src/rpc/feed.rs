// SPDX-License-Identifier: Apache-2.0
//! The output of one job as far as this node has followed it, for all its subscribers.

use crate::exchange::PAGE_TOKENS;
use assay_rpc::StreamEnd;
use assay_worker::MAX_PAYLOAD_BYTES;

/// The most bytes of the text of a token, as far as another node's word for it goes. No token of a known
/// vocabulary has more.
const TOKEN_BYTES: usize = 256;
/// The most bytes of the text of a feed. No transcript has more.
const MAX_TEXT_BYTES: usize = MAX_PAYLOAD_BYTES;

/// Returns the most bytes of the text of so many tokens, as far as another node's word for it goes.
pub fn most_text(tokens: usize) -> usize {
    tokens.saturating_mul(TOKEN_BYTES).min(MAX_TEXT_BYTES)
}

/// The output of one job as far as this node has followed it.
#[derive(Debug)]
pub struct Feed {
    tokens: Vec<u32>,
    text: Vec<u8>,
    /// The boundaries of the pieces that arrived, from the beginning to the end, in ascending order.
    marks: Vec<Mark>,
    end: Option<StreamEnd>,
}

/// A boundary between two pieces.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// The number of tokens before it.
    tokens: usize,
    /// The number of bytes of text before it.
    bytes: usize,
}

/// A part of an output.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// The tokens, at most [`PAGE_TOKENS`].
    pub tokens: Vec<u32>,
    /// The bytes of their text; `None` if the part begins within a piece.
    pub bytes: Option<Vec<u8>>,
    /// The reason for which the stream ends with this part.
    pub end: Option<StreamEnd>,
}

impl Feed {
    /// Returns a feed without tokens.
    pub fn new() -> Self {
        let (tokens, text) = (Vec::new(), Vec::new());
        Self { tokens, text, marks: vec![Mark { tokens: 0, bytes: 0 }], end: None }
    }

    /// Returns the number of tokens.
    pub fn len(&self) -> u32 {
        self.tokens.len() as u32
    }

    /// Returns the tokens.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Returns the text of the tokens.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns the reason for which the stream ended; `None` while it goes on.
    pub fn end(&self) -> Option<StreamEnd> {
        self.end
    }

    /// Adds a piece of at most [`PAGE_TOKENS`] tokens. A piece without tokens adds nothing. A text with
    /// which the feed would exceed the most bytes of a transcript is left out.
    pub fn push(&mut self, tokens: &[u32], text: &[u8]) {
        if tokens.is_empty() {
            return;
        }
        self.tokens.extend_from_slice(tokens);
        if self.text.len().saturating_add(text.len()) <= MAX_TEXT_BYTES {
            self.text.extend_from_slice(text);
        }
        self.marks.push(Mark { tokens: self.tokens.len(), bytes: self.text.len() });
    }

    /// Ends the stream.
    pub fn finish(&mut self, end: StreamEnd) {
        self.end.get_or_insert(end);
    }

    /// Returns the part that begins with the token at `index`: whole pieces, or the rest of the piece
    /// that the token is in. Returns `None` if there is nothing to send yet.
    pub fn part(&self, index: u32) -> Option<Part> {
        let start = index as usize;
        if start >= self.tokens.len() {
            let bytes = Some(Vec::new());
            return self.end.map(|end| Part { tokens: Vec::new(), bytes, end: Some(end) });
        }
        let (last, bytes) = match self.marks.binary_search_by_key(&start, |mark| mark.tokens) {
            Ok(first) => {
                let most = start.saturating_add(PAGE_TOKENS);
                let after = self.marks.partition_point(|mark| mark.tokens <= most);
                let last = self.marks[after - 1];
                (last, Some(self.text[self.marks[first].bytes..last.bytes].to_vec()))
            }
            // The token is not the last, so a boundary follows.
            Err(next) => (self.marks[next], None),
        };
        let end = self.end.filter(|_| last.tokens == self.tokens.len());
        Some(Part { tokens: self.tokens[start..last.tokens].to_vec(), bytes, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed() -> Feed {
        let mut feed = Feed::new();
        feed.push(&[1, 2, 3], b"abc");
        feed.push(&[], b"");
        feed.push(&[4], b"");
        feed.push(&[5, 6], b"de");
        feed
    }

    fn part(tokens: &[u32], bytes: Option<&[u8]>, end: Option<StreamEnd>) -> Option<Part> {
        Some(Part { tokens: tokens.to_vec(), bytes: bytes.map(<[u8]>::to_vec), end })
    }

    #[test]
    fn part_from_a_boundary_has_its_text() {
        let feed = feed();
        assert_eq!(feed.part(0), part(&[1, 2, 3, 4, 5, 6], Some(b"abcde"), None));
        assert_eq!(feed.part(3), part(&[4, 5, 6], Some(b"de"), None));
        assert_eq!((feed.part(6), feed.part(9)), (None, None));
    }

    #[test]
    fn part_from_within_a_piece_ends_with_the_piece() {
        assert_eq!(feed().part(1), part(&[2, 3], None, None));
        assert_eq!(feed().part(5), part(&[6], None, None));
    }

    #[test]
    fn end_comes_with_the_last_part_and_the_first_end_stays() {
        let mut feed = feed();
        feed.finish(StreamEnd::Stop);
        feed.finish(StreamEnd::TimedOut);
        assert_eq!(feed.part(1), part(&[2, 3], None, None));
        assert_eq!(feed.part(3), part(&[4, 5, 6], Some(b"de"), Some(StreamEnd::Stop)));
        assert_eq!(feed.part(6), part(&[], Some(b""), Some(StreamEnd::Stop)));
        assert_eq!(feed.part(9), part(&[], Some(b""), Some(StreamEnd::Stop)));
    }

    #[test]
    fn text_of_a_feed_is_limited() {
        let mut feed = Feed::new();
        let half = vec![b'x'; MAX_TEXT_BYTES / 2];
        for token in 0..3 {
            feed.push(&[token], &half);
        }
        feed.push(&[3], b"");
        assert_eq!((feed.len(), feed.text().len()), (4, MAX_TEXT_BYTES));
        assert_eq!((most_text(2), most_text(usize::MAX)), (2 * TOKEN_BYTES, MAX_TEXT_BYTES));
    }

    #[test]
    fn long_output_comes_in_parts_of_a_page() {
        let mut feed = Feed::new();
        feed.push(&[0], b"x");
        feed.push(&vec![1; PAGE_TOKENS], b"y");
        feed.push(&[2; 5], b"z");
        feed.finish(StreamEnd::Length);
        let mut index = 0;
        let mut text = Vec::new();
        let mut sizes = Vec::new();
        loop {
            let part = feed.part(index).expect("it has not ended");
            sizes.push(part.tokens.len());
            index += part.tokens.len() as u32;
            text.extend(part.bytes.expect("the parts are whole pieces"));
            if part.end.is_some() {
                break;
            }
        }
        assert_eq!((sizes, text), (vec![1, PAGE_TOKENS, 5], b"xyz".to_vec()));
    }
}
