// SPDX-License-Identifier: Apache-2.0
//! The two ways in which the parts of a score are put together; `score` has the formulas.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// How the parts of a score are put together.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub enum Mode {
    /// Uptime times shares of speed and stake. Splitting gains nothing.
    #[default]
    #[codec(index = 0)]
    Shares,
    /// A sum of uptime, speed and stake.
    #[codec(index = 1)]
    Additive,
}
