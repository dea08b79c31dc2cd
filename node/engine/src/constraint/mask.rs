// SPDX-License-Identifier: Apache-2.0
//! The tokens that are allowed at one position.

/// A set of tokens of a vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// One bit for each token, from the lowest bit of the first word on.
    bits: Box<[u32]>,
}

impl Mask {
    /// Returns the empty set over a vocabulary of that size.
    pub(super) fn empty(size: usize) -> Self {
        Self { bits: vec![0; size.div_ceil(32)].into() }
    }

    /// Returns the set with these bits, of which those beyond a vocabulary of that size are left out.
    pub(crate) fn of(bits: &[u32], size: usize) -> Self {
        let mut mask = Self::empty(size);
        for (word, bits) in mask.bits.iter_mut().zip(bits) {
            *word = *bits;
        }
        if let (Some(last), used @ 1..) = (mask.bits.last_mut(), size % 32) {
            *last &= (1 << used) - 1;
        }
        mask
    }

    /// Adds a token, or removes it.
    pub(super) fn set(&mut self, token: u32, allowed: bool) {
        if let Some(word) = self.bits.get_mut(token as usize / 32) {
            let bit = 1 << (token % 32);
            *word = if allowed { *word | bit } else { *word & !bit };
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bits.iter().all(|&word| word == 0)
    }

    /// Returns whether a token is allowed.
    pub fn allows(&self, token: u32) -> bool {
        self.bits.get(token as usize / 32).is_some_and(|word| word >> (token % 32) & 1 == 1)
    }
}
