// SPDX-License-Identifier: Apache-2.0
//! A connection to a chain, and the key that signs.

use crate::{
    account::AccountArg,
    args::Global,
    chain::{extrinsic::Included, Chain},
    fault::Fault,
    funds::{self, Need},
    key::{self, Key, Scheme},
    progress::Progress,
};
use anyhow::Result;
use assay_runtime::{AccountId, RuntimeCall};

/// The connection, the key and the form of output that a command works with.
pub struct Session {
    /// The chain.
    pub chain: Chain,
    /// The key that an option or the environment names.
    named: Option<Key>,
    /// The scheme of the development key.
    scheme: Scheme,
    /// Whether the result is written as JSON.
    pub json: bool,
}

impl Session {
    /// Connects to the node that the arguments name.
    pub async fn open(global: &Global) -> Result<Self> {
        // A malformed key is reported before anything else is tried.
        let named = key::named(global.scheme, global.suri.as_deref(), global.key_file.as_deref())?;
        let progress = Progress::new(format!("connecting to {}", global.url));
        let chain = Chain::connect(&global.url).await?;
        progress.clear();
        Ok(Self { chain, named, scheme: global.scheme.unwrap_or_default(), json: global.json })
    }

    /// Returns the key that signs: the one named, or the development key where keys are public.
    pub fn signer(&self) -> Result<Key> {
        match &self.named {
            Some(key) => Ok(key.clone()),
            None if self.chain.development => Key::from_suri(self.scheme, key::DEVELOPMENT_SIGNER),
            None => Err(Fault::error(
                "no_signer",
                "no key to sign with is named; use --key-file, --suri or the environment variable \
                 ASSAY_SURI (`assay key new --out FILE` creates a key)",
            )),
        }
    }

    /// Returns the account of [`Self::signer`].
    pub fn account(&self) -> Result<AccountId> {
        self.signer().map(|key| key.account())
    }

    /// Returns the account that is named, or the signer's.
    pub async fn account_or(&self, named: Option<AccountArg>) -> Result<AccountId> {
        match named {
            Some(named) => named.resolve(&self.chain).await,
            None => self.account(),
        }
    }

    /// Signs and sends a call, and waits until it is in a block.
    pub async fn submit(&self, call: impl Into<RuntimeCall>) -> Result<Included> {
        let progress = Progress::new("waiting for the extrinsic to be in a block");
        let included = self.chain.submit(&self.signer()?, call.into()).await;
        progress.clear();
        included
    }

    /// Signs a call, makes sure that the signer can pay for it, sends it, and waits until it is in a
    /// block.
    pub async fn submit_covered(&self, call: RuntimeCall, need: &Need) -> Result<Included> {
        let signer = self.signer()?;
        let account = signer.account();
        let extrinsic = self.chain.sign(&signer, call).await?;
        funds::ensure(&self.chain, &account, &extrinsic, need).await?;
        let progress = Progress::new("waiting for the extrinsic to be in a block");
        let included = self.chain.submit_signed(&extrinsic, &account).await;
        progress.clear();
        included
    }
}
