// SPDX-License-Identifier: Apache-2.0
//! Who takes part.

use assay_runtime::{presets, AccountId};
use sp_core::{ecdsa, Pair};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::IdentifyAccount, MultiSigner};
use std::sync::LazyLock;

/// Who takes part: the operators of the preset and two others, of whom each can be client, operator
/// and delegator, and one with a secp256k1 key, who has an address.
pub static PEOPLE: LazyLock<Vec<AccountId>> = LazyLock::new(|| {
    let known = presets::DEVELOPMENT_OPERATORS.into_iter();
    let known = known.chain([Sr25519Keyring::Eve, Sr25519Keyring::Ferdie]);
    let ecdsa = MultiSigner::from(key().public()).into_account();
    known.map(|who| who.to_account_id()).chain([ecdsa]).collect()
});

/// The secp256k1 key.
pub fn key() -> ecdsa::Pair {
    ecdsa::Pair::from_seed(&[7; 32])
}

/// One of [`PEOPLE`].
pub type Who = usize;
