// SPDX-License-Identifier: Apache-2.0
//! An arithmetic coder for any frequencies, in integers.
//!
//! It is a range coder after Martin (1979) with 96 bits: a symbol of `size` out of `total` that
//! begins at `start` takes the part `[start, start + size)` of the interval in units of `range /
//! total`. Since the range is at least 2^88, a code is longer than `-log2(size / total)` by less
//! than `total / 2^88` of a bit for each symbol, and by two bytes in total.

/// Number of bits in the interval.
const BITS: u32 = 96;
/// The size of the whole interval.
const WHOLE: u128 = 1 << BITS;
/// The range below which a byte of the interval is decided.
const LOW_RANGE: u128 = WHOLE >> 8;

/// A symbol's part of the interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub start: u64,
    pub size: u64,
    pub total: u64,
}

/// A writer of symbols.
#[derive(Debug)]
pub(crate) struct Encoder {
    low: u128,
    range: u128,
    out: Vec<u8>,
}

impl Encoder {
    /// Creates an encoder that appends to `out`.
    pub(crate) fn new(out: Vec<u8>) -> Self {
        Self { low: 0, range: WHOLE, out }
    }

    /// Writes a symbol whose size is not zero.
    pub(crate) fn encode(&mut self, part: Part) {
        let unit = self.range / u128::from(part.total);
        self.low += unit * u128::from(part.start);
        self.range = unit * u128::from(part.size);
        self.carry();
        while self.range < LOW_RANGE {
            self.shift();
            self.range <<= 8;
        }
    }

    /// Carries into the bytes that are written, which together are one number that the interval may
    /// exceed.
    fn carry(&mut self) {
        if self.low < WHOLE {
            return;
        }
        self.low -= WHOLE;
        for byte in self.out.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    fn shift(&mut self) {
        // It is below WHOLE, so its highest byte fits.
        self.out.push((self.low >> (BITS - 8)) as u8);
        self.low = (self.low << 8) % WHOLE;
    }

    /// Returns the code: the fewest bytes of which every continuation lies in the interval.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        for bytes in 0..=BITS / 8 {
            let step = WHOLE >> (8 * bytes);
            let first = self.low.next_multiple_of(step);
            if first + step <= self.low + self.range {
                self.low = first;
                self.carry();
                for _ in 0..bytes {
                    self.shift();
                }
                break;
            }
        }
        self.out
    }
}

/// A reader of symbols, which reads zeros after the end of the code.
#[derive(Debug)]
pub(crate) struct Decoder<'c> {
    /// The code's place in the interval.
    offset: u128,
    range: u128,
    code: &'c [u8],
}

impl<'c> Decoder<'c> {
    pub(crate) fn new(code: &'c [u8]) -> Self {
        let mut decoder = Self { offset: 0, range: WHOLE, code };
        for _ in 0..BITS / 8 {
            decoder.shift();
        }
        decoder
    }

    fn shift(&mut self) {
        let (&byte, rest) = self.code.split_first().unwrap_or((&0, &[]));
        (self.offset, self.code) = (self.offset << 8 | u128::from(byte), rest);
    }

    /// Returns where in `total` the next symbol lies. The symbol must then be taken with
    /// [`Decoder::take`].
    pub(crate) fn peek(&self, total: u64) -> u64 {
        let unit = self.range / u128::from(total);
        // The remainder that rounding leaves at the end of the interval belongs to no symbol and
        // occurs in no code.
        (self.offset / unit).min(u128::from(total) - 1) as u64
    }

    /// Moves past the symbol.
    pub(crate) fn take(&mut self, part: Part) {
        let unit = self.range / u128::from(part.total);
        self.range = unit * u128::from(part.size);
        // In a damaged code the offset may lie outside; the symbols are arbitrary then.
        self.offset = self.offset.saturating_sub(unit * u128::from(part.start)).min(self.range - 1);
        while self.range < LOW_RANGE {
            self.shift();
            self.range <<= 8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest, Strategy};

    /// Returns any part of any total, with sizes from one to nearly all.
    fn part() -> impl Strategy<Value = Part> {
        (any::<u64>(), any::<u64>(), 0u32..58, 0u32..58).prop_map(|(a, b, total, size)| {
            let total = (1 << total) + a % (1 << total);
            let size = ((b % total) >> size).max(1);
            Part { start: a.rotate_left(17) % (total - size + 1), size, total }
        })
    }

    proptest! {
        #[test]
        fn code_restores_each_symbol_and_is_no_longer_than_necessary(
            parts in prop::collection::vec(part(), 0..200),
        ) {
            let mut encoder = Encoder::new(vec![7]);
            for &part in &parts {
                encoder.encode(part);
            }
            let code = encoder.finish();
            prop_assert_eq!(code[0], 7);
            let mut decoder = Decoder::new(&code[1..]);
            for &part in &parts {
                let at = decoder.peek(part.total);
                prop_assert!((part.start..part.start + part.size).contains(&at));
                decoder.take(part);
            }
            let bits: f64 =
                parts.iter().map(|p| (p.total as f64).log2() - (p.size as f64).log2()).sum();
            let length = 8.0 * (code.len() - 1) as f64;
            prop_assert!(length <= bits + 16.0 && length >= bits - 1e-6, "{length} {bits}");
        }

        #[test]
        fn decoder_survives_any_code(
            code in prop::collection::vec(any::<u8>(), 0..40),
            parts in prop::collection::vec(part(), 0..60),
        ) {
            let mut decoder = Decoder::new(&code);
            for part in parts {
                prop_assert!(decoder.peek(part.total) < part.total);
                decoder.take(part);
            }
        }
    }
}
