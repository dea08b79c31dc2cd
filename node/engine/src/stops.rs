// SPDX-License-Identifier: Apache-2.0
//! Stop strings in a stream of bytes.

/// A filter that cuts a stream of bytes at the first stop string, and into text that can be shown
/// as it arrives.
///
/// Bytes that could still become a stop string are held back, and so is an incomplete character.
/// The text does not depend on the pieces in which the bytes arrive. Bytes that are not UTF-8 are
/// shown as U+FFFD.
#[derive(Clone, Debug, Default)]
pub struct Stops {
    stops: Vec<String>,
    held: Vec<u8>,
    stopped: bool,
}

impl Stops {
    /// Returns a filter that stops at the first of these strings; empty ones stop nothing.
    pub fn new(stops: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let stops = stops.into_iter().map(Into::into).filter(|stop: &String| !stop.is_empty());
        Self { stops: stops.collect(), held: Vec::new(), stopped: false }
    }

    /// Returns whether a stop string has occurred. Nothing is shown from then on.
    pub fn stopped(&self) -> bool {
        self.stopped
    }

    /// Takes the bytes of a token and returns the text that can be shown now.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        for &byte in bytes {
            if self.stopped {
                break;
            }
            self.held.push(byte);
            // Of several that end here, the longest begins first.
            let ended = self.stops.iter().filter(|stop| self.held.ends_with(stop.as_bytes()));
            if let Some(length) = ended.map(String::len).max() {
                self.held.truncate(self.held.len() - length);
                self.stopped = true;
            }
        }
        let shown = match self.stopped {
            true => self.held.len(),
            false => self.held.len() - self.open(),
        };
        let rest = self.held.split_off(shown);
        let shown = std::mem::replace(&mut self.held, rest);
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// Returns the text that was held back, when the stream has ended.
    pub fn finish(mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned()
    }

    /// Returns the number of bytes at the end of the held ones that may be the beginning of a stop
    /// string or character.
    fn open(&self) -> usize {
        let begins = |stop: &String| {
            (1..stop.len()).rev().find(|&n| self.held.ends_with(&stop.as_bytes()[..n])).unwrap_or(0)
        };
        let stop = self.stops.iter().map(begins).max().unwrap_or(0);
        // A stop string begins with a whole character, so the bytes before it may be incomplete as
        // well.
        stop + open_character(&self.held[..self.held.len() - stop])
    }
}

/// Returns the number of bytes at the end that are the beginning of a character.
fn open_character(bytes: &[u8]) -> usize {
    // A character has at most four bytes.
    (1..=bytes.len().min(3))
        .find(|&n| {
            let end = &bytes[bytes.len() - n..];
            std::str::from_utf8(end).is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns all text of a stream that arrives in pieces of `size` bytes.
    fn shown(stops: &[String], bytes: &[u8], size: usize) -> (String, bool) {
        let mut state = Stops::new(stops.iter().cloned());
        let mut text = String::new();
        for piece in bytes.chunks(size) {
            text.push_str(&state.push(piece));
        }
        let stopped = state.stopped();
        (text + &state.finish(), stopped)
    }

    #[test]
    fn push_holds_back_what_could_become_a_stop() {
        let mut stops = Stops::new(["</s>", "\n\nUser:"]);
        assert_eq!(stops.push(b"Hello </"), "Hello ");
        assert_eq!(stops.push(b"b> \n"), "</b> ");
        assert_eq!(stops.push(b"\nUse"), "");
        assert_eq!(stops.push(b"r: more"), "");
        assert!(stops.stopped());
        assert_eq!(stops.push(b"more"), "");
        assert_eq!(stops.finish(), "");
    }

    #[test]
    fn push_holds_back_part_of_a_character() {
        let mut stops = Stops::new(["語x"]);
        let bytes = "é語🙂".as_bytes();
        let shown: Vec<String> = bytes.iter().map(|byte| stops.push(&[*byte])).collect();
        assert_eq!(shown, ["", "é", "", "", "", "語", "", "", "🙂"]);
    }

    #[test]
    fn finish_shows_what_was_held_back() {
        let mut stops = Stops::new(["stop"]);
        assert_eq!(stops.push(b"sto\xf0\x9f"), "sto");
        assert_eq!(stops.finish(), "\u{fffd}");
        let mut stops = Stops::new(["stop"]);
        assert_eq!(stops.push(b"\xff sto"), "\u{fffd} ");
        assert_eq!(stops.finish(), "sto");
    }

    proptest! {
        #[test]
        fn text_ends_before_the_first_stop_for_any_pieces(
            text in "[ab語🙂]{0,30}",
            stops in prop::collection::vec("[ab語]{0,3}", 0..3),
        ) {
            // The stop that ends first applies; of those that end together, the longest.
            let cut = text
                .char_indices()
                .map(|(at, c)| &text[..at + c.len_utf8()])
                .find_map(|read| {
                    let ended = stops.iter().filter(|s| !s.is_empty() && read.ends_with(*s));
                    ended.map(String::len).max().map(|length| read.len() - length)
                });
            let expected = (text[..cut.unwrap_or(text.len())].to_string(), cut.is_some());
            for size in [1, 2, 3, 100] {
                prop_assert_eq!(&shown(&stops, text.as_bytes(), size), &expected);
            }
        }

        #[test]
        fn text_of_any_bytes_does_not_depend_on_the_pieces(
            bytes in prop::collection::vec(prop::sample::select(vec![0x61u8, 0xff, 0xc3, 0xa9, 0xf0, 0x9f, 0x99, 0x82]), 0..24),
        ) {
            let stops = ["aé".to_string()];
            let whole = shown(&stops, &bytes, 100);
            for size in 1..6 {
                prop_assert_eq!(&shown(&stops, &bytes, size), &whole);
            }
        }
    }
}
