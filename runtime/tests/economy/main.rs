// SPDX-License-Identifier: Apache-2.0
//! Attacks on the economy, played through the pallets of the real runtime. Each test computes what
//! the attackers gain and lose, and asserts that the attack does not pay.

#[path = "../blocks/mod.rs"]
mod blocks;
mod blockspace;
#[path = "../chain/mod.rs"]
mod chain;
mod challenges;
mod checkable;
mod conduct;
mod empty;
mod exposure;
mod forfeits;
mod framing;
mod prices;
mod queue;
mod scene;
mod stuffing;
#[path = "../tickets/mod.rs"]
mod tickets;
mod washing;
