// SPDX-License-Identifier: Apache-2.0
//! The assumptions on which the results depend and that the runtime does not know.

use assay_primitives::{BlockNumber, Prices};
use assay_runtime::presets::TINY_PRICES;

/// The prices of all operators.
pub const PRICES: Prices = TINY_PRICES;

/// The prompt of the reference job in tokens.
pub const INPUT: u32 = 200;
/// The most tokens that the reference job allows.
pub const MOST: u32 = 1_000;
/// The tokens of its honest output.
pub const TOKENS: u32 = 500;

/// The cost of honest work, as a part of its price: electricity and wear of the machine.
pub const HONEST: f64 = 0.50;
/// The cost of a wrong model, ten times smaller, as a part of the cost of honest work.
pub const WRONG_MODEL: f64 = 0.10;
/// The cost of a cheaper quantisation, half as long in bytes, as a part of the cost of honest work.
pub const QUANTISED: f64 = 0.50;
/// The cost of a check, as a part of the cost of honest work: the engine verifies 500 tokens some five
/// times as fast as it generates them.
pub const CHECK: f64 = 0.20;

/// The operators that can be drawn for a panel, all with the same stake. The operator of the job is
/// not among them.
pub const POOL: u32 = 100;

/// The shares of the pool that collude, in percent. The same share of the slots is theirs.
pub const SHARES: [u32; 6] = [5, 10, 15, 20, 25, 30];

/// The share at which results are given, in percent.
pub const SHARE: u32 = 20;

/// An author waits for a moment that comes once in so many blocks.
pub const PATIENCE: BlockNumber = 1_000;

/// The bytes of a request of the reference job and of a transcript of it.
pub const PAYLOADS: [usize; 2] = [1_200, 5_000];

/// The tokens of a job that is ordered for its speed, and the milliseconds in which it is delivered.
pub const WASHED: (u32, f64) = (1_500, 3_000.0);
