// SPDX-License-Identifier: Apache-2.0
//! The accounts that take part.

use assay_runtime::{presets, AccountId};
use sp_core::{ecdsa, Pair};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::IdentifyAccount, MultiSigner};
use std::sync::LazyLock;

/// The accounts that take part: four operators of the preset, two others, each of which can be
/// client, operator and delegator, one with a secp256k1 key, which has an address, and the other
/// operators of the preset.
pub static PEOPLE: LazyLock<Vec<AccountId>> = LazyLock::new(|| {
    let (first, others) = presets::DEVELOPMENT_OPERATORS.split_at(4);
    let two = [Sr25519Keyring::Eve, Sr25519Keyring::Ferdie];
    let account = |who: &Sr25519Keyring| who.to_account_id();
    let ecdsa = MultiSigner::from(key().public()).into_account();
    let known = first.iter().chain(&two).map(account).chain([ecdsa]);
    known.chain(others.iter().map(account)).collect()
});

/// Returns the secp256k1 key.
pub fn key() -> ecdsa::Pair {
    ecdsa::Pair::from_seed(&[7; 32])
}

/// An account without money, to which somebody can have rewards paid.
pub const STRANGER: AccountId = AccountId::new([200; 32]);

/// The index of an account in [`PEOPLE`].
pub type Who = usize;
