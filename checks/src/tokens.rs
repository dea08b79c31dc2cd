// SPDX-License-Identifier: Apache-2.0
//! A hash over a source's tokens, which comments and layout do not change.

use crate::Error;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::{fmt::Write, path::Path};

/// Writes a source's tokens, one a line: without comments, documentation, and what exists in tests
/// alone.
///
/// # Errors
/// When the source is not valid Rust.
pub fn write(path: &Path, source: &str) -> Result<String, Error> {
    let stream: TokenStream = source.parse().map_err(|error: proc_macro2::LexError| {
        Error::Syntax { path: path.into(), cause: error.to_string() }
    })?;
    let mut text = String::new();
    write_stream(stream, &mut text);
    Ok(text)
}

fn write_stream(stream: TokenStream, text: &mut String) {
    let tokens: Vec<_> = stream.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match attribute(&tokens[at..]) {
            Some((Attribute::Documentation, length)) => {
                at += length;
                continue;
            }
            Some((Attribute::Test, length)) => {
                at += length;
                at += item_length(&tokens[at..]);
                continue;
            }
            None => {}
        }
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                let _ = writeln!(text, "{open}");
                write_stream(group.stream(), text);
                let _ = writeln!(text, "{close}");
            }
            token => {
                let _ = writeln!(text, "{token}");
            }
        }
        at += 1;
    }
}

enum Attribute {
    Documentation,
    Test,
}

/// Reads an attribute that has no part in the runtime, and how many tokens it takes.
fn attribute(tokens: &[TokenTree]) -> Option<(Attribute, usize)> {
    let [TokenTree::Punct(hash), rest @ ..] = tokens else { return None };
    if hash.as_char() != '#' {
        return None;
    }
    let (bracket, length) = match rest {
        [TokenTree::Group(group), ..] => (group, 2),
        [TokenTree::Punct(bang), TokenTree::Group(group), ..] if bang.as_char() == '!' => {
            (group, 3)
        }
        _ => return None,
    };
    if bracket.delimiter() != Delimiter::Bracket {
        return None;
    }
    let said = bracket.stream().to_string().replace(' ', "");
    if said.starts_with("doc=") {
        Some((Attribute::Documentation, length))
    } else if said == "cfg(test)" && length == 2 {
        Some((Attribute::Test, length))
    } else {
        None
    }
}

/// Counts the tokens until the end of an item: a semicolon, or braces.
fn item_length(tokens: &[TokenTree]) -> usize {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    };
    let is_use = matches!(tokens.first(), Some(TokenTree::Ident(first)) if first == "use");
    tokens
        .iter()
        .position(|token| is_end(token) && !(is_use && matches!(token, TokenTree::Group(_))))
        .map_or(tokens.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str) -> String {
        write(Path::new("x.rs"), source).expect("the source is Rust")
    }

    #[test]
    fn write_leaves_out_comments_documentation_and_layout() {
        let bare = of("pub fn f(a: u32) -> u32 { a + 1 }");
        let dressed =
            of("//! A file.\n/// Adds.\npub fn f(\n    a: u32, // one\n) -> u32 { a + 1 }");
        assert_eq!(bare, dressed.replace(",\n", ""));
    }

    #[test]
    fn write_leaves_out_tests() {
        let bare = of("fn f() {}");
        assert_eq!(bare, of("#[cfg(test)]\nuse a::{b, c};\n#[cfg(test)]\nmod tests;\nfn f() {}"));
        assert_eq!(bare, of("fn f() {}\n#[cfg(test)]\nmod tests { fn g() {} }"));
    }

    #[test]
    fn write_keeps_each_value_and_attribute() {
        assert_ne!(of("const A: u32 = 1;"), of("const A: u32 = 2;"));
        assert_ne!(
            of("#[pallet::call_index(1)] fn f() {}"),
            of("#[pallet::call_index(2)] fn f() {}")
        );
    }
}
