// SPDX-License-Identifier: Apache-2.0
//! Tests by topic.

mod contact;
mod delegation;
mod duties;
mod elections;
mod genesis;
mod leaving;
mod offchain;
mod offences;
mod random;
mod ranking;
mod refusals;
mod registry;
mod reports;
mod rewards;
mod rotation;
mod slashing;
mod stake;
mod standing;
