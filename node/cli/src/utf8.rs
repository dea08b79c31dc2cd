// SPDX-License-Identifier: Apache-2.0
//! Decoding of UTF-8 that arrives in pieces.

/// A decoder of UTF-8 that is cut anywhere. A sequence that cannot become a character is replaced by
/// U+FFFD as soon as that is certain.
#[derive(Default, Debug)]
pub struct Utf8Pieces {
    pending: Vec<u8>,
}

impl Utf8Pieces {
    /// Returns the text that is complete with these bytes.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        let mut broken: &[u8] = &[];
        for chunk in self.pending.utf8_chunks() {
            if !broken.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
            text.push_str(chunk.valid());
            broken = chunk.invalid();
        }
        // Only a sequence at the very end may still be completed by the next piece.
        if std::str::from_utf8(broken).is_err_and(|error| error.error_len().is_some()) {
            text.push(char::REPLACEMENT_CHARACTER);
            broken = &[];
        }
        self.pending = broken.to_vec();
        text
    }

    /// Returns the replacement for a sequence that was never completed, or no text.
    pub fn finish(&mut self) -> &'static str {
        if std::mem::take(&mut self.pending).is_empty() {
            ""
        } else {
            "\u{fffd}"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_text_wherever_they_are_cut() {
        let text = "añ€😀 b";
        for size in 1..text.len() {
            let mut pieces = Utf8Pieces::default();
            let joined: String =
                text.as_bytes().chunks(size).map(|part| pieces.push(part)).collect();
            assert_eq!(joined, text, "cut every {size} bytes");
            assert_eq!(pieces.finish(), "");
        }
    }

    #[test]
    fn pieces_replace_invalid_bytes_like_the_standard_library() {
        let bytes = b"a\xff\xfeb\xe2\x82c\xf0\x9f\x98";
        for size in 1..=bytes.len() {
            let mut pieces = Utf8Pieces::default();
            let mut joined: String = bytes.chunks(size).map(|part| pieces.push(part)).collect();
            joined.push_str(pieces.finish());
            assert_eq!(joined, String::from_utf8_lossy(bytes), "cut every {size} bytes");
        }
    }

    #[test]
    fn invalid_bytes_are_replaced_as_soon_as_they_are_certain() {
        let mut pieces = Utf8Pieces::default();
        assert_eq!(pieces.push(b"a\xff"), "a\u{fffd}");
        assert_eq!(pieces.push(b"\xe2\x82"), "");
        assert_eq!(pieces.push(b"\xac"), "€");
    }
}
