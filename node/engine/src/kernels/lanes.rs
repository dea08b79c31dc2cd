// SPDX-License-Identifier: Apache-2.0
//! Work that each kernel does in its own vectors.

use crate::n1::Lanes;

/// Work on vectors of sixteen numbers, whatever the machine has for them.
pub(crate) trait OverLanes {
    /// Does it; to be inlined, so that it is compiled for each kernel.
    ///
    /// # Safety
    /// That of `L`.
    unsafe fn run<L: Lanes>(self);
}
