// SPDX-License-Identifier: Apache-2.0
//! Offences against consensus, which burn stake.

use crate::{
    pallet::{Config, Event, Operators, Pallet},
    weights::WeightInfo,
    LOG_TARGET,
};
use assay_primitives::Balance;
use frame_support::{traits::Imbalance, weights::Weight};
use sp_runtime::{Perbill, SaturatedConversion};
use sp_staking::{
    offence::{OffenceDetails, OnOffenceHandler},
    SessionIndex,
};

impl<T: Config, Reporter> OnOffenceHandler<Reporter, (T::AccountId, ()), Weight> for Pallet<T> {
    fn on_offence(
        offenders: &[OffenceDetails<Reporter, (T::AccountId, ())>],
        slash_fraction: &[Perbill],
        session: SessionIndex,
    ) -> Weight {
        for (details, fraction) in offenders.iter().zip(slash_fraction) {
            Self::slash_offender(&details.offender.0, *fraction, session);
        }
        T::WeightInfo::slash_offender().saturating_mul(offenders.len().saturated_into())
    }
}

impl<T: Config> Pallet<T> {
    /// Burns that fraction of an operator's stake, with what it is unbonding: first what no duty
    /// reserves, then what is being unbonded. What duties reserve stays, since other accounts are
    /// owed it. Gives what was burnt.
    pub(crate) fn slash_offender(
        stash: &T::AccountId,
        fraction: Perbill,
        session: SessionIndex,
    ) -> Balance {
        let Some(mut operator) = Operators::<T>::get(stash) else {
            log::warn!(target: LOG_TARGET, "{stash:?} offended in session {session}, no operator");
            return 0;
        };
        let at_stake = operator.bonded.saturating_add(operator.unbonding_total());
        let due = fraction.mul_ceil(at_stake);
        let within_reach = operator.unreserved().saturating_add(operator.unbonding_total());
        let burnt = Self::slash_hold(stash, due.min(within_reach)).peek();
        if burnt == 0 {
            return 0;
        }

        let mut left = burnt;
        let from_bonded = left.min(operator.unreserved());
        operator.bonded = operator.bonded.saturating_sub(from_bonded);
        left = left.saturating_sub(from_bonded);
        for next in operator.unbonding.iter_mut() {
            let from_next = left.min(next.amount);
            next.amount = next.amount.saturating_sub(from_next);
            left = left.saturating_sub(from_next);
        }
        operator.unbonding.retain(|next| next.amount > 0);
        Operators::<T>::insert(stash, operator);
        Self::deposit_event(Event::Slashed { operator: stash.clone(), session, amount: burnt });
        burnt
    }
}
