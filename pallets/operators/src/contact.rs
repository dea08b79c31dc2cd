// SPDX-License-Identifier: Apache-2.0
//! Where an operator's node is reached. The node's network key signs it, so that nobody can send an
//! operator's jobs to a node of somebody else.

use crate::pallet::{Config, Contacts, Error, Event, Operators, Pallet};
use alloc::vec::Vec;
use assay_primitives::Contact;
use frame_support::ensure;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::{ed25519, H256};
use sp_runtime::{traits::Zero, DispatchResult};

impl<T: Config> Pallet<T> {
    /// What the network key signs for the contact of an operator.
    pub(crate) fn contact_message(stash: &T::AccountId, contact: &Contact) -> Vec<u8> {
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        contact.message(&H256::from_slice(genesis.as_ref()), stash)
    }

    pub(crate) fn do_set_contact(
        stash: T::AccountId,
        contact: Contact,
        signature: ed25519::Signature,
    ) -> DispatchResult {
        ensure!(Operators::<T>::contains_key(&stash), Error::<T>::NotOperator);
        let key = contact.network_key().ok_or(Error::<T>::PeerIdMalformed)?;
        ensure!(
            contact.addresses.iter().all(|address| !address.is_empty()),
            Error::<T>::AddressEmpty
        );
        let message = Self::contact_message(&stash, &contact);
        let key = ed25519::Public::from_raw(key);
        ensure!(
            sp_io::crypto::ed25519_verify(&signature, &message, &key),
            Error::<T>::ContactSignatureWrong
        );
        Contacts::<T>::insert(&stash, contact.clone());
        Self::deposit_event(Event::ContactSet { operator: stash, contact });
        Ok(())
    }
}
