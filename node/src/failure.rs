// SPDX-License-Identifier: Apache-2.0
//! The error with which the node ends, in words.

use sc_service::error::Error as ServiceError;
use std::{error::Error, path::Path};

/// Returns the sentence for an error. `base` is the base path of the node, if it is known.
pub fn sentence(error: &sc_cli::Error, base: Option<&Path>) -> String {
    let words = match error {
        sc_cli::Error::Input(words) | sc_cli::Error::Service(ServiceError::Other(words)) => {
            words.clone()
        }
        sc_cli::Error::Service(ServiceError::Application(error))
        | sc_cli::Error::Application(error) => chain(error.as_ref()),
        other => chain(other),
    };
    if is_locked(&words) {
        return locked(base);
    }
    words
}

/// Returns an error's words and those of its causes that it does not repeat.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = error.source();
    }
    words
}

/// Returns whether the words are those of a database that another process has open: Substrate's own, and
/// those of RocksDB and ParityDB.
fn is_locked(words: &str) -> bool {
    let lower = words.to_lowercase();
    ["database file is in use", "lock hold by", "while lock file"]
        .iter()
        .any(|part| lower.contains(part))
}

fn locked(base: Option<&Path>) -> String {
    let folder = base.map(|base| format!(" in {}", base.display())).unwrap_or_default();
    format!(
        "the chain's database{folder} is in use by another process: is another node running there? \
         Stop it, or choose another folder with --base-path"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_of_an_error_is_not_shown() {
        let words = "the models are missing";
        for error in [
            sc_cli::Error::Input(words.into()),
            sc_cli::Error::Service(ServiceError::Other(words.into())),
            sc_cli::Error::Service(ServiceError::Application(words.into())),
            sc_cli::Error::Application(words.into()),
        ] {
            assert_eq!(sentence(&error, None), words);
        }
    }

    #[test]
    fn database_in_use_is_named_with_the_remedy() {
        let words = "Database file is in use. Please check if another process is using it.";
        let error = sp_blockchain::Error::Backend(words.into());
        let error = sc_cli::Error::Service(ServiceError::Client(error));
        let sentence = sentence(&error, Some(Path::new("/data/node")));
        for part in ["/data/node", "another node", "--base-path"] {
            assert!(sentence.contains(part), "{sentence}");
        }
    }

    #[test]
    fn causes_are_told_once() {
        let error = sc_cli::Error::Io(std::io::Error::other("no such device"));
        assert_eq!(sentence(&error, None), "no such device");
    }
}
