// SPDX-License-Identifier: Apache-2.0
//! Compression of a text to the length that its score says, and decompression.
//!
//! The format is four bytes of the text's BLAKE3 hash, the number of tokens as a LEB128 integer,
//! and the code of the tokens with the frequencies of [`super`]. For a text that its tokens do not
//! restore, the number is 0 and its bytes follow.

use super::{
    encoded_text::{for_each_part, windows, EncodedText, Window},
    frequency::{sizes, uniform},
};
use crate::{
    range_coder::{Decoder, Encoder, Part},
    EngineError, Limits, Model, Session, Threads,
};
use std::sync::atomic::AtomicBool;

/// Number of bytes of the hash.
const CHECK: usize = 4;

fn check(text: &[u8]) -> [u8; CHECK] {
    let [a, b, c, d, ..] = *blake3::hash(text).as_bytes();
    [a, b, c, d]
}

fn put_count(mut count: usize, out: &mut Vec<u8>) {
    while count >= 0x80 {
        out.push(count as u8 | 0x80);
        count >>= 7;
    }
    out.push(count as u8);
}

fn take_count(bytes: &mut &[u8]) -> Result<usize, EngineError> {
    let mut count = 0u64;
    for shift in (0..35).step_by(7) {
        let Some((&byte, rest)) = bytes.split_first() else {
            return Err(damaged("number of tokens", "it is cut short"));
        };
        *bytes = rest;
        count |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return usize::try_from(count)
                .map_err(|_| damaged("number of tokens", "it is too large"));
        }
    }
    Err(damaged("number of tokens", "it has more than five bytes"))
}

fn damaged(field: &'static str, problem: &str) -> EngineError {
    EngineError::Compressed { field, problem: problem.into() }
}

/// Returns a code of the text, which is as long as [`super::score`] says and at most twelve bytes
/// longer.
///
/// # Errors
/// Returns [`EngineError::MemoryLimit`], [`EngineError::Deadline`] or [`EngineError::Cancelled`].
pub fn compress(
    model: &Model,
    threads: &Threads,
    text: &[u8],
    limits: &Limits,
    cancel: &AtomicBool,
) -> Result<Vec<u8>, EngineError> {
    let mut out = check(text).to_vec();
    let Some(encoded) = EncodedText::new(model, text) else {
        put_count(0, &mut out);
        out.extend_from_slice(text);
        return Ok(out);
    };
    put_count(encoded.tokens.len(), &mut out);
    let mut encoder = Encoder::new(out);
    for_each_part((model, threads), &encoded, limits, cancel, &mut |part| encoder.encode(part))?;
    Ok(encoder.finish())
}

/// Returns the text of a code that [`compress`] made with the same model.
///
/// # Errors
/// Returns [`EngineError::Compressed`] if the code is damaged or of another model,
/// [`EngineError::MemoryLimit`] if it claims more tokens than fit in the limit or the cache exceeds
/// it, [`EngineError::Deadline`] or [`EngineError::Cancelled`].
pub fn decompress(
    model: &Model,
    threads: &Threads,
    code: &[u8],
    limits: &Limits,
    cancel: &AtomicBool,
) -> Result<Vec<u8>, EngineError> {
    let Some((wanted, mut rest)) = code.split_first_chunk::<CHECK>() else {
        return Err(damaged("check", "it is cut short"));
    };
    let count = take_count(&mut rest)?;
    let needed = count as u64 * size_of::<u32>() as u64;
    if needed > limits.memory_bytes {
        return Err(EngineError::MemoryLimit { needed, limit: limits.memory_bytes });
    }
    let text = match count {
        0 => rest.to_vec(),
        _ => {
            let tokens = read((model, threads), count, rest, limits, cancel)?;
            model.tokenizer().decode_bare(&tokens)
        }
    };
    if check(&text) != *wanted {
        return Err(damaged("check", "it does not match the text"));
    }
    Ok(text)
}

/// Returns the tokens of a code, each decided by the row after those before it.
fn read(
    (model, threads): (&Model, &Threads),
    count: usize,
    code: &[u8],
    limits: &Limits,
    cancel: &AtomicBool,
) -> Result<Vec<u32>, EngineError> {
    let (opening, vocab) = (model.tokenizer().opening(), model.info().vocab_size);
    let room = EncodedText::room(model, opening.len());
    let capacity = EncodedText::capacity(room, opening.len(), count);
    let mut session = Session::new(model, threads, capacity, limits)?;
    let (mut decoder, mut tokens) = (Decoder::new(code), Vec::new());
    for Window { from, new, to } in windows(count, room) {
        session.truncate(0);
        let mut next = [opening.as_slice(), &tokens[from..new]].concat();
        for _ in new..to {
            let end = session.len() + next.len();
            let last = |index: usize| index + 1 == end;
            let row =
                session.forward(&next, limits, cancel, &last, &|row| sizes(row.logits))?.pop();
            let token = match row {
                Some((sizes, total)) => symbol(&mut decoder, &sizes, total),
                None => {
                    let token = decoder.peek(vocab.into()) as u32;
                    decoder.take(uniform(vocab, token));
                    token
                }
            };
            tokens.push(token);
            next = vec![token];
        }
    }
    Ok(tokens)
}

/// Returns the next symbol of a code, whose parts have these sizes.
fn symbol(decoder: &mut Decoder<'_>, sizes: &[u64], total: u64) -> u32 {
    let at = decoder.peek(total);
    let mut part = Part { start: 0, size: 0, total };
    let mut token = 0;
    for (k, &size) in (0..).zip(sizes) {
        part = Part { start: part.start.saturating_add(part.size), size, total };
        token = k;
        if at < part.start.saturating_add(size) {
            break;
        }
    }
    decoder.take(part);
    token
}
