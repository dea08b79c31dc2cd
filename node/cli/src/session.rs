// SPDX-License-Identifier: Apache-2.0
//! A connection to a chain, and the key that signs.

use crate::{
    account::AccountArg,
    args::Global,
    chain::{inclusion::Included, Chain},
    fault::Fault,
    funds::Need,
    key::{self, Key, NamedKey, Scheme},
    progress::Progress,
    settings::Settings,
    submit::{self, News},
    trust,
};
use anyhow::Result;
use assay_runtime::{AccountId, RuntimeCall};
use std::cell::OnceCell;

/// The connection, the key and the form of output that a command works with.
pub struct Session {
    /// The chain.
    pub chain: Chain,
    /// The settings of the network.
    pub settings: Settings,
    /// The key that an option, the environment or the configuration names.
    named: Option<NamedKey>,
    /// The key that signs, once it was needed.
    signer: OnceCell<Key>,
    /// The scheme of the development key.
    scheme: Scheme,
    /// Whether the result is written as JSON.
    pub json: bool,
}

impl Session {
    /// Connects to the node that the arguments or the configuration name.
    pub async fn open(global: &Global) -> Result<Self> {
        let settings = Settings::of(global)?;
        // A malformed key is reported before anything else is tried.
        let named = key::find(&global.key_options(settings.key_file.as_deref()))?;
        let progress = Progress::new(format!("connecting to {}", settings.url));
        let chain = Chain::connect(&settings.url).await?;
        progress.clear();
        trust::ensure(&settings, &chain)?;
        let scheme = global.scheme.unwrap_or_default();
        Ok(Self { chain, settings, named, signer: OnceCell::new(), scheme, json: global.json })
    }

    /// Returns the key that signs: the one named, or the development key where keys are public. An
    /// encrypted key file is decrypted the first time.
    pub fn signer(&self) -> Result<Key> {
        if let Some(key) = self.signer.get() {
            return Ok(key.clone());
        }
        let key = match &self.named {
            Some(named) => named.unlock()?,
            None if self.chain.development => Key::from_suri(self.scheme, key::DEVELOPMENT_SIGNER)?,
            None => return Err(no_signer()),
        };
        Ok(self.signer.get_or_init(|| key).clone())
    }

    /// Returns the account of [`Self::signer`], which needs no passphrase.
    pub fn account(&self) -> Result<AccountId> {
        match &self.named {
            Some(named) => named.account(),
            None => self.signer().map(|key| key.account()),
        }
    }

    /// Returns the account that is named, or the signer's.
    pub async fn account_or(&self, named: Option<AccountArg>) -> Result<AccountId> {
        match named {
            Some(named) => named.resolve(&self.chain).await,
            None => self.account(),
        }
    }

    /// Signs and sends a call, and waits until it is in a block.
    pub async fn submit(&self, call: RuntimeCall) -> Result<Included> {
        self.submit_announced(call, None, async |_| Ok(())).await
    }

    /// Signs a call, makes sure that the signer can pay for it, sends it, and waits until it is in a
    /// block.
    pub async fn submit_covered(&self, call: RuntimeCall, need: &Need) -> Result<Included> {
        self.submit_announced(call, Some(need), async |_| Ok(())).await
    }

    /// Does the same, and tells `announce` the news of each extrinsic.
    pub async fn submit_announced(
        &self,
        call: RuntimeCall,
        need: Option<&Need>,
        announce: impl AsyncFnMut(News<'_>) -> Result<()>,
    ) -> Result<Included> {
        let signer = self.signer()?;
        let progress = Progress::new("waiting for the extrinsic to be in a block");
        let included = submit::submit(&self.chain, &signer, call, need, announce).await;
        progress.clear();
        included
    }
}

fn no_signer() -> anyhow::Error {
    Fault::error(
        "no_signer",
        "no key to sign with is named; use --key-file or the environment variable ASSAY_KEY_FILE \
         (`assay key new --out FILE` creates a key)",
    )
}
