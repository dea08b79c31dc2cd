// SPDX-License-Identifier: Apache-2.0
//! The training text: Debian's compressed King James Bible, cut into documents of bytes.

use anyhow::{bail, ensure, Context, Result};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::path::Path;

/// The token that begins a document.
pub const BOS: u32 = 256;
/// The token that ends a document.
pub const EOS: u32 = 257;

/// Documents one after the other, each between [`BOS`] and [`EOS`].
pub struct Corpus {
    /// All tokens.
    pub stream: Vec<u32>,
    /// The beginnings of the documents, ascending.
    pub starts: Vec<usize>,
}

/// Reads the text of `path`: plain, or in the container of the package `bible-kjv-text`.
pub fn read(path: &Path) -> Result<String> {
    let data = std::fs::read(path).with_context(|| {
        format!("{}: install the Debian package bible-kjv-text or name a --text", path.display())
    })?;
    let text = if data.starts_with(b"EC02") { unpack(&data)? } else { data };
    Ok(String::from_utf8(text)?)
}

/// Unpacks the container. At 0x58 it has the number of windows and then their offsets (u32, big
/// endian). Each window is a stream of Unix `compress` with 16 bits in block mode, without its
/// first three bytes.
fn unpack(data: &[u8]) -> Result<Vec<u8>> {
    let word = |at: usize| -> Result<usize> {
        let bytes = data.get(at..at + 4).context("the container's header is cut short")?;
        Ok(u32::from_be_bytes(bytes.try_into()?) as usize)
    };
    let count = word(0x58)?;
    let mut text = Vec::new();
    for i in 0..count {
        let from = word(0x5c + 4 * i)?;
        let to = if i + 1 < count { word(0x60 + 4 * i)? } else { data.len() };
        lzw(data.get(from..to).context("a window lies outside the container")?, &mut text)?;
    }
    Ok(text)
}

/// Decodes LZW as Unix `compress` writes it: codes of 9 to 16 bits from the low bit up, in groups
/// of eight; 256 clears the table.
fn lzw(data: &[u8], out: &mut Vec<u8>) -> Result<()> {
    const CLEAR: usize = 256;
    const FULL: usize = 1 << 16;
    let mut table: Vec<(usize, usize)> = Vec::new();
    let reset = |table: &mut Vec<(usize, usize)>| {
        table.clear();
        table.resize(CLEAR + 1, (0, 0));
    };
    reset(&mut table);
    let (mut bits, mut at, mut group) = (9usize, 0usize, 0usize);
    let mut previous: Option<(usize, usize)> = None;
    while at + bits <= data.len() * 8 {
        let mut code = 0usize;
        for i in 0..bits {
            code |= usize::from(data[(at + i) / 8] >> ((at + i) % 8) & 1) << i;
        }
        at += bits;
        if code == CLEAR {
            reset(&mut table);
            previous = None;
            at = group + (at - group).next_multiple_of(bits * 8);
            (bits, group) = (9, at);
            continue;
        }
        let begin = out.len();
        match (code, previous) {
            (0..=255, _) => out.push(code as u8),
            (_, None) => bail!("the compressed text begins with code {code}"),
            (_, Some((from, len))) => {
                ensure!(code <= table.len(), "the compressed text names code {code} too early");
                let (from, len) = if code == table.len() { (from, len + 1) } else { table[code] };
                for i in from..from + len {
                    out.push(out[i]);
                }
            }
        }
        if let Some((from, len)) = previous {
            // The entry is the previous string and the byte after it, which is now in `out`.
            if table.len() < FULL {
                table.push((from, len + 1));
            }
        }
        previous = Some((begin, out.len() - begin));
        if table.len() >= 1 << bits && bits < 16 {
            at = group + (at - group).next_multiple_of(bits * 8);
            group = at;
            bits += 1;
        }
    }
    Ok(())
}

/// Returns documents to train on and, from every eightieth chapter, documents to evaluate on.
///
/// A document is a run of verses of one chapter, without their numbers. It ends after 150 to 700
/// bytes or with the chapter, whichever comes first.
pub fn corpora(text: &str) -> Result<(Corpus, Corpus)> {
    let mut rng = ChaCha8Rng::seed_from_u64(1604);
    let mut train = Corpus { stream: Vec::new(), starts: Vec::new() };
    let mut held_out = Corpus { stream: Vec::new(), starts: Vec::new() };
    let (mut chapter, mut number, mut document, mut length) = ("", 0usize, String::new(), 0usize);
    let mut close = |document: &mut String, number: usize| {
        if document.is_empty() {
            return;
        }
        let corpus = if number % 80 == 20 { &mut held_out } else { &mut train };
        corpus.starts.push(corpus.stream.len());
        corpus.stream.push(BOS);
        corpus.stream.extend(document.bytes().map(u32::from));
        corpus.stream.push(EOS);
        document.clear();
    };
    for line in text.lines() {
        let Some((place, verse)) = line.split_once(' ') else { continue };
        let Some((this, _)) = place.split_once(':') else { continue };
        if this != chapter {
            close(&mut document, number);
            (chapter, number) = (this, number + 1);
        }
        if document.is_empty() {
            length = 150 + rng.next_u32() as usize % 550;
        } else {
            document.push(' ');
        }
        document.push_str(verse.trim());
        if document.len() >= length {
            close(&mut document, number);
        }
    }
    close(&mut document, number);
    ensure!(train.starts.len() > 100, "the text has too few verses of the form \"Ge1:1 In the\"");
    Ok((train, held_out))
}
