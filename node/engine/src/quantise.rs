// SPDX-License-Identifier: Apache-2.0
//! Quantisation of weights to blocks, by exact rules: the bytes are the same on every machine.
//!
//! A matrix is stored row by row, each row in blocks of [`BLOCK`] weights.
//!
//! - **Q8_0** (34 bytes): `d` as f16, then 32 `i8`. Rule: `amax` is the largest magnitude in the
//!   block and `d = amax / 127` in f32, stored as f16 (round to nearest, ties to even). Then `q =
//!   clamp(round_half_away(x * (1 / d)), -127, 127)` with the unrounded f32 `d`; all `q` are zero
//!   if `amax` is 0.
//! - **Q4_0** (18 bytes): `d` as f16, then 16 bytes; byte `i` holds weight `i` in its low and
//!   weight `i + 16` in its high nibble, each as `q + 8`. Rule: `m` is the weight of the largest
//!   magnitude with its sign (the first of equals) and `d = m / -8` in f32, stored as f16. Then `n
//!   = min(15, trunc(x * (1 / d) + 8.5))`; all nibbles are 8 if `m` is 0.

use half::f16;

/// Number of values in a block, of weights and of activations alike.
pub const BLOCK: usize = 32;
/// Number of bytes in a Q8_0 block: an f16 scale and 32 `i8`.
pub const Q8_0_BYTES: usize = 34;
/// Number of bytes in a Q4_0 block: an f16 scale and 32 nibbles.
pub const Q4_0_BYTES: usize = 18;

/// The format in which a matrix is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantisation {
    Q8_0,
    Q4_0,
}

impl Quantisation {
    pub(crate) fn block_bytes(self) -> usize {
        match self {
            Self::Q8_0 => Q8_0_BYTES,
            Self::Q4_0 => Q4_0_BYTES,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Q8_0 => "Q8_0",
            Self::Q4_0 => "Q4_0",
        }
    }
}

/// Quantises rows of weights to Q8_0.
///
/// Returns `None` if the length is not a multiple of [`BLOCK`] or a scale is not finite as f16.
pub fn q8_0(weights: &[f32]) -> Option<Vec<u8>> {
    encode(weights, Q8_0_BYTES, |block, out| {
        let amax = block.iter().fold(0f32, |m, x| m.max(x.abs()));
        let d = amax / 127.0;
        let inverse = if d > 0.0 { 1.0 / d } else { 0.0 };
        for (q, x) in out.iter_mut().zip(block) {
            *q = (x * inverse).round().clamp(-127.0, 127.0) as i8 as u8;
        }
        d
    })
}

/// Quantises rows of weights to Q4_0.
///
/// Returns `None` if the length is not a multiple of [`BLOCK`] or a scale is not finite as f16.
pub fn q4_0(weights: &[f32]) -> Option<Vec<u8>> {
    encode(weights, Q4_0_BYTES, |block, out| {
        let largest = block.iter().fold(0f32, |m, &x| if x.abs() > m.abs() { x } else { m });
        let d = largest / -8.0;
        let inverse = if d != 0.0 { 1.0 / d } else { 0.0 };
        let nibble = |x: f32| ((x * inverse + 8.5) as i32).clamp(0, 15) as u8;
        let (low, high) = block.split_at(BLOCK / 2);
        for ((byte, &l), &h) in out.iter_mut().zip(low).zip(high) {
            *byte = nibble(l) | (nibble(h) << 4);
        }
        d
    })
}

/// Runs `block_rule` on each block; the rule fills in the quants and returns the scale.
fn encode(
    weights: &[f32],
    block_bytes: usize,
    block_rule: impl Fn(&[f32], &mut [u8]) -> f32,
) -> Option<Vec<u8>> {
    if !weights.len().is_multiple_of(BLOCK) {
        return None;
    }
    let mut out = vec![0u8; weights.len() / BLOCK * block_bytes];
    for (block, bytes) in weights.chunks_exact(BLOCK).zip(out.chunks_exact_mut(block_bytes)) {
        if block.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let d = f16::from_f32(block_rule(block, &mut bytes[2..]));
        if !d.is_finite() {
            return None;
        }
        bytes[..2].copy_from_slice(&d.to_le_bytes());
    }
    Some(out)
}

/// Returns the 32 integer weights of a Q8_0 block and its scale.
pub fn unpack_q8_0(block: &[u8; Q8_0_BYTES]) -> ([i8; BLOCK], f16) {
    let mut q = [0i8; BLOCK];
    for (q, &b) in q.iter_mut().zip(&block[2..]) {
        *q = b as i8;
    }
    (q, f16::from_le_bytes([block[0], block[1]]))
}

/// Returns the 32 integer weights (-8 to 7) of a Q4_0 block and its scale.
pub fn unpack_q4_0(block: &[u8; Q4_0_BYTES]) -> ([i8; BLOCK], f16) {
    let mut q = [0i8; BLOCK];
    let (low, high) = q.split_at_mut(BLOCK / 2);
    for ((l, h), &b) in low.iter_mut().zip(high).zip(&block[2..]) {
        *l = (b & 15) as i8 - 8;
        *h = (b >> 4) as i8 - 8;
    }
    (q, f16::from_le_bytes([block[0], block[1]]))
}
