// SPDX-License-Identifier: Apache-2.0
//! Text of others, made harmless to a terminal. Outputs, the names of models and chains, and the errors
//! of a node can hold characters that move the cursor, change colours, or reorder what stands around
//! them; a terminal shows their escapes instead.

use std::borrow::Cow;

/// Returns text of several lines with visible escapes; newlines and tabs stay.
pub fn text(text: &str) -> Cow<'_, str> {
    escape(text, |c| acts(c) && c != '\n' && c != '\t', |c| c.escape_unicode().to_string())
}

/// Returns text with visible escapes, newlines and tabs among them, so that it stays on its line.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, acts, |c| c.escape_default().to_string())
}

/// Returns a JSON document in which each of these characters is escaped. JSON itself leaves some of
/// them as they are; every reader finds the same strings.
pub fn json(document: &str) -> Cow<'_, str> {
    // All of them are in the basic plane, and serde_json has escaped those below the space.
    escape(document, acts, |c| format!("\\u{:04x}", u32::from(c)))
}

/// Returns whether a terminal acts on a character instead of showing it: the control characters C0 and
/// C1, and the marks, embeddings, overrides and isolates of the Unicode Bidirectional Algorithm.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

fn escape(text: &str, harms: impl Fn(char) -> bool, by: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.chars().any(&harms) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if harms(c) {
            safe.push_str(&by(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every character that a terminal must not see raw.
    fn harmful() -> impl Iterator<Item = char> {
        let ranges = [
            '\0'..='\u{1f}',
            '\u{7f}'..='\u{9f}',
            '\u{61c}'..='\u{61c}',
            '\u{200e}'..='\u{200f}',
            '\u{202a}'..='\u{202e}',
            '\u{2066}'..='\u{2069}',
        ];
        ranges.into_iter().flatten()
    }

    #[test]
    fn controls_and_bidirectional_marks_are_escaped() {
        for c in harmful() {
            let whole = format!("a{c}b");
            assert!(!line(&whole).contains(c), "{c:?}");
            assert!(line(&whole).starts_with('a') && line(&whole).ends_with('b'));
            assert_eq!(text(&whole).contains(c), c == '\n' || c == '\t', "{c:?}");
        }
        assert_eq!(text("\u{1b}[31mred\n\tend"), "\\u{1b}[31mred\n\tend");
        assert_eq!(line("tiny\nVerdict  Accept\u{202e}"), "tiny\\nVerdict  Accept\\u{202e}");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for same in ["", "añ€😀 b", "שלום", "e\u{301}", "👩\u{200d}🔬", "\u{feff}", "a b"]
        {
            assert!(matches!(text(same), Cow::Borrowed(_)), "{same}");
            assert!(matches!(line(same), Cow::Borrowed(_)), "{same}");
        }
    }

    #[test]
    fn json_reads_the_same_after_it_was_escaped() {
        let all: String = harmful().chain("añ€😀\"\\".chars()).collect();
        let value = serde_json::json!({ "output": all });
        let written = value.to_string();
        let safe = json(&written);
        assert!(!safe.chars().any(acts), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }
}
