// SPDX-License-Identifier: Apache-2.0
//! The registry of operators and their offers.

use crate::{
    pallet::{Config, Error, Event, GenesisOperator, Operators, Orphans, Pallet, Serving, Workers},
    types::{Commission, Delegated, Offer, OffersOf, Operator, OperatorOf},
};
use alloc::vec::Vec;
use assay_primitives::{contact::SignedContact, Balance, BlockNumber};
use frame_support::{ensure, traits::Get, BoundedVec};
use sp_runtime::{DispatchError, DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
    /// Returns the number of this block.
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// Changes an operator if `change` succeeds, and returns the result of `change`.
    pub(crate) fn try_change<R>(
        stash: &T::AccountId,
        change: impl FnOnce(&mut OperatorOf<T>) -> Result<R, DispatchError>,
    ) -> Result<R, DispatchError> {
        Operators::<T>::try_mutate_exists(stash, |operator| {
            change(operator.as_mut().ok_or(Error::<T>::NotOperator)?)
        })
    }

    /// Registers an operator; an operator of genesis has no contact.
    pub(crate) fn do_register(
        stash: T::AccountId,
        worker: T::AccountId,
        signed: Option<SignedContact>,
        offers: OffersOf<T>,
        concurrency: u32,
        bond: Balance,
    ) -> DispatchResult {
        ensure!(!Operators::<T>::contains_key(&stash), Error::<T>::AlreadyOperator);
        ensure!(Operators::<T>::count() < T::MaxOperators::get(), Error::<T>::OperatorsFull);
        ensure!(!Orphans::<T>::contains_key(&stash), Error::<T>::DelegationsLeft);
        Self::ensure_worker(&stash, &worker)?;
        Self::ensure_offers(&offers)?;
        Self::ensure_concurrency(concurrency)?;
        ensure!(bond >= T::MinBond::get(), Error::<T>::BondBelowMinimum);
        if let Some(signed) = &signed {
            Self::ensure_contact(&stash, signed)?;
        }
        Self::hold(&stash, bond)?;
        Workers::<T>::insert(&worker, &stash);
        Self::index_offers(&stash, &[], &offers);
        let operator = Operator {
            worker: worker.clone(),
            retiring: None,
            rotations: 0,
            payout: None,
            offers,
            concurrency,
            running: 0,
            draining: false,
            commission: Commission::default(),
            bonded: bond,
            unbonding: BoundedVec::new(),
            delegated: Delegated::default(),
            reserved: 0,
            duties: 0,
            slashes: BoundedVec::new(),
            pending: 0,
        };
        Self::tell_stake(&stash, Some(&operator));
        Operators::<T>::insert(&stash, operator);
        Self::deposit_event(Event::Registered { operator: stash.clone(), worker, bond });
        if let Some(signed) = signed {
            Self::keep_contact(stash, signed.contact);
        }
        Ok(())
    }

    /// Registers an operator of genesis.
    pub(crate) fn register_genesis(operator: &GenesisOperator<T::AccountId>) -> DispatchResult {
        let (stash, worker, offers, concurrency, bond) = operator.clone();
        let offers: Vec<Offer> = offers
            .into_iter()
            .map(|(model, prices, context)| Offer::unlimited(model, prices, context))
            .collect();
        let offers = OffersOf::<T>::try_from(offers)
            .map_err(|_| DispatchError::Other("the operator has more than MaxOffers offers"))?;
        Self::do_register(stash, worker, None, offers, concurrency, bond)
    }

    pub(crate) fn do_set_offers(stash: T::AccountId, offers: OffersOf<T>) -> DispatchResult {
        Self::try_change(&stash, |operator| {
            Self::ensure_offers(&offers)?;
            Self::index_offers(&stash, &operator.offers, &offers);
            operator.offers = offers.clone();
            Self::tell_service(&stash, operator);
            Ok(())
        })?;
        Self::deposit_event(Event::OffersSet { operator: stash, offers });
        Ok(())
    }

    pub(crate) fn do_set_concurrency(stash: T::AccountId, concurrency: u32) -> DispatchResult {
        Self::try_change(&stash, |operator| {
            Self::ensure_concurrency(concurrency)?;
            operator.concurrency = concurrency;
            Ok(())
        })?;
        Self::deposit_event(Event::ConcurrencySet { operator: stash, concurrency });
        Ok(())
    }

    pub(crate) fn do_set_draining(stash: T::AccountId, draining: bool) -> DispatchResult {
        Self::try_change(&stash, |operator| {
            operator.draining = draining;
            Self::tell_service(&stash, operator);
            Ok(())
        })?;
        Self::deposit_event(Event::DrainingSet { operator: stash, draining });
        Ok(())
    }

    /// Updates the index of the operators of each model when an operator's offers change.
    pub(crate) fn index_offers(stash: &T::AccountId, before: &[Offer], now: &[Offer]) {
        let has = |offers: &[Offer], one: &Offer| offers.iter().any(|next| next.model == one.model);
        for offer in before.iter().filter(|offer| !has(now, offer)) {
            Serving::<T>::remove(offer.model, stash);
        }
        for offer in now.iter().filter(|offer| !has(before, offer)) {
            Serving::<T>::insert(offer.model, stash, ());
        }
    }

    /// Ensures that `worker` can be the worker of `stash`: it is neither another operator's worker
    /// nor a stash.
    pub(crate) fn ensure_worker(stash: &T::AccountId, worker: &T::AccountId) -> DispatchResult {
        ensure!(
            worker != stash && !Operators::<T>::contains_key(worker),
            Error::<T>::WorkerIsStash
        );
        ensure!(!Workers::<T>::contains_key(worker), Error::<T>::WorkerTaken);
        Ok(())
    }

    fn ensure_offers(offers: &OffersOf<T>) -> DispatchResult {
        for (index, offer) in offers.iter().enumerate() {
            ensure!(offer.prices.output > 0, Error::<T>::PriceZero);
            ensure!(offer.context > 0, Error::<T>::ContextZero);
            ensure!(
                !offers.iter().take(index).any(|other| other.model == offer.model),
                Error::<T>::DuplicateOffer
            );
        }
        Ok(())
    }

    fn ensure_concurrency(concurrency: u32) -> DispatchResult {
        ensure!(concurrency > 0, Error::<T>::ConcurrencyZero);
        ensure!(concurrency <= T::MaxConcurrency::get(), Error::<T>::ConcurrencyTooHigh);
        Ok(())
    }
}
