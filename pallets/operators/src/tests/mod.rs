// SPDX-License-Identifier: Apache-2.0
//! Tests by topic.

mod duties;
mod elections;
mod genesis;
mod offchain;
mod offences;
mod random;
mod registry;
mod reports;
mod stake;
