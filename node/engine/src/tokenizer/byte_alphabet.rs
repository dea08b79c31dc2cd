// SPDX-License-Identifier: Apache-2.0
//! GPT-2's alphabet, which has a visible character for each byte.

use std::sync::LazyLock;

/// The character of each byte: the byte's own where it is visible, otherwise the next from 256 on.
static ALPHABET: LazyLock<[char; 256]> = LazyLock::new(|| {
    let mut hidden = 256u32;
    std::array::from_fn(|byte| {
        // An index of this array is a byte.
        let byte = byte as u8;
        if matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff) {
            return char::from(byte);
        }
        hidden += 1;
        char::from_u32(hidden - 1).unwrap_or(char::REPLACEMENT_CHARACTER)
    })
});

/// The byte of each character of the alphabet, by the character's number.
static BYTES: LazyLock<Vec<Option<u8>>> = LazyLock::new(|| {
    let mut bytes = vec![None; 512];
    for (byte, &c) in (0..=255u8).zip(ALPHABET.iter()) {
        bytes[c as usize] = Some(byte);
    }
    bytes
});

/// Returns the character of a byte.
pub(super) fn character(byte: u8) -> char {
    ALPHABET[usize::from(byte)]
}

/// Returns the bytes that a token's text spells. Characters outside the alphabet stand for
/// themselves.
pub(super) fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match BYTES.get(c as usize) {
            Some(&Some(byte)) => bytes.push(byte),
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_spell_every_byte_once() {
        let text: String = (0..=255).map(character).collect();
        assert_eq!(bytes_of(&text), (0..=255).collect::<Vec<u8>>());
        assert_eq!((character(b' '), character(b'\n'), character(b'a')), ('Ġ', 'Ċ', 'a'));
        assert_eq!(bytes_of("Ġ語"), " 語".as_bytes());
    }
}
