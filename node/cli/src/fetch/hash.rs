// SPDX-License-Identifier: Apache-2.0
//! BLAKE3 of files.

use anyhow::{Context, Result};
use blake3::{Hash, Hasher};
use std::{fs::File, io::Read, path::Path};

/// The number of bytes that are read at a time.
const PIECE: usize = 1 << 18;

/// Returns the hash of a file; `at` is told of the bytes that have been read.
pub fn of_file(path: &Path, at: &mut dyn FnMut(u64)) -> Result<Hash> {
    let cannot = || format!("cannot read {}", path.display());
    let mut file = File::open(path).with_context(cannot)?;
    let mut hasher = Hasher::new();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece).with_context(cannot)? {
            0 => return Ok(hasher.finalize()),
            read => hasher.update(&piece[..read]),
        };
        at(hasher.count());
    }
}

/// Returns a hash as the chain writes it.
pub fn shown(hash: Hash) -> String {
    format!("0x{hash}")
}

/// Reads a hash with or without `0x`.
pub fn parse(text: &str) -> Result<Hash, String> {
    Hash::from_hex(text.strip_prefix("0x").unwrap_or(text))
        .map_err(|_| format!("{text} is not a BLAKE3 hash; give 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn hash_of_a_file_is_that_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes = vec![7; PIECE + 1];
        fs::write(&path, &bytes).unwrap();
        let mut seen = Vec::new();
        assert_eq!(of_file(&path, &mut |read| seen.push(read)).unwrap(), blake3::hash(&bytes));
        assert_eq!(seen.last(), Some(&(bytes.len() as u64)));
        let error = of_file(&folder.path().join("absent"), &mut |_| ()).unwrap_err();
        assert!(format!("{error:#}").contains("absent"), "{error:#}");
    }

    #[test]
    fn hash_is_read_as_it_is_shown() {
        let hash = blake3::hash(b"model");
        assert_eq!(parse(&shown(hash)), Ok(hash));
        assert_eq!(parse(hash.to_hex().as_str()), Ok(hash));
        for text in ["", "0x12", "zz"] {
            assert!(parse(text).unwrap_err().contains("64 hexadecimal digits"));
        }
    }
}
