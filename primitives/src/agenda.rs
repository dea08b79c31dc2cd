// SPDX-License-Identifier: Apache-2.0
//! Agendas: jobs listed by the block in which they are due.
//!
//! An agenda is a double map from blocks and jobs to nothing, with a cursor at the earliest block
//! that is not yet worked off. Entries are hints: a job's own state decides what is due. An
//! outdated entry therefore does no harm, and entries are removed only when their block is worked
//! off. Entries that do not fit in one block wait for the next, earlier blocks first.

use crate::{job::JobId, BlockNumber};
use alloc::vec::Vec;
use core::marker::PhantomData;
use frame_support::{IterableStorageDoubleMap, StorageValue};

/// The most blocks by which an agenda advances in one call.
pub const MAX_PASSES: u32 = 64;

/// An agenda over two storage items of a pallet.
pub struct Agenda<Entries, Cursor>(PhantomData<(Entries, Cursor)>);

impl<Entries, Cursor> Agenda<Entries, Cursor>
where
    Entries: IterableStorageDoubleMap<BlockNumber, JobId, ()>,
    Cursor: StorageValue<BlockNumber, Query = BlockNumber>,
{
    /// Adds the job to block `at`, or to the earliest block that is not yet worked off if that is
    /// later.
    pub fn add(at: BlockNumber, job: &JobId) {
        Entries::insert(at.max(Cursor::get()), job, ());
    }

    /// Removes and returns up to `max` jobs that are due in block `now` or earlier. Visits at most
    /// `max + 1` blocks, and at most [`MAX_PASSES`].
    pub fn take_due(now: BlockNumber, max: u32) -> Vec<JobId> {
        let mut due = Vec::new();
        let mut room = max as usize;
        let mut at = Cursor::get();
        for _ in 0..MAX_PASSES.min(max.saturating_add(1)) {
            if at > now || room == 0 {
                break;
            }
            due.extend(Entries::drain_prefix(at).map(|(job, ())| job).take(room));
            room = (max as usize).saturating_sub(due.len());
            if room > 0 {
                at = at.saturating_add(1);
            }
        }
        Cursor::put(at);
        due
    }
}
