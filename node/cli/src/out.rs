// SPDX-License-Identifier: Apache-2.0
//! Output: results on standard output, notes on standard error.

use anstyle::{AnsiColor, Style};
use serde_json::Value;
use std::io::{self, Write};

/// The style of a value that is as it should be.
pub const GOOD: Style = AnsiColor::Green.on_default();

/// The style of a value that deserves attention.
pub const BAD: Style = AnsiColor::Red.on_default();

/// The style of the names in a table.
const DIM: Style = Style::new().dimmed();

/// Writes a line of the result, byte for byte.
pub fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Writes a part of the result at once, without ending the line.
pub fn part(text: &str) -> io::Result<()> {
    raw(text.as_bytes())
}

/// Writes bytes as they are.
pub fn raw(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes the one object of `--json`.
pub fn object(value: &Value) -> io::Result<()> {
    line(&value.to_string())
}

/// Writes a line to standard error, for the person at the terminal.
pub fn note(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Returns the text between the escapes of a style, wherever it is written to. Only [`pairs`] drops them
/// where standard output does not show them.
pub fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes a table of names and aligned values. Styles are dropped where standard output does not show
/// them, which anstream decides: by `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, the terminal and `TERM`.
pub fn pairs(rows: &[(&str, String)]) -> io::Result<()> {
    write_pairs(&mut anstream::stdout().lock(), rows)
}

fn write_pairs(out: &mut impl Write, rows: &[(&str, String)]) -> io::Result<()> {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in rows {
        let name = styled(DIM, &format!("{name:width$}"));
        writeln!(out, "{name}  {value}")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstream::{AutoStream, ColorChoice};

    fn written(choice: ColorChoice) -> String {
        let mut out = AutoStream::new(Vec::new(), choice);
        let rows = [("Verdict", styled(GOOD, "Accept")), ("Paid", "1 ASY".into())];
        write_pairs(&mut out, &rows).unwrap();
        String::from_utf8(out.into_inner()).unwrap()
    }

    #[test]
    fn pairs_are_aligned_and_plain_without_colour() {
        assert_eq!(written(ColorChoice::Never), "Verdict  Accept\nPaid     1 ASY\n");
    }

    #[test]
    fn pairs_keep_their_styles_on_a_terminal() {
        let styled = written(ColorChoice::AlwaysAnsi);
        assert!(styled.contains("\u{1b}[32mAccept\u{1b}[0m"), "{styled:?}");
    }
}
