// SPDX-License-Identifier: Apache-2.0
//! Which deliveries are audited.

use crate::{
    types::{Audit, Phase},
    Audits, Config, Due, Pallet, Records,
};
use assay_primitives::{
    draw::{self, Purpose},
    job::JobId,
    traits::Auditor,
    BlockNumber,
};
use frame_support::{traits::Get, BoundedVec};
use sp_core::H256;
use sp_runtime::Permill;

/// Blocks from an event to the first draw whose randomness was not known at that event: the draw
/// reads the output of its parent block, and that must be a later one than the event's.
pub(crate) const DRAW_DELAY: BlockNumber = 2;

impl<T: Config> Auditor<T::AccountId> for Pallet<T> {
    fn delivered(job: &JobId, _operator: &T::AccountId) {
        let at = Self::now().saturating_add(DRAW_DELAY);
        let audit = Audit {
            round: 0,
            phase: Phase::Drawing { at },
            seats: BoundedVec::new(),
            silent: BoundedVec::new(),
        };
        Self::put(job, audit);
    }

    fn settled(operator: &T::AccountId, fault: bool) {
        if fault {
            Records::<T>::remove(operator);
        } else {
            Records::<T>::mutate(operator, |record| *record = record.saturating_add(1));
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Stores an audit and puts the end of its phase on the agenda.
    pub(crate) fn put(job: &JobId, audit: Audit<T::AccountId>) {
        Due::<T>::add(audit.phase.due(), job);
        Audits::<T>::insert(job, audit);
    }

    /// The rate at which the operator's jobs are audited now.
    pub fn audit_rate(operator: &T::AccountId) -> Permill {
        let all = T::AuditAllFirst::get();
        let record = Records::<T>::get(operator);
        if record < all {
            return Permill::one();
        }
        Permill::from_rational(all, record.max(1)).max(T::AuditFloor::get())
    }

    /// Whether a job of the operator is drawn for an audit.
    pub(crate) fn is_drawn(job: &JobId, operator: &T::AccountId, randomness: &H256) -> bool {
        let seed = draw::seed(randomness, job, Purpose::Audit);
        let ticket = draw::number_below(&seed, 0, Permill::one().deconstruct().into());
        ticket < Self::audit_rate(operator).deconstruct().into()
    }
}
