// SPDX-License-Identifier: Apache-2.0
//! The forward pass: tokens of one or several sequences in, rows of logits out.
//!
//! A pass cuts its tokens into tiles of up to 32, regardless of their sequences, and gives whole
//! tiles to the threads, in two parallel regions per layer. Decode is the same code with one tile
//! of one token, whose large products are split by output rows instead. A row depends on its own
//! prefix alone, so other sequences in the pass change no bit.

mod attention;
mod head_tile;
mod product;
mod rows;
mod session;
mod step;
mod tile;
mod workspace;

pub use rows::Row;
pub(crate) use rows::Span;
pub(crate) use session::Sequence;
pub use session::Session;
pub(crate) use workspace::{Workspace, CHUNK};
