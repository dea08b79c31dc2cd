// SPDX-License-Identifier: Apache-2.0
//! The presentation of jobs, operators and delegations. In JSON, amounts are strings of planck, since
//! most JSON parsers do not read numbers of that size exactly; amounts that people look at are there
//! in ASY too.

pub mod allocation;
pub mod audit;
pub mod delegation;
mod format;
pub mod job;
pub mod logprobs;
pub mod operator;
pub mod prices;
pub mod settlement;

pub use format::{count, percent, planck, short};
