// SPDX-License-Identifier: Apache-2.0
//! Contacts of operators' nodes. The node's network key signs the contact, so that no operator can
//! direct jobs to the node of somebody else.

use crate::pallet::{Config, Contacts, Error, Event, Operators, Pallet};
use assay_primitives::{contact::SignedContact, Contact};
use frame_support::ensure;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::{ed25519, H256};
use sp_runtime::{traits::Zero, DispatchResult};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_contact(stash: T::AccountId, signed: SignedContact) -> DispatchResult {
        ensure!(Operators::<T>::contains_key(&stash), Error::<T>::NotOperator);
        Self::ensure_contact(&stash, &signed)?;
        Self::keep_contact(stash, signed.contact);
        Ok(())
    }

    /// Stores a contact that was checked.
    pub(crate) fn keep_contact(stash: T::AccountId, contact: Contact) {
        Contacts::<T>::insert(&stash, contact.clone());
        Self::deposit_event(Event::ContactSet { operator: stash, contact });
    }

    /// Ensures that the node with that network key agrees to be the operator's.
    pub(crate) fn ensure_contact(
        stash: &T::AccountId,
        SignedContact { contact, signature }: &SignedContact,
    ) -> DispatchResult {
        let key = contact.network_key().ok_or(Error::<T>::PeerIdMalformed)?;
        ensure!(
            contact.addresses.iter().all(|address| !address.is_empty()),
            Error::<T>::AddressEmpty
        );
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        let message = contact.message(&H256::from_slice(genesis.as_ref()), stash);
        let key = ed25519::Public::from_raw(key);
        ensure!(
            sp_io::crypto::ed25519_verify(signature, &message, &key),
            Error::<T>::ContactSignatureWrong
        );
        Ok(())
    }
}
