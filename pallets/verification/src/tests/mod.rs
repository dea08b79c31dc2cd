// SPDX-License-Identifier: Apache-2.0
//! Tests by topic.

mod attacks;
mod authors;
mod bounds;
mod challenge;
mod collusion;
mod config;
mod draw;
mod duties;
mod jury;
mod on_request;
mod outcome;
mod publication;
mod random;
mod silence;
mod washing;
mod withholding;
