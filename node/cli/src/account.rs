// SPDX-License-Identifier: Apache-2.0
//! An account as it is typed: its SS58 address, or an Assay address that it has registered.

use crate::{chain::Chain, fault::Fault};
use anyhow::Result;
use assay_primitives::{AddressError, AssayAddress};
use assay_runtime::{AccountId, Address};
use sp_core::crypto::Ss58Codec;
use std::{fmt, str::FromStr};

/// An account as it is typed, with a valid checksum.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountArg {
    /// The account itself.
    Account(AccountId),
    /// The hash of a public key; the chain knows the account once it has registered the address.
    Address(AssayAddress),
}

impl AccountArg {
    /// Returns the account, or an error if nobody has registered the address.
    pub async fn resolve(&self, chain: &Chain) -> Result<AccountId> {
        match self {
            Self::Account(account) => Ok(account.clone()),
            Self::Address(address) => {
                chain.account_of(address).await?.ok_or_else(|| unknown(address))
            }
        }
    }

    /// Returns the form in which a call names the account.
    pub fn lookup(&self) -> Address {
        match self {
            Self::Account(account) => Address::Id(account.clone()),
            Self::Address(address) => Address::Address20(address.0),
        }
    }
}

/// Returns the error for an address that nobody has registered.
pub fn unknown(address: &AssayAddress) -> anyhow::Error {
    Fault::error(
        "address_unknown",
        format!(
            "the chain has no account for the address {address}; its owner can register it \
             with `assay address register --scheme ecdsa`"
        ),
    )
}

impl FromStr for AccountArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ss58 = match AccountId::from_ss58check(text) {
            Ok(account) => return Ok(Self::Account(account)),
            Err(error) => error,
        };
        AssayAddress::decode(text).map(Self::Address).map_err(|assay| match assay {
            // The length is right, so an Assay address was meant.
            AddressError::WrongChecksum | AddressError::WrongVersion { .. } => {
                format!("'{text}' is not a valid Assay address: {assay}")
            }
            AddressError::NotBase58 | AddressError::WrongLength => {
                format!(
                    "'{text}' is neither an SS58 address ({ss58}) nor an Assay address ({assay})"
                )
            }
        })
    }
}

impl fmt::Display for AccountArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "{account}"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_keyring::Sr25519Keyring;

    const ADDRESS: &str = "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH";

    #[test]
    fn account_is_read_in_both_forms() {
        let alice = Sr25519Keyring::Alice.to_account_id();
        let arg: AccountArg = alice.to_string().parse().unwrap();
        assert_eq!((arg.lookup(), arg.to_string()), (alice.clone().into(), alice.to_string()));
        let arg: AccountArg = ADDRESS.parse().unwrap();
        assert_eq!(arg.lookup(), Address::Address20(ADDRESS.parse::<AssayAddress>().unwrap().0));
        assert_eq!(arg.to_string(), ADDRESS);
    }

    #[test]
    fn mistyped_address_is_reported_as_one() {
        let mistyped = ADDRESS.replace("BgG", "BgH");
        let error = mistyped.parse::<AccountArg>().unwrap_err();
        assert!(error.contains(&mistyped) && error.contains("checksum is wrong"), "{error}");
        let error = "3P14159f73E4gFr7JterCCQh9QjiTjiZrG".parse::<AccountArg>().unwrap_err();
        assert!(error.contains("another kind"), "{error}");
    }

    #[test]
    fn other_text_is_refused_as_both() {
        for text in ["", "Alice", "//Alice", &ADDRESS[1..]] {
            let error = text.parse::<AccountArg>().unwrap_err();
            assert!(error.contains("SS58") && error.contains("Assay"), "{error}");
        }
    }
}
