// SPDX-License-Identifier: Apache-2.0
//! The draws of a job's audit, recomputed from block data and compared with what the chain recorded.
//!
//! - [`output`]: the VRF output of a block, from its header and the epoch's randomness.
//! - [`snapshot`]: a part of a block's state, in which this build's own pallets are run.
//! - [`reads`]: what a draw reads of that state.
//! - [`timeline`]: the blocks in which a job waited for draws, and in which they were made.
//! - [`evidence`]: all that one draw was made from, and what the chain recorded of it.
//! - [`recompute`]: the draw, made again.
//! - [`finding`]: each recomputed value beside the recorded one.
//! - [`gather`]: the same from a node's RPC.
//!
//! Nothing here asks the runtime of the chain. The randomness comes from headers, and the verifiers from
//! the stakes in the state of the block before the draw, by the code of the pallets that this command
//! was built with.

pub mod evidence;
pub mod finding;
pub mod gather;
#[cfg(test)]
mod lies;
pub mod output;
pub mod reads;
pub mod recompute;
#[cfg(test)]
mod scene;
pub mod snapshot;
pub mod timeline;
