// SPDX-License-Identifier: Apache-2.0
//! Offences against consensus. Their slashes can be cancelled before they are applied.

use crate::{
    pallet::{Config, Error, Event, NextSlash, Offences, OldestSlash, Operators, Pallet, Slashes},
    types::{OperatorOf, SlashId, SlashOf, UnappliedSlash},
    weights::WeightInfo,
    LOG_TARGET,
};
use assay_primitives::{traits::OperatorChanged, Balance};
use frame_support::{
    dispatch::DispatchClass,
    ensure,
    traits::{fungible::Balanced, Get, Imbalance},
    weights::Weight,
};
use sp_runtime::{DispatchResult, Perbill, SaturatedConversion};
use sp_staking::{
    offence::{OffenceDetails, OnOffenceHandler},
    SessionIndex,
};

/// The most slashes that a block looks at in `on_idle`.
pub(crate) const MAX_SLASHES_PER_BLOCK: u32 = 8;

impl<T: Config> OnOffenceHandler<T::AccountId, (T::AccountId, ()), Weight> for Pallet<T> {
    fn on_offence(
        offenders: &[OffenceDetails<T::AccountId, (T::AccountId, ())>],
        slash_fraction: &[Perbill],
        session: SessionIndex,
    ) -> Weight {
        for (details, fraction) in offenders.iter().zip(slash_fraction) {
            let (offender, ()) = &details.offender;
            // An operator that reports itself gains nothing.
            let reporter = details.reporters.first().filter(|reporter| *reporter != offender);
            Self::record_slash(offender, *fraction, reporter.cloned(), session);
        }
        let weight = T::WeightInfo::record_slash().saturating_mul(offenders.len().saturated_into());
        // The pallet of offences does not count the weight returned here.
        frame_system::Pallet::<T>::register_extra_weight_unchecked(
            weight,
            DispatchClass::Mandatory,
        );
        weight
    }
}

impl<T: Config> Pallet<T> {
    /// Removes the offences of a session that can no longer be reported.
    pub(crate) fn forget_offences(now: SessionIndex) {
        let Some(old) = now.checked_sub(T::OffenceSessions::get().saturating_add(1)) else {
            return;
        };
        let _ = Offences::<T>::clear_prefix(old, T::MaxValidators::get(), None);
    }

    /// Records a slash of that fraction of everything that is at stake for the operator.
    pub(crate) fn record_slash(
        stash: &T::AccountId,
        fraction: Perbill,
        reporter: Option<T::AccountId>,
        session: SessionIndex,
    ) {
        let Some(mut operator) = Operators::<T>::get(stash) else {
            log::warn!(
                target: LOG_TARGET,
                "the offender {stash:?} of session {session} is not an operator"
            );
            return;
        };
        // Each further offender in a session raises the fraction of all, including earlier
        // offenders. Only the increase is new.
        let known = Offences::<T>::get(session, stash);
        let more = fraction.deconstruct().saturating_sub(known.deconstruct());
        Offences::<T>::insert(session, stash, known.max(fraction));
        let at_stake = operator.at_stake();
        let left = at_stake.saturating_sub(operator.pending);
        let amount = Perbill::from_parts(more).mul_ceil(at_stake).min(left);
        if amount == 0 {
            return;
        }
        let slash = Self::put_slash(stash, &mut operator, amount, reporter);
        operator.pending = operator.pending.saturating_add(amount);
        // The operator does not stand for election while the slash is pending.
        Self::rank(stash, Some(&operator));
        Operators::<T>::insert(stash, operator);
        Self::deposit_event(Event::SlashRecorded {
            operator: stash.clone(),
            slash,
            session,
            amount,
        });
    }

    /// Stores a new slash, or adds to the last one if the operator has the most that it can have.
    /// Returns its number.
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
        // The amount joins the last slash without postponing it, so that nobody can keep
        // withdrawals waiting for ever.
        let last = last.unwrap_or(next);
        Slashes::<T>::mutate(last, |slash| {
            let Some(slash) = slash else { return };
            slash.amount = slash.amount.saturating_add(amount);
        });
        last
    }

    /// Removes a slash from its operator's record and returns both.
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
        Self::rank(&slash.operator, Some(&operator));
        Operators::<T>::insert(&slash.operator, operator);
        Self::deposit_event(Event::SlashCancelled { operator: slash.operator, slash: id });
        Ok(())
    }

    /// Applies a slash whose delay is over, once duties reserve none of the stake that it takes,
    /// since reservations are owed to others. While the slash is pending, the operator is given no
    /// duty that would delay it. A reporter receives half of the operator's own loss, and the rest
    /// is burnt, so that an operator gains nothing by reporting itself under another name.
    pub(crate) fn do_apply_slash(id: SlashId) -> DispatchResult {
        let slash = Slashes::<T>::get(id).ok_or(Error::<T>::SlashUnknown)?;
        ensure!(slash.due <= Self::now(), Error::<T>::SlashNotDue);
        let known = Operators::<T>::get(&slash.operator).ok_or(Error::<T>::NotOperator)?;
        let cut = Self::pro_rata_cut(&known, slash.amount);
        let own = known.own_at_stake().saturating_sub(cut.own());
        ensure!(own >= known.reserved, Error::<T>::StakeReserved);
        let (UnappliedSlash { operator: stash, reporter, .. }, mut operator) =
            Self::take_slash(id)?;
        let credit = Self::slash(&stash, &mut operator, cut);
        let amount = credit.peek();
        Self::tell_stake(&stash, Some(&operator));
        Operators::<T>::insert(&stash, operator);
        if let Some(reporter) = &reporter {
            let (reward, _burnt) = credit.split(cut.own() / 2);
            if T::Currency::resolve(reporter, reward).is_err() {
                log::warn!(target: LOG_TARGET, "{reporter:?} cannot receive its reward: burnt");
            }
        }
        Self::deposit_event(Event::Slashed { operator: stash, slash: id, amount, reporter });
        Ok(())
    }

    /// Applies slashes that are due, the oldest first, within the weight `limit`, and returns the
    /// weight used.
    pub(crate) fn apply_due_slashes(limit: Weight) -> Weight {
        let mut used = T::WeightInfo::on_idle();
        let each = T::WeightInfo::apply_slash().saturating_add(T::Listener::weight());
        if !used.all_lte(limit) {
            return Weight::zero();
        }
        let (first, end) = (OldestSlash::<T>::get(), NextSlash::<T>::get());
        let mut oldest = first;
        let mut next = first;
        for _ in 0..MAX_SLASHES_PER_BLOCK {
            if next == end || !used.saturating_add(each).all_lte(limit) {
                break;
            }
            used = used.saturating_add(each);
            // A waiting slash keeps later ones from being forgotten, but not from being applied.
            let waits = Self::do_apply_slash(next).is_err() && Slashes::<T>::contains_key(next);
            next = next.wrapping_add(1);
            if !waits && oldest.wrapping_add(1) == next {
                oldest = next;
            }
        }
        if oldest != first {
            OldestSlash::<T>::put(oldest);
        }
        used
    }
}
