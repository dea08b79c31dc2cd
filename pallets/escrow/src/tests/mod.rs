// SPDX-License-Identifier: Apache-2.0
//! Tests by topic.

mod claims;
mod extras;
mod fund;
mod open;
mod pay;
mod random;
