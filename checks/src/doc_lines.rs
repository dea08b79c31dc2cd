// SPDX-License-Identifier: Apache-2.0
//! Lines of documentation that open with a noun phrase where STYLE.md asks for a sentence.

/// The openings that STYLE.md forbids.
const OPENINGS: [&str; 4] = ["What", "Who", "Whose", "How"];

/// The documentation of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocLines {
    /// The lines that have text.
    pub all: usize,
    /// The numbers of those that open with What, Who, Whose or How.
    pub opened: Vec<usize>,
}

/// Counts the lines of documentation in a Rust source.
pub fn count(source: &str) -> DocLines {
    let mut found = DocLines::default();
    for (number, line) in source.lines().enumerate() {
        let line = line.trim_start();
        let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            continue;
        };
        found.all += 1;
        let first = text.split_whitespace().next().unwrap_or_default();
        let word = first.trim_matches(|letter: char| !letter.is_alphanumeric());
        if OPENINGS.contains(&word) {
            found.opened.push(number + 1);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_finds_the_forbidden_openings_alone() {
        let source = "//! What it is.\n/// Whose it is.\n/// However it is.\n///\n// Who knows.\n\
                      fn f() {}\n    /// **How** long.\n//// What a comment is.\n";
        assert_eq!(count(source), DocLines { all: 6, opened: vec![1, 2, 7] });
    }
}
