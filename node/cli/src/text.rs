// SPDX-License-Identifier: Apache-2.0
//! Text that arrives in pieces of bytes.

/// Turns pieces of UTF-8, cut anywhere, into text. Bytes that cannot become a character are
/// replaced by U+FFFD, as soon as that is certain.
#[derive(Default, Debug)]
pub struct Utf8Pieces {
    pending: Vec<u8>,
}

impl Utf8Pieces {
    /// The text that is complete with these bytes.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        let mut rest = self.pending.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (valid, broken) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    rest = broken;
                    // Without a length the sequence may yet be completed.
                    let Some(length) = error.error_len() else { break };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = rest.get(length..).unwrap_or_default();
                }
            }
        }
        self.pending = rest.to_vec();
        text
    }

    /// What stands for bytes that were never completed.
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
    fn pieces_replace_what_is_no_text_like_the_standard_library() {
        let bytes = b"a\xff\xfeb\xe2\x82c\xf0\x9f\x98";
        for size in 1..=bytes.len() {
            let mut pieces = Utf8Pieces::default();
            let mut joined: String = bytes.chunks(size).map(|part| pieces.push(part)).collect();
            joined.push_str(pieces.finish());
            assert_eq!(joined, String::from_utf8_lossy(bytes), "cut every {size} bytes");
        }
    }
}
