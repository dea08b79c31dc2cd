// SPDX-License-Identifier: Apache-2.0
//! Reading of files and of standard input up to a limit. A device or a pipe may never end, and a file may
//! be larger than the memory.

use crate::fault::Fault;
use anyhow::{Context, Result};
use std::io::Read;
use zeroize::Zeroizing;

/// The most bytes of a small file, such as a key, a passphrase or a record.
pub const SMALL_BYTES: usize = 64 << 10;

/// The most bytes of the configuration.
pub const CONFIG_BYTES: usize = 1 << 20;

/// Reads everything; `what` says in errors what it is: "the prompt from standard input".
///
/// # Errors
///
/// The source fails, or has more than `most` bytes, of which no more than one is read.
pub fn bytes(source: impl Read, most: usize, what: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read(source, most, what, &mut bytes)?;
    Ok(bytes)
}

/// Reads a secret text, which is wiped from memory when it is dropped.
///
/// # Errors
///
/// As for [`bytes`]; or the text is not UTF-8.
pub fn secret(source: impl Read, what: &str) -> Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(SMALL_BYTES + 1));
    read(source, SMALL_BYTES, what, &mut bytes)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Fault::error("not_text", format!("cannot read {what}: it is not UTF-8")))?;
    Ok(Zeroizing::new(text.to_string()))
}

fn read(source: impl Read, most: usize, what: &str, bytes: &mut Vec<u8>) -> Result<()> {
    let one_more = u64::try_from(most)?.saturating_add(1);
    source.take(one_more).read_to_end(bytes).with_context(|| format!("cannot read {what}"))?;
    if bytes.len() <= most {
        return Ok(());
    }
    Err(Fault::error(
        "too_long",
        format!("cannot read {what}: it has more than {most} bytes; shorten it, or name another"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{repeat, Cursor};

    #[test]
    fn source_without_an_end_is_read_up_to_the_limit() {
        let mut endless = repeat(b'a').take(1 << 40);
        let error = bytes(&mut endless, 10, "the prompt").unwrap_err();
        assert_eq!((1 << 40) - endless.limit(), 11, "one byte beyond the limit is read");
        let fault = error.downcast_ref::<Fault>().unwrap();
        assert_eq!(fault.code, "too_long");
        assert!(fault.message.contains("the prompt") && fault.message.contains("10 bytes"));
        assert!(secret(repeat(b'a'), "the key file").is_err());
    }

    #[test]
    fn source_at_the_limit_is_read_whole() {
        assert_eq!(bytes(Cursor::new([7; 10]), 10, "the prompt").unwrap(), [7; 10]);
        let text = "a".repeat(SMALL_BYTES);
        assert_eq!(*secret(Cursor::new(&text), "the key file").unwrap(), text);
    }

    #[test]
    fn secret_that_is_not_text_is_named() {
        let error = secret(Cursor::new([0xff]), "the key file k").unwrap_err().to_string();
        assert!(error.contains("the key file k") && error.contains("UTF-8"), "{error}");
    }
}
