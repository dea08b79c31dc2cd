// SPDX-License-Identifier: Apache-2.0
//! The invariants of the runtime's own pallets, for the tests.

use assay_runtime::{Addresses, Beacon, Escrow, Jobs, Operators, Routing, Verification};

/// Checks the invariants of every pallet.
pub fn check() {
    Addresses::do_try_state().unwrap();
    Beacon::do_try_state().unwrap();
    Escrow::do_try_state().unwrap();
    Jobs::do_try_state().unwrap();
    Operators::do_try_state().unwrap();
    Routing::do_try_state().unwrap();
    Verification::do_try_state().unwrap();
}
