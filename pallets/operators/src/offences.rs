// SPDX-License-Identifier: Apache-2.0
//! Offences against consensus. What they cost waits for an appeal before it is taken.

use crate::{
    pallet::{Config, Error, Event, NextSlash, OldestSlash, Operators, Pallet, Slashes},
    types::{OperatorOf, SlashId, SlashOf, UnappliedSlash},
    weights::WeightInfo,
    LOG_TARGET,
};
use assay_primitives::Balance;
use frame_support::{
    ensure,
    traits::{fungible::Balanced, Get, Imbalance},
    weights::Weight,
};
use sp_runtime::{DispatchResult, Perbill, SaturatedConversion};
use sp_staking::{
    offence::{OffenceDetails, OnOffenceHandler},
    SessionIndex,
};

/// The most slashes that a block looks at on its own.
pub(crate) const MAX_SLASHES_PER_BLOCK: u32 = 8;

impl<T: Config> OnOffenceHandler<T::AccountId, (T::AccountId, ()), Weight> for Pallet<T> {
    fn on_offence(
        offenders: &[OffenceDetails<T::AccountId, (T::AccountId, ())>],
        slash_fraction: &[Perbill],
        session: SessionIndex,
    ) -> Weight {
        for (details, fraction) in offenders.iter().zip(slash_fraction) {
            let (offender, ()) = &details.offender;
            // Nobody gains by reporting itself.
            let reporter = details.reporters.first().filter(|reporter| *reporter != offender);
            Self::record_slash(offender, *fraction, reporter.cloned(), session);
        }
        T::WeightInfo::record_slash().saturating_mul(offenders.len().saturated_into())
    }
}

impl<T: Config> Pallet<T> {
    /// Puts a slash down of that fraction of all that is at stake for the operator.
    pub(crate) fn record_slash(
        stash: &T::AccountId,
        fraction: Perbill,
        reporter: Option<T::AccountId>,
        session: SessionIndex,
    ) {
        let Some(mut operator) = Operators::<T>::get(stash) else {
            log::warn!(target: LOG_TARGET, "{stash:?} offended in session {session}, no operator");
            return;
        };
        let at_stake = operator.at_stake();
        let left = at_stake.saturating_sub(operator.pending);
        let amount = fraction.mul_ceil(at_stake).min(left);
        if amount == 0 {
            return;
        }
        let slash = Self::put_slash(stash, &mut operator, amount, reporter);
        operator.pending = operator.pending.saturating_add(amount);
        Operators::<T>::insert(stash, operator);
        Self::deposit_event(Event::SlashRecorded {
            operator: stash.clone(),
            slash,
            session,
            amount,
        });
    }

    /// Stores a slash of its own, or adds it to the last one where the operator has as many as can
    /// be; gives its number.
    fn put_slash(
        stash: &T::AccountId,
        operator: &mut OperatorOf<T>,
        amount: Balance,
        reporter: Option<T::AccountId>,
    ) -> SlashId {
        let due = Self::now().saturating_add(T::SlashDelay::get());
        let next = NextSlash::<T>::get();
        let last = operator.slashes.last().copied();
        if operator.slashes.try_push(next).is_ok() {
            let slash = UnappliedSlash { operator: stash.clone(), amount, reporter, due };
            Slashes::<T>::insert(next, slash);
            NextSlash::<T>::put(next.wrapping_add(1));
            return next;
        }
        let last = last.unwrap_or(next);
        Slashes::<T>::mutate(last, |slash| {
            if let Some(slash) = slash {
                slash.amount = slash.amount.saturating_add(amount);
                slash.due = due;
            }
        });
        last
    }

    /// Takes a slash off its operator's record; gives both.
    fn take_slash(id: SlashId) -> Result<(SlashOf<T>, OperatorOf<T>), Error<T>> {
        let slash = Slashes::<T>::take(id).ok_or(Error::<T>::SlashUnknown)?;
        // An operator with slashes is never removed.
        let mut operator = Operators::<T>::get(&slash.operator).ok_or(Error::<T>::NotOperator)?;
        operator.slashes.retain(|next| *next != id);
        operator.pending = operator.pending.saturating_sub(slash.amount);
        Ok((slash, operator))
    }

    pub(crate) fn do_cancel_slash(id: SlashId) -> DispatchResult {
        let (slash, operator) = Self::take_slash(id)?;
        Operators::<T>::insert(&slash.operator, operator);
        Self::deposit_event(Event::SlashCancelled { operator: slash.operator, slash: id });
        Ok(())
    }

    /// Applies a slash whose appeal is over. What duties reserve stays, since other accounts are owed
    /// it. Half goes to the reporter, if there is one, and the rest is burnt.
    pub(crate) fn do_apply_slash(id: SlashId) -> DispatchResult {
        let due = Slashes::<T>::get(id).ok_or(Error::<T>::SlashUnknown)?.due;
        ensure!(due <= Self::now(), Error::<T>::SlashNotDue);
        let (UnappliedSlash { operator: stash, amount, reporter, .. }, mut operator) =
            Self::take_slash(id)?;
        let within_reach = operator.at_stake().saturating_sub(operator.reserved);
        let credit = Self::slash(&stash, &mut operator, amount.min(within_reach));
        let amount = credit.peek();
        Self::rank(&stash, Some(&operator));
        Operators::<T>::insert(&stash, operator);
        if let Some(reporter) = &reporter {
            let (reward, _burnt) = credit.split(amount / 2);
            if T::Currency::resolve(reporter, reward).is_err() {
                log::warn!(target: LOG_TARGET, "{reporter:?} cannot take its reward: burnt");
            }
        }
        Self::deposit_event(Event::Slashed { operator: stash, slash: id, amount, reporter });
        Ok(())
    }

    /// Applies slashes that are due, the oldest first, as far as the weight reaches; gives what it
    /// took.
    pub(crate) fn apply_due_slashes(limit: Weight) -> Weight {
        let mut used = T::WeightInfo::on_idle();
        let each = T::WeightInfo::apply_slash();
        if !used.all_lte(limit) {
            return Weight::zero();
        }
        let (first, end) = (OldestSlash::<T>::get(), NextSlash::<T>::get());
        let mut oldest = first;
        for _ in 0..MAX_SLASHES_PER_BLOCK {
            if oldest == end || !used.saturating_add(each).all_lte(limit) {
                break;
            }
            used = used.saturating_add(each);
            // One that is not due stops the line; one that is not there was applied or cancelled.
            if Self::do_apply_slash(oldest) == Err(Error::<T>::SlashNotDue.into()) {
                break;
            }
            oldest = oldest.wrapping_add(1);
        }
        if oldest != first {
            OldestSlash::<T>::put(oldest);
        }
        used
    }
}
