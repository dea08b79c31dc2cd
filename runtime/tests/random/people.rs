// SPDX-License-Identifier: Apache-2.0
//! The accounts that take part.

use assay_runtime::{presets, AccountId};
use sp_core::{ecdsa, Pair};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::IdentifyAccount, MultiSigner};
use std::sync::LazyLock;

/// The accounts that take part: the operators of the preset, two others, each of which can be
/// client, operator and delegator, and one with a secp256k1 key, which has an address.
pub static PEOPLE: LazyLock<Vec<AccountId>> = LazyLock::new(|| {
    let known = presets::DEVELOPMENT_OPERATORS.into_iter();
    let known = known.chain([Sr25519Keyring::Eve, Sr25519Keyring::Ferdie]);
    let ecdsa = MultiSigner::from(key().public()).into_account();
    known.map(|who| who.to_account_id()).chain([ecdsa]).collect()
});

/// Returns the secp256k1 key.
pub fn key() -> ecdsa::Pair {
    ecdsa::Pair::from_seed(&[7; 32])
}

/// The index of an account in [`PEOPLE`].
pub type Who = usize;
