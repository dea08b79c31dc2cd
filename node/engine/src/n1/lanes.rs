// SPDX-License-Identifier: Apache-2.0
//! Vectors of sixteen numbers, of which N1's sums are made.

use super::LANES;

/// A vector of [`LANES`] numbers, in whichever registers a machine has for them. Every operation is
/// IEEE's in each lane, so all implementations produce the same bits; the one for arrays is the
/// specification.
pub(crate) trait Lanes: Copy {
    /// Returns `x` in each lane.
    ///
    /// # Safety
    /// The machine must have the instructions of the implementation. The same holds for the other
    /// functions.
    unsafe fn splat(x: f32) -> Self;
    /// Loads the numbers of `x`.
    unsafe fn load(x: &[f32; LANES]) -> Self;
    /// Returns the numbers in the lanes.
    unsafe fn store(self) -> [f32; LANES];
    /// Returns the sum in each lane.
    unsafe fn add(self, other: Self) -> Self;
    /// Returns the product in each lane.
    unsafe fn mul(self, other: Self) -> Self;
}

impl Lanes for [f32; LANES] {
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        [x; LANES]
    }

    #[inline(always)]
    unsafe fn load(x: &[f32; LANES]) -> Self {
        *x
    }

    #[inline(always)]
    unsafe fn store(self) -> [f32; LANES] {
        self
    }

    #[inline(always)]
    unsafe fn add(mut self, other: Self) -> Self {
        self.iter_mut().zip(other).for_each(|(a, b)| *a += b);
        self
    }

    #[inline(always)]
    unsafe fn mul(mut self, other: Self) -> Self {
        self.iter_mut().zip(other).for_each(|(a, b)| *a *= b);
        self
    }
}
