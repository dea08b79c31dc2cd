// SPDX-License-Identifier: Apache-2.0
//! The way of a piece of work, from the queue to its result.

pub mod attempt;
pub mod cancellations;
pub mod gather;
mod generate;
pub mod key;
pub mod pending;
mod prepare;
pub mod queue;
mod readable;
mod run;
pub mod threads;
mod verify;
