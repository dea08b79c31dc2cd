// SPDX-License-Identifier: Apache-2.0
//! The model that a person names: by its name, by a URL, or by a file.

use super::catalogue::{Catalogue, Entry};
use crate::fault::Fault;
use anyhow::Result;
use std::path::{Path, PathBuf};
use ureq::http::Uri;

/// A model that a person wants.
#[derive(Clone, Debug)]
pub enum Wanted<'c> {
    /// One of the catalogue.
    Named(&'c Entry),
    /// A file on a server.
    Url(String),
    /// A file of this machine.
    File(PathBuf),
}

impl<'c> Wanted<'c> {
    /// Tells a name from a URL and from a path. A name comes before a file of the same name, which `./` in front
    /// of it means.
    pub fn parse(text: &str, catalogue: &'c Catalogue) -> Result<Self> {
        if let Some(entry) = catalogue.find(text) {
            return Ok(Self::Named(entry));
        }
        if text.contains("://") {
            return url(text);
        }
        let path = Path::new(text);
        if path.is_file() {
            return Ok(Self::File(path.to_path_buf()));
        }
        if path.exists() {
            return Err(Fault::error(
                "not_a_file",
                format!("{text} is not a file; name a model file in GGUF format"),
            ));
        }
        Err(Fault::error(
            "unknown_model",
            format!(
                "there is no model and no file {text}; name one of {}, or give a URL or a path",
                catalogue.names()
            ),
        ))
    }
}

fn url<'c>(text: &str) -> Result<Wanted<'c>> {
    let bad = |shown: &str, problem: &str| {
        Fault::error(
            "bad_url",
            format!(
                "{shown} cannot be fetched: {problem}; give a URL such as https://host/model.gguf"
            ),
        )
    };
    // A malformed URL can have a password as well.
    let shown = if text.contains('@') { "the URL" } else { text };
    let uri: Uri = text.parse().map_err(|_| bad(shown, "it is not a valid URL"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(bad(text, "its scheme is neither http nor https"));
    }
    // A URL is kept and shown, which a password must not be.
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(bad(uri.host().unwrap_or_default(), "its URL names a user"));
    }
    Ok(Wanted::Url(text.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String> {
        let catalogue = Catalogue::built_in().unwrap();
        Wanted::parse(text, &catalogue).map(|wanted| match wanted {
            Wanted::Named(entry) => format!("named {}", entry.name),
            Wanted::Url(url) => format!("url {url}"),
            Wanted::File(path) => format!("file {}", path.display()),
        })
    }

    #[test]
    fn name_url_and_path_are_told_apart() {
        assert_eq!(parse("smollm2-135m").unwrap(), "named smollm2-135m");
        assert_eq!(parse("http://h:1/x.gguf?a=b").unwrap(), "url http://h:1/x.gguf?a=b");
        assert_eq!(parse("./Cargo.toml").unwrap(), "file ./Cargo.toml");
    }

    #[test]
    fn text_that_names_nothing_is_refused() {
        for (text, code, word) in [
            ("smollm2", "unknown_model", "smollm2-135m, gemma3-270m"),
            ("./absent.gguf", "unknown_model", "./absent.gguf"),
            ("src", "not_a_file", "GGUF"),
            ("ftp://h/x", "bad_url", "neither http nor https"),
            ("https://u:secret@h/x", "bad_url", "names a user"),
            ("http://h/a b", "bad_url", "not a valid URL"),
            ("https://u:secret word@h/x", "bad_url", "not a valid URL"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.downcast_ref::<Fault>().unwrap().code, code, "{error}");
            assert!(error.to_string().contains(word), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
