// SPDX-License-Identifier: Apache-2.0
//! Work that each kernel does in its own vectors.

use crate::n1::Lanes;

/// Work on vectors of sixteen numbers, in whichever registers the machine has for them.
pub(crate) trait OverLanes {
    /// Does the work. Implementations must be inlined, so that they are compiled for each kernel.
    ///
    /// # Safety
    /// The machine must have the instructions of `L`.
    unsafe fn run<L: Lanes>(self);
}
