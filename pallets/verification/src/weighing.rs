// SPDX-License-Identifier: Apache-2.0
//! The weights of draws and of ends of audits, in addition to the measured ones: the largest possible weight,
//! and the weight for one audit.

use crate::{
    panel::count,
    types::{Audit, Ballot, Phase},
    Audits, Config, Pallet, WeightInfo,
};
use assay_primitives::{
    job::JobId,
    ticket,
    traits::{Operators, Routing},
};
use frame_support::{traits::Get, weights::Weight};

impl<T: Config> Pallet<T> {
    /// Returns the largest weight of a draw in addition to its measured weight.
    pub fn draw_weight() -> Weight {
        let most = T::JurySize::get().max(T::CommitteeSize::get());
        Self::draw_weight_of(most).saturating_add(Self::dismiss_weight())
    }

    /// Returns the weight of a draw of so many verifiers in addition to its measured weight, unless it fails
    /// and ends the audit.
    pub fn draw_weight_of(verifiers: u32) -> Weight {
        // The operator's record, and whether it has delegated to operator, client or challenger.
        T::Routing::committee_weight(verifiers, T::DbWeight::get().reads(4))
            // The outputs of the span, once for the hash and once for the tickets, and those of another
            // span if the first one has none.
            .saturating_add(T::DbWeight::get().reads(ticket::MAX_BLOCKS.saturating_mul(3).into()))
            // A verifier that is seated: its reservation and its seat.
            .saturating_add(T::DbWeight::get().reads_writes(4, 4).saturating_mul(verifiers.into()))
    }

    /// Returns the largest weight of the releases when an audit ends, in addition to its measured weight:
    /// of the members of its committee and of two juries.
    pub fn dismiss_weight() -> Weight {
        let jurors = T::JurySize::get().saturating_mul(2);
        Self::dismiss_weight_of(T::CommitteeSize::get().saturating_add(jurors))
    }

    /// Returns the weight of the releases when an audit ends in which so many verifiers have or had seats, in
    /// addition to its measured weight.
    pub fn dismiss_weight_of(verifiers: u32) -> Weight {
        // The operator of the job and a challenger as well.
        T::Operators::release_weight()
            .saturating_mul(verifiers.saturating_add(2).into())
            // More than the dozen verifiers of the benchmarks: what each is paid, or loses.
            .saturating_add(
                T::DbWeight::get()
                    .reads_writes(4, 5)
                    .saturating_mul(verifiers.saturating_sub(12).into()),
            )
            // The challenger's bond, its recipients, and the reward of a challenger that was right.
            .saturating_add(T::DbWeight::get().reads_writes(6, 6))
    }

    /// Returns the largest weight of a commitment, after which the audit can end: too few seats are filled,
    /// and none can be drawn any more.
    pub fn commit_weight() -> Weight {
        T::WeightInfo::commit_verdict()
            .saturating_add(T::WeightInfo::advance())
            .saturating_add(Self::dismiss_weight())
            .saturating_add(T::DbWeight::get().reads(1))
    }

    /// Returns the weight of a commitment after which others are awaited, or all seats are filled.
    pub fn commit_weight_before_others() -> Weight {
        T::WeightInfo::commit_verdict().saturating_add(T::DbWeight::get().reads(1))
    }

    /// Returns the part of the largest weight that a commitment does not need if it is made now.
    pub(crate) fn spared_by_commit(job: &JobId) -> Weight {
        let Some(audit) = Audits::<T>::get(job) else { return Weight::zero() };
        let is_awaited = |ballot: &Ballot| matches!(ballot, Ballot::Awaited);
        let awaited = audit.seats.iter().filter(|seat| is_awaited(&seat.ballot)).count();
        if awaited > 1 || count(&audit.seats) >= audit.size {
            return Self::commit_weight().saturating_sub(Self::commit_weight_before_others());
        }
        Weight::zero()
    }

    /// Returns the largest weight of a verdict that is revealed, after which the audit can end.
    pub fn reveal_weight() -> Weight {
        T::WeightInfo::reveal_verdict()
            .saturating_add(Self::dismiss_weight())
            // The audit, to see what the report needs.
            .saturating_add(T::DbWeight::get().reads(1))
    }

    /// Returns the weight of a verdict that is revealed while others are awaited.
    pub fn reveal_weight_before_others() -> Weight {
        // A ballot changes as in a commitment. The audit is looked at before, and the job's output.
        T::WeightInfo::commit_verdict().saturating_add(T::DbWeight::get().reads(3))
    }

    /// Returns the weight of the last verdict of an audit in which so many verifiers have or had seats.
    pub fn last_reveal_weight(verifiers: u32) -> Weight {
        T::WeightInfo::reveal_verdict()
            .saturating_add(Self::dismiss_weight_of(verifiers))
            .saturating_add(T::DbWeight::get().reads(1))
    }

    /// Returns the part of the largest weight that a verdict does not need if it is revealed now.
    pub(crate) fn spared_by_reveal(job: &JobId) -> Weight {
        let Some(audit) = Audits::<T>::get(job) else { return Weight::zero() };
        let committed = |ballot: &Ballot| matches!(ballot, Ballot::Committed { .. });
        let awaited = audit.seats.iter().filter(|seat| committed(&seat.ballot)).count();
        let needed = if awaited > 1 {
            Self::reveal_weight_before_others()
        } else {
            Self::last_reveal_weight(verifiers_of(&audit))
        };
        Self::reveal_weight().saturating_sub(needed)
    }

    /// Returns the weight of the action that is due for the audit.
    pub(crate) fn due_weight(audit: &Audit<T::AccountId>) -> Weight {
        let verifiers = verifiers_of(audit);
        if !matches!(audit.phase, Phase::Drawing { .. }) {
            let dismissed = Self::dismiss_weight_of(verifiers);
            return T::WeightInfo::advance().saturating_add(dismissed);
        }
        let jury = audit.stage.is_jury();
        let size = if jury { T::JurySize::get() } else { T::CommitteeSize::get() };
        T::WeightInfo::draw()
            .saturating_add(Self::draw_weight_of(size))
            // A draw that fails ends the audit.
            .saturating_add(Self::dismiss_weight_of(verifiers.saturating_add(size)))
    }
}

/// Returns the number of verifiers that have or had seats.
fn verifiers_of<AccountId>(audit: &Audit<AccountId>) -> u32 {
    u32::try_from(audit.heard.len().saturating_add(audit.seats.len())).unwrap_or(u32::MAX)
}
