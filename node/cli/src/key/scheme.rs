// SPDX-License-Identifier: Apache-2.0
//! Signature schemes.

use clap::ValueEnum;
use std::fmt;

/// A signature scheme.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Scheme {
    /// Schnorr signatures on Ristretto, Substrate's default.
    #[default]
    Sr25519,
    /// ECDSA on secp256k1; these keys have an Assay address.
    Ecdsa,
}

impl Scheme {
    /// All schemes.
    pub(crate) const ALL: [Self; 2] = [Self::Sr25519, Self::Ecdsa];

    /// Returns the name by which the scheme is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sr25519 => "sr25519",
            Self::Ecdsa => "ecdsa",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_is_typed_by_its_name() {
        for scheme in Scheme::ALL {
            assert_eq!(Scheme::from_str(scheme.name(), false), Ok(scheme));
        }
        assert!(Scheme::from_str("rsa", false).is_err());
    }
}
