// SPDX-License-Identifier: Apache-2.0
//! Sixteen numbers side by side: what N1's sums are made of.

use super::LANES;

/// [`LANES`] numbers in whatever a machine has for them. An operation is IEEE's in each lane, so all
/// implementations give the same bits; the one for arrays is the specification.
pub(crate) trait Lanes: Copy {
    /// `x` in each lane.
    ///
    /// # Safety
    /// The machine has the instructions of the implementation; so for all the others.
    unsafe fn splat(x: f32) -> Self;
    /// The numbers of `x`.
    unsafe fn load(x: &[f32; LANES]) -> Self;
    /// The numbers in the lanes.
    unsafe fn store(self) -> [f32; LANES];
    /// The sum in each lane.
    unsafe fn add(self, other: Self) -> Self;
    /// The product in each lane.
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
