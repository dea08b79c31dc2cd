// SPDX-License-Identifier: Apache-2.0
//! The election of validators: the operators with the most stake that have session keys, and the
//! validators of genesis while there are fewer of those. An operator with a pending slash is never
//! elected, and neither is one with less than half of the average stake: slots go by seat, so stake that
//! is split into many small seats would author more than its share of the blocks.

use crate::{
    pallet::{Config, GenesisValidators, Operators, Pallet, Ranking},
    types::{OperatorOf, Ranked},
    weights::WeightInfo,
    LOG_TARGET,
};
use alloc::vec::Vec;
use assay_primitives::Balance;
use frame_support::{
    dispatch::DispatchClass,
    traits::{Get, ValidatorRegistration},
};
use pallet_session::historical;
use sp_runtime::SaturatedConversion;
use sp_staking::SessionIndex;

impl<T: Config> Pallet<T> {
    /// Returns the validators of the next session, the most stake first; empty if nobody has keys.
    pub(crate) fn elect() -> Vec<T::AccountId> {
        let candidates = Self::refresh_ranking()
            .into_iter()
            .filter(|next| T::Sessions::is_registered(&next.stash))
            .take(T::MaxValidators::get().saturated_into());
        let (mut elected, mut total): (Vec<T::AccountId>, Balance) = (Vec::new(), 0);
        for (count, Ranked { stake, stash }) in (1..).zip(candidates) {
            total = total.saturating_add(stake);
            // Those that follow have less.
            if stake.saturating_mul(2).saturating_mul(count) < total {
                break;
            }
            elected.push(stash);
        }

        let genesis = GenesisValidators::<T>::get();
        for validator in &genesis {
            if elected.len() >= genesis.len() {
                break;
            }
            let waits = |operator: OperatorOf<T>| !operator.slashes.is_empty();
            if !elected.contains(validator)
                && T::Sessions::is_registered(validator)
                && !Operators::<T>::get(validator).is_some_and(waits)
            {
                elected.push(validator.clone());
            }
        }
        elected
    }
}

impl<T: Config> pallet_session::SessionManager<T::AccountId> for Pallet<T> {
    fn new_session(index: SessionIndex) -> Option<Vec<T::AccountId>> {
        // The session pallet calls this within a block and does not know the weight of this
        // pallet's work.
        frame_system::Pallet::<T>::register_extra_weight_unchecked(
            T::WeightInfo::elect(Ranking::<T>::decode_len().unwrap_or(0).saturated_into()),
            DispatchClass::Mandatory,
        );
        let elected = Self::elect();
        if elected.is_empty() {
            log::warn!(target: LOG_TARGET, "nobody has keys for session {index}: validators stay");
            return None;
        }
        log::debug!(target: LOG_TARGET, "{} validators for session {index}", elected.len());
        Some(elected)
    }

    fn new_session_genesis(_: SessionIndex) -> Option<Vec<T::AccountId>> {
        let elected = Self::elect();
        (!elected.is_empty()).then_some(elected)
    }

    fn start_session(index: SessionIndex) {
        Self::forget_offences(index);
    }

    fn end_session(_: SessionIndex) {}
}

impl<T: Config> historical::SessionManager<T::AccountId, ()> for Pallet<T> {
    fn new_session(index: SessionIndex) -> Option<Vec<(T::AccountId, ())>> {
        let elected = <Self as pallet_session::SessionManager<_>>::new_session(index)?;
        Some(elected.into_iter().map(|validator| (validator, ())).collect())
    }

    fn new_session_genesis(index: SessionIndex) -> Option<Vec<(T::AccountId, ())>> {
        let elected = <Self as pallet_session::SessionManager<_>>::new_session_genesis(index)?;
        Some(elected.into_iter().map(|validator| (validator, ())).collect())
    }

    fn start_session(index: SessionIndex) {
        <Self as pallet_session::SessionManager<_>>::start_session(index);
    }

    fn end_session(index: SessionIndex) {
        <Self as pallet_session::SessionManager<_>>::end_session(index);
    }
}
