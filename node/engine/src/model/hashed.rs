// SPDX-License-Identifier: Apache-2.0
//! A model's file as it was when it was hashed.
//!
//! The hash of the whole is the model's identity, and the weights are read again after it has been computed. So the
//! hash of each tensor is kept as well: a tensor whose bytes are not those that went into the root is refused, and
//! an operator never answers with another model than it has announced.

use super::source::Source;
use crate::{
    gguf::{self, Gguf, TensorPlace},
    EngineError,
};
use std::{borrow::Cow, collections::BTreeMap};

/// The number of bytes that are hashed at a time.
const PIECE: usize = 1 << 20;
/// The number of bytes that are read at first. A header with Llama 3's vocabulary has half as many.
const USUAL: usize = 1 << 24;

/// A header that has been read, and nothing else of its file.
pub(super) struct Head<'s> {
    source: &'s Source,
    bytes: Vec<u8>,
    pub gguf: Gguf,
}

impl<'s> Head<'s> {
    pub(super) fn read(source: &'s Source) -> Result<Self, EngineError> {
        let most = |bytes: usize| source.bytes().min(bytes as u64) as usize;
        let bytes = source.read(0, most(USUAL))?;
        let (bytes, gguf) = match gguf::read_header(&bytes, source.bytes()) {
            // The header may be longer.
            Err(_) if most(USUAL) < most(gguf::HEADER_MAX) => {
                let bytes = source.read(0, most(gguf::HEADER_MAX))?;
                let gguf = gguf::read_header(&bytes, source.bytes())?;
                (bytes, gguf)
            }
            read => {
                let gguf = read?;
                (bytes, gguf)
            }
        };
        let bytes = bytes[..gguf.header_bytes().min(bytes.len())].to_vec();
        Ok(Self { source, bytes, gguf })
    }

    /// Hashes the file.
    pub(super) fn hash(self) -> Result<Hashed<'s>, EngineError> {
        let Self { source, bytes, gguf } = self;
        let mut places = Vec::new();
        for name in gguf.tensor_names().filter(|_| source.is_shared()) {
            let place = gguf.tensor(name)?;
            places.push((place.at as u64, place.bytes as u64, name.to_string()));
        }
        places.sort();
        let mut root = blake3::Hasher::new();
        root.update(&bytes);
        let (mut at, mut tensors) = (bytes.len() as u64, BTreeMap::new());
        for (from, length, name) in places {
            feed(source, (at, from), &mut [&mut root])?;
            let mut own = blake3::Hasher::new();
            at = from + length;
            feed(source, (from, at), &mut [&mut root, &mut own])?;
            tensors.insert(name, own.finalize());
        }
        feed(source, (at, source.bytes()), &mut [&mut root])?;
        Ok(Hashed { source, gguf, tensors, root: *root.finalize().as_bytes() })
    }
}

/// Feeds the bytes from one place to another to hashers.
fn feed(
    source: &Source,
    (mut from, to): (u64, u64),
    hashers: &mut [&mut blake3::Hasher],
) -> Result<(), EngineError> {
    while from < to {
        let bytes = source.read(from, (to - from).min(PIECE as u64) as usize)?;
        for hasher in hashers.iter_mut() {
            hasher.update(&bytes);
        }
        from += bytes.len() as u64;
    }
    Ok(())
}

/// A file whose tensors are those that were hashed.
pub(super) struct Hashed<'s> {
    source: &'s Source,
    pub gguf: Gguf,
    tensors: BTreeMap<String, blake3::Hash>,
    /// BLAKE3 of the file.
    pub root: [u8; 32],
}

impl<'s> Hashed<'s> {
    /// Returns the bytes of a tensor.
    ///
    /// # Errors
    /// Returns [`EngineError::FileChanged`] if they are not those that were hashed, or [`EngineError::Io`].
    pub(super) fn tensor(
        &self,
        name: &str,
        place: &TensorPlace,
    ) -> Result<Cow<'s, [u8]>, EngineError> {
        let bytes = self.source.read(place.at as u64, place.bytes)?;
        match self.tensors.get(name) {
            Some(hash) if *hash != blake3::hash(&bytes) => {
                Err(EngineError::FileChanged { part: format!("tensor {name}") })
            }
            _ => Ok(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::{write, Synthetic};
    use candle_core::quantized::gguf_file;
    use std::io::Write;

    #[test]
    fn header_that_is_longer_than_usual_is_read() {
        let shape = Synthetic::default();
        let mut metadata = shape.metadata();
        let long = gguf_file::Value::String("x".repeat(USUAL));
        metadata.push(("general.description".into(), long));
        let bytes = write(&metadata, &shape.tensors().unwrap()).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let source = Source::open(file.path()).unwrap();
        let hashed = Head::read(&source).unwrap().hash().unwrap();
        assert_eq!(hashed.root, *blake3::hash(&bytes).as_bytes());
        assert_eq!(hashed.gguf.tensor_names().len(), shape.tensors().unwrap().len());
    }

    #[test]
    fn tensor_that_was_overwritten_after_the_hash_is_refused() {
        let bytes = Synthetic::default().file().unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let source = Source::open(file.path()).unwrap();
        let hashed = Head::read(&source).unwrap().hash().unwrap();
        assert_eq!(hashed.root, *blake3::hash(&bytes).as_bytes());
        let [changed, kept] = ["blk.1.ffn_up.weight", "blk.0.ffn_up.weight"];
        let place = |name| hashed.gguf.tensor(name).unwrap();
        let mut other = bytes.clone();
        other[place(changed).at + 5] ^= 1;
        std::fs::write(file.path(), &other).unwrap();
        let at = place(kept);
        assert_eq!(hashed.tensor(kept, &at).unwrap(), &bytes[at.at..at.at + at.bytes]);
        match hashed.tensor(changed, &place(changed)) {
            Err(EngineError::FileChanged { part }) => assert!(part.contains(changed), "{part}"),
            other => panic!("{other:?}"),
        }
        std::fs::write(file.path(), &bytes[..place(changed).at]).unwrap();
        let cut = hashed.tensor(changed, &place(changed));
        assert!(matches!(cut, Err(EngineError::Io { .. })), "{cut:?}");
    }
}
