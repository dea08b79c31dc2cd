// SPDX-License-Identifier: Apache-2.0
//! Clients of which an operator takes no jobs.

use crate::pallet::{Config, Error, Event, Operators, Pallet, Refused};
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_refuse_client(stash: T::AccountId, client: T::AccountId) -> DispatchResult {
        ensure!(Operators::<T>::contains_key(&stash), Error::<T>::NotOperator);
        Refused::<T>::try_mutate(&stash, |refused| {
            ensure!(!refused.contains(&client), Error::<T>::AlreadyRefused);
            refused.try_push(client.clone()).map_err(|_| Error::<T>::TooManyRefused)
        })?;
        Self::deposit_event(Event::ClientRefused { operator: stash, client });
        Ok(())
    }

    pub(crate) fn do_admit_client(stash: T::AccountId, client: T::AccountId) -> DispatchResult {
        Refused::<T>::try_mutate_exists(&stash, |stored| {
            let mut refused = stored.take().unwrap_or_default();
            let before = refused.len();
            refused.retain(|other| *other != client);
            ensure!(refused.len() < before, Error::<T>::NotRefused);
            *stored = (!refused.is_empty()).then_some(refused);
            Ok::<_, Error<T>>(())
        })?;
        Self::deposit_event(Event::ClientAdmitted { operator: stash, client });
        Ok(())
    }
}
