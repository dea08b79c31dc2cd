// SPDX-License-Identifier: Apache-2.0
//! The lookup from a call's source to an account.

use crate::pallet::{Config, Pallet};
use sp_runtime::{
    traits::{LookupError, StaticLookup},
    MultiAddress,
};

impl<T: Config> StaticLookup for Pallet<T> {
    type Source = MultiAddress<T::AccountId, ()>;
    type Target = T::AccountId;

    /// Resolves an account to itself and a registered hash to its account. Every other source
    /// fails.
    fn lookup(source: Self::Source) -> Result<T::AccountId, LookupError> {
        match source {
            MultiAddress::Id(who) => Ok(who),
            MultiAddress::Address20(address) => Self::account_of(&address).ok_or(LookupError),
            _ => Err(LookupError),
        }
    }

    fn unlookup(who: T::AccountId) -> Self::Source {
        MultiAddress::Id(who)
    }
}
