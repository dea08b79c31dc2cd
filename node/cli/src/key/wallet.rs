// SPDX-License-Identifier: Apache-2.0
//! Encrypted keys, in the JSON that wallets for Substrate chains export and import (polkadot-js, version
//! 3): the secret in PKCS #8, sealed with XSalsa20-Poly1305 under a key that scrypt derives from a
//! passphrase.

use super::{pair::Key, pkcs8, scheme::Scheme};
use crate::fault::Fault;
use anyhow::{anyhow, Context, Result};
use assay_runtime::AccountId;
use base64::{prelude::BASE64_STANDARD, Engine};
use crypto_secretbox::{
    aead::{Aead, KeyInit},
    XSalsa20Poly1305,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sp_core::{crypto::Ss58Codec, ecdsa};
use sp_runtime::{traits::IdentifyAccount, MultiSigner};
use zeroize::Zeroizing;

/// The costs of scrypt that wallets accept, as log2(N), p and r. The last is used for new files: 128 MiB
/// and about a second.
const COSTS: [(u8, u32, u32); 6] =
    [(13, 10, 8), (14, 5, 8), (15, 3, 8), (15, 1, 8), (16, 2, 8), (17, 1, 8)];

/// The lengths of salt, costs and nonce before the sealed box.
const SALT: usize = 32;
const HEADER: usize = SALT + 12;
const NONCE: usize = 24;

const SEALING: [&str; 2] = ["scrypt", "xsalsa20-poly1305"];
const VERSION: &str = "3";

/// An encrypted key.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Wallet {
    /// Base 64 of salt, costs, nonce and sealed box.
    encoded: String,
    encoding: Encoding,
    /// The SS58 address, or the public key in hex for ECDSA.
    address: String,
    #[serde(default)]
    meta: Map<String, Value>,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct Encoding {
    content: Vec<String>,
    #[serde(rename = "type")]
    sealing: Vec<String>,
    version: String,
}

impl Wallet {
    /// Reads the JSON, and makes sure that this command can decrypt it.
    pub fn read(text: &str) -> Result<Self> {
        let wallet: Self =
            serde_json::from_str(text).context("the JSON is not that of a wallet")?;
        wallet.scheme()?;
        wallet.account()?;
        let Encoding { sealing, version, .. } = &wallet.encoding;
        if *sealing != SEALING || version != VERSION {
            return Err(Fault::error(
                "wallet_unsupported",
                format!(
                    "the key is sealed with {} in version {version}, and this command reads {} in \
                     version {VERSION}; export it from the wallet again, with a password",
                    sealing.join(" and "),
                    SEALING.join(" and ")
                ),
            ));
        }
        Ok(wallet)
    }

    /// Encrypts a key.
    pub fn seal(key: &Key, passphrase: &str) -> Result<Self> {
        let (salt, nonce): ([u8; SALT], [u8; NONCE]) = (rand::random(), rand::random());
        let [.., (log_n, p, r)] = COSTS;
        let sealed = sealing_key(passphrase, &salt, log_n, p, r)?
            .encrypt(&nonce.into(), pkcs8::encode(key).as_slice())
            .map_err(|_| anyhow!("the key cannot be encrypted"))?;
        let costs = [1u32 << log_n, p, r].map(u32::to_le_bytes).concat();
        let encoded = [&salt[..], &costs[..], &nonce[..], &sealed[..]].concat();
        let address = match key.ecdsa() {
            Some(public) => format!("0x{}", hex::encode(public)),
            None => key.account().to_string(),
        };
        Ok(Self {
            encoded: BASE64_STANDARD.encode(encoded),
            encoding: Encoding {
                content: vec!["pkcs8".into(), key.scheme().name().into()],
                sealing: SEALING.map(String::from).into(),
                version: VERSION.into(),
            },
            address,
            meta: Map::from_iter([("name".into(), "assay".into())]),
        })
    }

    /// Returns the JSON.
    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// Decrypts the key.
    pub fn open(&self, passphrase: &str) -> Result<Key> {
        let bytes =
            BASE64_STANDARD.decode(&self.encoded).ok().filter(|bytes| bytes.len() > HEADER + NONCE);
        let bytes = bytes.context("the sealed key is malformed")?;
        let (header, rest) = bytes.split_at(HEADER);
        let (nonce, sealed) = rest.split_at(NONCE);
        let (salt, costs) = header.split_at(SALT);
        let (log_n, p, r) = accepted(costs)?;
        let secret = sealing_key(passphrase, salt, log_n, p, r)?
            .decrypt(nonce.into(), sealed)
            .map(Zeroizing::new)
            .map_err(|_| Fault::error("wrong_passphrase", "the passphrase is wrong"))?;
        let key = pkcs8::decode(self.scheme()?, &secret)?;
        if key.account() != self.account()? {
            return Err(anyhow!("the sealed key is not that of the address {}", self.address));
        }
        Ok(key)
    }

    /// Returns the scheme.
    pub fn scheme(&self) -> Result<Scheme> {
        let content: Vec<&str> = self.encoding.content.iter().map(String::as_str).collect();
        match content.as_slice() {
            ["pkcs8", name] => Scheme::ALL.into_iter().find(|scheme| scheme.name() == *name),
            _ => None,
        }
        .ok_or_else(|| {
            Fault::error(
                "wallet_unsupported",
                format!(
                    "the key is of the kind '{}', and this command signs with sr25519 and ecdsa",
                    content.join(" ")
                ),
            )
        })
    }

    /// Returns the public key of ECDSA, which the JSON has in the clear.
    pub fn ecdsa(&self) -> Option<ecdsa::Public> {
        let bytes = hex::decode(self.address.strip_prefix("0x")?).ok()?;
        Some(ecdsa::Public::from_raw(bytes.try_into().ok()?))
    }

    /// Returns the account.
    pub fn account(&self) -> Result<AccountId> {
        match self.ecdsa() {
            Some(public) => Ok(MultiSigner::from(public).into_account()),
            None => AccountId::from_ss58check(&self.address)
                .map_err(|error| anyhow!("the address '{}' is malformed: {error}", self.address)),
        }
    }
}

/// Reads the costs, and refuses those that no wallet writes: they could exhaust the memory, or be too
/// cheap to guess.
fn accepted(costs: &[u8]) -> Result<(u8, u32, u32)> {
    let number = |at: usize| {
        costs.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes)
    };
    let read = (number(0), number(4), number(8));
    COSTS
        .into_iter()
        .find(|(log_n, p, r)| read == (Some(1 << log_n), Some(*p), Some(*r)))
        .context("the costs of scrypt are not among those that wallets use")
}

fn sealing_key(
    passphrase: &str,
    salt: &[u8],
    log_n: u8,
    p: u32,
    r: u32,
) -> Result<XSalsa20Poly1305> {
    let mut key = Zeroizing::new([0; 32]);
    // Only costs from the list above come here.
    let params = scrypt::Params::new(log_n, r, p).map_err(|error| anyhow!("scrypt: {error}"))?;
    scrypt::scrypt(passphrase.as_bytes(), salt, &params, key.as_mut_slice())
        .map_err(|error| anyhow!("scrypt: {error}"))?;
    Ok(XSalsa20Poly1305::new(key.as_slice().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of the wallets below, which polkadot-js 14.0.3 has exported.
    const SECRET: &str =
        "bottom drive obey lake curtain smoke basket hold race lonely fit walk//assay";
    const PASSPHRASE: &str = "correct horse";
    const SR25519: &str = r#"{"encoded":"j2irayzNlxue0Jzie5dJ/R5i/TdK2Djw6n7KxoRZDSQAAAIAAQAAAAgAAACudgd3P2XblfXFbn7xihkbo+6QUVyv2UqKWtZTP5YqZq0/jodJsKJO6O2ySuJTKUMqY0S39oHmZ/hyY2H+1XSCQLZKZcqfZTT1Ic3uySW5dj89nPNd/StTumzNsT4w+T8AWe4b6HDZs9QXv9mEzM4J+/W3prjCfqvkt/BmDuJHBF22dmPHu6VTNCy3mJgHwbqH80TDkvZoXcGgGRb1","encoding":{"content":["pkcs8","sr25519"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"},"address":"5CwFJ5MbVyzqybLfkzZuah65VkTnUHygmcBAuJazMKk1uGLD","meta":{"name":"test"}}"#;
    const ECDSA: &str = r#"{"encoded":"6OjLHoGIXbdyPHzUrt9rQZ9dazRSfphz31+2upR5uBAAAAIAAQAAAAgAAACylw3G1JFIwGkWIbwoq7Wr5FTcU2i0GZXNl5Ngp4isPMxI/IJ1J3lD2bvWfLrTE/Z85YAuKMRn0Mh4me5/nTC+/rkHA+wn4awkS9Q1K3xhBhPQljt+mjJ9+2+k2M4vkIvsekHxNDMyvYdPiOskWW6u6uMxdmIWxSA47fSult0=","encoding":{"content":["pkcs8","ecdsa"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"},"address":"0x02d86c415ae4c2b260944739e5941479a22543e2d0d6cdf994d358dd3c139252f1","meta":{"name":"test"}}"#;

    #[test]
    fn exported_wallet_is_opened() {
        for (scheme, json) in [(Scheme::Sr25519, SR25519), (Scheme::Ecdsa, ECDSA)] {
            let expected = Key::from_suri(scheme, SECRET).unwrap();
            let wallet = Wallet::read(json).unwrap();
            assert_eq!(wallet.scheme().unwrap(), scheme);
            assert_eq!(wallet.account().unwrap(), expected.account());
            assert_eq!(wallet.ecdsa(), expected.ecdsa());
            let key = wallet.open(PASSPHRASE).unwrap();
            assert_eq!((key.scheme(), key.account()), (scheme, expected.account()));
            assert_eq!(key.public(), expected.public());
        }
    }

    #[test]
    fn sealed_key_is_opened_by_its_passphrase_alone() {
        for scheme in Scheme::ALL {
            let (key, _) = Key::generate(scheme);
            let wallet = Wallet::seal(&key, PASSPHRASE).unwrap();
            let json = wallet.json().unwrap();
            let again = Wallet::read(&json).unwrap();
            assert_eq!(again.open(PASSPHRASE).unwrap().public(), key.public());
            let error = again.open("incorrect horse").err().unwrap();
            assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "wrong_passphrase");
        }
    }

    #[test]
    fn wallet_of_another_kind_is_refused() {
        for (from, to) in [
            ("\"sr25519\"", "\"ed25519\""),
            ("\"scrypt\"", "\"none\""),
            ("\"version\":\"3\"", "\"version\":\"2\""),
        ] {
            let error = Wallet::read(&SR25519.replace(from, to)).err().unwrap();
            assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "wallet_unsupported", "{to}");
        }
        assert!(Wallet::read("{}").is_err());
    }

    #[test]
    fn costs_that_no_wallet_uses_are_refused() {
        let costs = |n: u32, p: u32, r: u32| accepted(&[n, p, r].map(u32::to_le_bytes).concat());
        assert_eq!(costs(1 << 17, 1, 8).unwrap(), (17, 1, 8));
        for (n, p, r) in [(1 << 30, 1, 8), (2, 1, 8), (1 << 17, 1, 1), (0, 0, 0), (1 << 17, 100, 8)]
        {
            assert!(costs(n, p, r).is_err(), "{n} {p} {r}");
        }
    }

    #[test]
    fn address_of_another_key_is_found_out() {
        let other = Key::from_suri(Scheme::Sr25519, "//Alice").unwrap().account().to_string();
        let forged = SR25519.replace("5CwFJ5MbVyzqybLfkzZuah65VkTnUHygmcBAuJazMKk1uGLD", &other);
        let error = Wallet::read(&forged).unwrap().open(PASSPHRASE).err().unwrap();
        assert!(error.to_string().contains(&other), "{error}");
    }
}
