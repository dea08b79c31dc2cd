// SPDX-License-Identifier: Apache-2.0
//! Stop strings: where an output completes the first of them, and which part of it is shown.
//!
//! Both are pure functions of the bytes of the output's tokens. So the operator, each verifier and the
//! client find the same, in whatever pieces the bytes arrive. The prompt is not searched.

use std::sync::Arc;

/// The stop strings of a request, prepared so that each byte of an output takes constant time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopStrings(Option<Arc<[Pattern]>>);

/// A stop string. An empty one is never completed.
#[derive(Debug, PartialEq, Eq)]
struct Pattern {
    bytes: Vec<u8>,
    /// For each length of a matched beginning, the length of the longest shorter beginning that is also
    /// its end (Knuth, Morris, Pratt).
    shorter: Vec<u32>,
}

impl Pattern {
    fn new(bytes: Vec<u8>) -> Self {
        let mut pattern = Self { shorter: vec![0; bytes.len() + 1], bytes };
        let mut matched = 0;
        for at in 1..pattern.bytes.len() {
            matched = pattern.after(matched, pattern.bytes[at]);
            pattern.shorter[at + 1] = matched;
        }
        pattern
    }

    /// Returns the length of the beginning that is matched after one more byte; `matched` bytes, and not
    /// all, were matched before.
    fn after(&self, mut matched: u32, byte: u8) -> u32 {
        loop {
            if self.bytes.get(matched as usize) == Some(&byte) {
                return matched + 1;
            }
            if matched == 0 {
                return 0;
            }
            matched = self.shorter[matched as usize];
        }
    }
}

impl StopStrings {
    /// No stop strings.
    pub const NONE: Self = Self(None);

    /// Prepares stop strings, whose order is that of the request.
    pub fn new(strings: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        let patterns: Arc<[Pattern]> =
            strings.into_iter().map(|bytes| Pattern::new(bytes.into())).collect();
        Self((!patterns.is_empty()).then_some(patterns))
    }

    /// Returns the stop strings in the order of the request.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.patterns().iter().map(|pattern| &*pattern.bytes)
    }

    fn patterns(&self) -> &[Pattern] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the part of an output's bytes that is shown: those before the stop string that is completed
    /// first, or all.
    pub fn shown<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        match StopSearch::new(self).push(bytes) {
            Some(stop) => &bytes[..stop.begin],
            None => bytes,
        }
    }
}

/// The stop string that an output completes first. Of several that end with the same byte it is the
/// longest, and of equal ones the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The index of the stop string.
    pub index: u8,
    /// The number of bytes of the output before it.
    pub begin: usize,
}

/// The search for the first stop string in an output whose bytes arrive in pieces.
#[derive(Clone, Debug)]
pub struct StopSearch {
    strings: StopStrings,
    /// The number of bytes of each stop string that the output ends with.
    matched: Vec<u32>,
    read: usize,
    stop: Option<Stop>,
}

impl StopSearch {
    /// Begins a search.
    pub fn new(strings: &StopStrings) -> Self {
        let matched = vec![0; strings.patterns().len()];
        Self { strings: strings.clone(), matched, read: 0, stop: None }
    }

    /// Takes the next bytes, and returns the stop string once one is completed. Later bytes change
    /// nothing.
    pub fn push(&mut self, bytes: &[u8]) -> Option<Stop> {
        if self.matched.is_empty() {
            return None;
        }
        for &byte in bytes {
            if self.stop.is_some() {
                break;
            }
            self.read += 1;
            let mut longest = 0;
            for (index, (pattern, matched)) in
                self.strings.patterns().iter().zip(&mut self.matched).enumerate()
            {
                *matched = pattern.after(*matched, byte);
                let length = *matched as usize;
                if length == pattern.bytes.len() && length > longest {
                    longest = length;
                    // A request has at most 16 of them.
                    let index = u8::try_from(index).unwrap_or(u8::MAX);
                    self.stop = Some(Stop { index, begin: self.read - length });
                }
            }
        }
        self.stop
    }

    /// Returns the number of bytes at the end that may be the beginning of a stop string.
    fn open(&self) -> usize {
        self.matched.iter().max().map_or(0, |&length| length as usize)
    }
}

/// A filter that shows the bytes of an output as they arrive, up to the first stop string. Bytes that
/// could still become a stop string are held back.
#[derive(Clone, Debug)]
pub struct Stops {
    search: StopSearch,
    held: Vec<u8>,
}

impl Default for Stops {
    fn default() -> Self {
        Self::new(&StopStrings::NONE)
    }
}

impl Stops {
    /// Returns a filter that stops at the first of these strings.
    pub fn new(strings: &StopStrings) -> Self {
        Self { search: StopSearch::new(strings), held: Vec::new() }
    }

    /// Returns whether a stop string has occurred. Nothing is shown from then on.
    pub fn stopped(&self) -> bool {
        self.search.stop.is_some()
    }

    /// Takes the next bytes of the output and returns those that can be shown now.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.stopped() {
            return Vec::new();
        }
        self.held.extend_from_slice(bytes);
        // The held bytes end where the pushed ones do.
        let before = self.search.read + bytes.len() - self.held.len();
        let shown = match self.search.push(bytes) {
            Some(stop) => {
                // `finish` may have shown the beginning of the stop string already.
                self.held.truncate(stop.begin.saturating_sub(before));
                self.held.len()
            }
            // After `finish`, fewer bytes are held than may begin a stop string.
            None => self.held.len().saturating_sub(self.search.open()),
        };
        let rest = self.held.split_off(shown);
        std::mem::replace(&mut self.held, rest)
    }

    /// Returns the bytes that are held back, when the output has ended.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strings<'s>(stops: impl IntoIterator<Item = &'s str>) -> StopStrings {
        StopStrings::new(stops)
    }

    /// Returns all that is shown of a stream that arrives in pieces of `size` bytes.
    fn shown(stops: &StopStrings, bytes: &[u8], size: usize) -> (Vec<u8>, bool) {
        let mut filter = Stops::new(stops);
        let mut shown: Vec<u8> = bytes.chunks(size).flat_map(|piece| filter.push(piece)).collect();
        let stopped = filter.stopped();
        shown.extend(filter.finish());
        (shown, stopped)
    }

    #[test]
    fn push_after_the_end_shows_what_comes() {
        let mut stops = Stops::new(&strings(["\n\n"]));
        assert_eq!(stops.push(b"Hello\n"), b"Hello");
        assert_eq!(stops.finish(), b"\n");
        assert_eq!(stops.push(b""), b"");
        assert_eq!(stops.push(b"p"), b"p");
    }

    #[test]
    fn push_holds_back_what_could_become_a_stop() {
        let mut stops = Stops::new(&strings(["</s>", "\n\nUser:"]));
        assert_eq!(stops.push(b"Hello </"), b"Hello ");
        assert_eq!(stops.push(b"b> \n"), b"</b> ");
        assert_eq!(stops.push(b"\nUse"), b"");
        assert_eq!(stops.push(b"r: more"), b"");
        assert!(stops.stopped());
        assert_eq!(stops.push(b"more"), b"");
        assert_eq!(stops.finish(), b"");
    }

    #[test]
    fn finish_shows_what_was_held_back() {
        let mut stops = Stops::new(&strings(["stop"]));
        assert_eq!(stops.push(b"sto"), b"");
        assert_eq!(stops.finish(), b"sto");
        assert_eq!(Stops::default().push(b"all"), b"all");
    }

    #[test]
    fn first_of_equal_and_longest_of_nested_stops_is_named() {
        let found = |stops: &[&str], text: &str| {
            StopSearch::new(&strings(stops.iter().copied())).push(text.as_bytes())
        };
        assert_eq!(found(&["b", "ab", "ab"], "xab"), Some(Stop { index: 1, begin: 1 }));
        assert_eq!(found(&["abc", "b"], "abc"), Some(Stop { index: 1, begin: 1 }));
        assert_eq!(found(&["", "c"], "abc"), Some(Stop { index: 1, begin: 2 }));
        assert_eq!(found(&["aab"], "aaab"), Some(Stop { index: 0, begin: 1 }));
        assert_eq!(found(&["d", ""], "abc"), None);
        assert_eq!(found(&[], "abc"), None);
    }

    proptest! {
        #[test]
        fn output_ends_before_the_first_stop_for_any_pieces(
            text in prop::collection::vec(prop::sample::select(b"ab\xc3\xa9".to_vec()), 0..30),
            stops in prop::collection::vec(
                prop::collection::vec(prop::sample::select(b"ab\xc3".to_vec()), 0..4), 0..4),
        ) {
            // The stop that ends first applies; of those that end together, the longest.
            let stop = (1..=text.len()).find_map(|end| {
                let ended = |stop: &Vec<u8>| !stop.is_empty() && text[..end].ends_with(stop);
                let ended = stops.iter().enumerate().filter(|(_, stop)| ended(stop));
                let (index, stop) = ended.max_by_key(|(at, stop)| (stop.len(), usize::MAX - at))?;
                Some(Stop { index: index as u8, begin: end - stop.len() })
            });
            let strings = StopStrings::new(stops);
            for size in [1, 2, 3, 100] {
                let mut search = StopSearch::new(&strings);
                prop_assert_eq!(text.chunks(size).filter_map(|piece| search.push(piece)).next(), stop);
                let expected = text[..stop.map_or(text.len(), |stop| stop.begin)].to_vec();
                prop_assert_eq!(strings.shown(&text), &expected);
                prop_assert_eq!(shown(&strings, &text, size), (expected, stop.is_some()));
            }
        }
    }
}
