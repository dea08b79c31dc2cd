// SPDX-License-Identifier: Apache-2.0
//! Output: results on standard output, notes on standard error.
//!
//! Nothing else in this crate writes to either, except for the bars of [`progress`], which are out of the way
//! whenever something is written here. Where one of them is a terminal, all text is written
//! with visible escapes ([`visible`]), whoever it comes from; colours are kept apart from text until
//! the moment it is written, so no text brings its own.

use crate::{progress, visible};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde_json::Value;
use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
};

/// The style of a value that is as it should be.
const GOOD: Style = AnsiColor::Green.on_default();

/// The style of a value that deserves attention.
const BAD: Style = AnsiColor::Red.on_default();

/// The style of the names in a table.
const DIM: Style = Style::new().dimmed();

/// A value in a table, with its style.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Returns a value that is as it should be.
    pub fn good(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: GOOD }
    }

    /// Returns a value that deserves attention.
    pub fn bad(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: BAD }
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, style: Style::new() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_string().into()
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

impl From<&Cell> for Cell {
    fn from(cell: &Cell) -> Self {
        cell.clone()
    }
}

/// A row of a table: a name and its value.
pub type Row = (&'static str, Cell);

/// Returns whether standard output is a terminal.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Writes a line of the result.
pub fn line(text: &str) -> io::Result<()> {
    part(&format!("{text}\n"))
}

/// Writes a part of the result at once, without ending the line.
pub fn part(text: &str) -> io::Result<()> {
    let text = if is_terminal() { visible::text(text) } else { Cow::Borrowed(text) };
    write(text.as_bytes())
}

/// Writes a script or a page that this command has generated, byte for byte.
pub fn generated(bytes: &[u8]) -> io::Result<()> {
    write(bytes)
}

/// Writes the one object of `--json`.
pub fn object(value: &Value) -> io::Result<()> {
    write(format!("{}\n", visible::json(&value.to_string())).as_bytes())
}

/// Writes a line to standard error, for the person at the terminal.
pub fn note(text: &str) {
    let err = io::stderr();
    let text = if err.is_terminal() { visible::line(text) } else { Cow::Borrowed(text) };
    // Nobody is left to tell when standard error is closed.
    let _ = progress::out_of_the_way(|| writeln!(err.lock(), "{text}"));
}

fn write(bytes: &[u8]) -> io::Result<()> {
    progress::out_of_the_way(|| {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    })
    .map_err(of_output)
}

/// Says of an error where it was. Its kind stays: a pipe that is closed is not a failure.
fn of_output(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write to standard output: {error}"))
}

/// The way in which a table is written.
#[derive(Clone, Copy)]
struct Look {
    /// Whether a terminal shows it, so that its text is escaped.
    terminal: bool,
    /// Whether it has colours.
    colours: bool,
}

/// Writes a table of names and aligned values. It has no colours where standard output does not show
/// them, which anstream decides: by `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, the terminal and `TERM`.
pub fn pairs<'a, V>(rows: &'a [(&'a str, V)]) -> io::Result<()>
where
    &'a V: Into<Cell>,
{
    let out = io::stdout();
    let colours = AutoStream::choice(&out) != ColorChoice::Never;
    let look = Look { terminal: is_terminal(), colours };
    progress::out_of_the_way(|| write_pairs(&mut out.lock(), look, rows)).map_err(of_output)
}

fn write_pairs<'a, V>(out: &mut impl Write, look: Look, rows: &'a [(&'a str, V)]) -> io::Result<()>
where
    &'a V: Into<Cell>,
{
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in rows {
        let Cell { text, style } = value.into();
        // A value stays on its line, so that it cannot pass for a row of its own.
        let text = if look.terminal { visible::line(&text) } else { Cow::Borrowed(&*text) };
        if look.colours {
            writeln!(out, "{DIM}{name:width$}{DIM:#}  {style}{text}{style:#}")?;
        } else {
            writeln!(out, "{name:width$}  {text}")?;
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(terminal: bool, colours: bool, rows: &[Row]) -> String {
        let mut out = Vec::new();
        write_pairs(&mut out, Look { terminal, colours }, rows).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn rows() -> [Row; 2] {
        [("Verdict", Cell::good("Accept")), ("Paid", "1 ASY".into())]
    }

    #[test]
    fn pairs_are_aligned_and_plain_without_colour() {
        assert_eq!(written(false, false, &rows()), "Verdict  Accept\nPaid     1 ASY\n");
    }

    #[test]
    fn pairs_keep_their_styles_on_a_terminal() {
        let styled = written(true, true, &rows());
        assert!(styled.contains("\u{1b}[32mAccept\u{1b}[0m"), "{styled:?}");
    }

    #[test]
    fn name_of_a_model_colours_nothing_and_adds_no_row() {
        let name = "\u{1b}[32mtiny\nVerdict  Accept";
        for colours in [true, false] {
            let shown = written(true, colours, &[("Name", name.into())]);
            assert!(!shown.contains("\u{1b}[32m"), "{shown:?}");
            assert_eq!(shown.lines().count(), 1, "{shown:?}");
            assert!(shown.contains("\\u{1b}[32mtiny\\nVerdict  Accept"), "{shown:?}");
        }
    }

    #[test]
    fn error_of_the_output_says_where_it_was_and_keeps_its_kind() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::BrokenPipe] {
            let error = of_output(kind.into());
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().contains("standard output"), "{error}");
        }
    }

    #[test]
    fn text_is_not_altered_where_no_terminal_shows_it() {
        let name = "\u{202e}\u{1b}[31mtiny\u{85}\n";
        assert_eq!(written(false, false, &[("Name", name.into())]), format!("Name  {name}\n"));
    }
}
