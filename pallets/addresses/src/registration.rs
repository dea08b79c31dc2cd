// SPDX-License-Identifier: Apache-2.0
//! Registration of an address and its withdrawal.

use crate::pallet::{Accounts, Config, Error, Event, HoldReason, Pallet, Registrations};
use assay_primitives::{AssayAddress, Balance};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    ensure,
    traits::{
        fungible::{Inspect, MutateHold},
        tokens::{Fortitude, Precision, Preservation},
        Get,
    },
};
use scale_info::TypeInfo;
use sp_core::ecdsa;
use sp_runtime::{traits::IdentifyAccount, DispatchResult};

/// A registered address.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Registration {
    /// RIPEMD160(SHA256(compressed public key)).
    pub address: [u8; 20],
    /// The deposit on hold for the address.
    pub deposit: Balance,
}

impl<T: Config> Pallet<T> {
    /// Returns the account behind a hash.
    pub fn account_of(address: &[u8; 20]) -> Option<T::AccountId> {
        Accounts::<T>::get(address)
    }

    /// Returns the hash that an account has registered.
    pub fn address_of(who: &T::AccountId) -> Option<[u8; 20]> {
        Registrations::<T>::get(who).map(|registration| registration.address)
    }

    pub(crate) fn do_register(who: T::AccountId, public: ecdsa::Public) -> DispatchResult {
        ensure!(T::Signer::from(public).into_account() == who, Error::<T>::NotTheKeysAccount);
        ensure!(!Registrations::<T>::contains_key(&who), Error::<T>::AlreadyRegistered);
        let address = AssayAddress::of(&public).0;
        ensure!(!Accounts::<T>::contains_key(address), Error::<T>::AddressTaken);
        let deposit = T::Deposit::get();
        let spendable =
            T::Currency::reducible_balance(&who, Preservation::Preserve, Fortitude::Polite);
        ensure!(deposit <= spendable, Error::<T>::BalanceTooLow);
        T::Currency::hold(&HoldReason::Registration.into(), &who, deposit)?;
        Accounts::<T>::insert(address, &who);
        Registrations::<T>::insert(&who, Registration { address, deposit });
        Self::deposit_event(Event::AddressRegistered { who, address, deposit });
        Ok(())
    }

    pub(crate) fn do_unregister(who: T::AccountId) -> DispatchResult {
        let Registration { address, deposit } =
            Registrations::<T>::take(&who).ok_or(Error::<T>::NotRegistered)?;
        Accounts::<T>::remove(address);
        T::Currency::release(&HoldReason::Registration.into(), &who, deposit, Precision::Exact)?;
        Self::deposit_event(Event::AddressUnregistered { who, address, deposit });
        Ok(())
    }
}
