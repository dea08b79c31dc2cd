// SPDX-License-Identifier: Apache-2.0
//! The passphrase of a key file: from a file that is named, otherwise asked for at the terminal.

use super::private;
use crate::{fault::Fault, visible};
use anyhow::Result;
use std::path::Path;
use zeroize::Zeroizing;

/// A passphrase.
pub type Passphrase = Zeroizing<String>;

/// Returns the passphrase of an existing key file.
pub fn existing(file: Option<&Path>, key_file: &Path) -> Result<Passphrase> {
    match file {
        Some(file) => from_file(file),
        None => ask(&format!("Passphrase of {}: ", key_file.display())),
    }
}

/// Returns the passphrase for a new key file, which is asked for twice and not empty.
pub fn new(file: Option<&Path>, key_file: &Path) -> Result<Passphrase> {
    let passphrase = match file {
        Some(file) => from_file(file)?,
        None => {
            let shown = key_file.display();
            let first = ask(&format!("New passphrase of {shown}: "))?;
            if first != ask("The same again: ")? {
                return Err(Fault::error(
                    "passphrases_differ",
                    "the two passphrases differ; try again",
                ));
            }
            first
        }
    };
    if passphrase.is_empty() {
        return Err(Fault::error(
            "passphrase_empty",
            "the passphrase is empty; choose one, or write the key as it is with --unencrypted",
        ));
    }
    Ok(passphrase)
}

/// Asks for a secret at the terminal, which does not show it.
pub fn ask(prompt: &str) -> Result<Zeroizing<String>> {
    // The prompt has the name of a file, which can have any character.
    rpassword::prompt_password(visible::line(prompt)).map(Zeroizing::new).map_err(|error| {
        Fault::error(
            "no_terminal",
            format!(
                "there is no terminal to ask at ({error}); name a file that has the passphrase with \
                 --passphrase-file or ASSAY_PASSPHRASE_FILE"
            ),
        )
    })
}

/// Reads a passphrase, which is a file's first line.
fn from_file(file: &Path) -> Result<Passphrase> {
    let text = private::read(file, "passphrase file")?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passphrase_is_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        private::write(&path, "passphrase file", " correct horse \r\nsecond\n").unwrap();
        assert_eq!(*existing(Some(&path), Path::new("key")).unwrap(), " correct horse ");
    }

    #[test]
    fn empty_passphrase_protects_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        private::write(&path, "passphrase file", "\n").unwrap();
        let error = new(Some(&path), Path::new("key")).err().unwrap();
        assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "passphrase_empty");
        // A wallet may have one nonetheless.
        assert!(existing(Some(&path), Path::new("key")).unwrap().is_empty());
    }
}
