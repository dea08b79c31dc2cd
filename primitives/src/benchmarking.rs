// SPDX-License-Identifier: Apache-2.0
//! Traits through which the benchmarks of the pallets use the runtime that they run in.

use crate::{
    contact::{Address, Addresses, Contact, SignedContact, MAX_ADDRESS_LENGTH},
    job::{JobId, ModelId},
    Balance,
};
use alloc::vec::Vec;
use codec::Encode;
use sp_core::{crypto::KeyTypeId, H256};

/// Returns the contact of a new network key, with the most and the longest addresses allowed;
/// `None` if the keystore does not sign.
pub fn signed_contact(genesis: &H256, stash: &impl Encode) -> Option<SignedContact> {
    const KEY_TYPE: KeyTypeId = KeyTypeId(*b"netw");
    let key = sp_io::crypto::ed25519_generate(KEY_TYPE, None);
    let address = Address::truncate_from(alloc::vec![1; MAX_ADDRESS_LENGTH as usize]);
    let mut addresses = Addresses::default();
    while addresses.try_push(address.clone()).is_ok() {}
    let contact = Contact::new(&key.0, addresses);
    let message = contact.message(genesis, stash);
    let signature = sp_io::crypto::ed25519_sign(KEY_TYPE, &key, &message)?;
    Some(SignedContact { contact, signature })
}

/// Setup of a benchmark's state.
pub trait BenchmarkHelper<AccountId> {
    /// Returns an account that can pay for any job.
    fn client(index: u32) -> AccountId;
    /// Registers `count` operators that serve `model` at `price` per token of either kind with the
    /// longest context, many slots, and stake for many duties.
    fn operators(model: &ModelId, price: Balance, count: u32) -> Vec<AccountId>;
    /// Sets the randomness that the parent block and all past blocks have from now on.
    fn set_randomness(randomness: H256);
}

/// A pallet of jobs that can bring a job before a committee without the steps in between.
pub trait DeliveredJobs<AccountId> {
    /// Returns a job of `client` that `operator` has delivered with digest root zero and that waits
    /// for its audit. Does not notify the auditor.
    fn delivered(client: &AccountId, operator: &AccountId, model: &ModelId) -> JobId;
}
