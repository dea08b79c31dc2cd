// SPDX-License-Identifier: Apache-2.0
//! A connection, and the key that signs.

use crate::{
    args::Global,
    chain::{extrinsic::Included, Chain},
    exit::Fault,
    key,
    out::Progress,
};
use anyhow::Result;
use assay_runtime::{AccountId, RuntimeCall};
use sp_core::sr25519;

/// What a command works with.
pub struct Session {
    /// The chain.
    pub chain: Chain,
    /// The key that was named.
    named: Option<sr25519::Pair>,
    /// Whether to write JSON.
    pub json: bool,
}

impl Session {
    /// Connects to the node that the arguments name.
    pub async fn open(global: &Global) -> Result<Self> {
        // A malformed key is told before anything else.
        let named = key::named(global.suri.as_deref(), global.key_file.as_deref())?;
        let progress = Progress::new(format!("connecting to {}", global.url));
        let chain = Chain::connect(&global.url).await?;
        progress.clear();
        Ok(Self { chain, named, json: global.json })
    }

    /// The key that signs: the one that was named, or the development one where keys are public.
    pub fn signer(&self) -> Result<sr25519::Pair> {
        match &self.named {
            Some(pair) => Ok(pair.clone()),
            None if self.chain.development => key::from_suri(key::DEVELOPMENT_SIGNER),
            None => Err(Fault::error(
                "no_signer",
                "no key was named to sign with; use --key-file, --suri or the environment variable \
                 ASSAY_SURI (`assay key new --out FILE` makes a key)",
            )),
        }
    }

    /// The account of [`Self::signer`].
    pub fn account(&self) -> Result<AccountId> {
        self.signer().map(|pair| key::account(&pair))
    }

    /// Signs and sends a call, and waits until it is in a block.
    pub async fn submit(&self, call: impl Into<RuntimeCall>) -> Result<Included> {
        let progress = Progress::new("waiting for the extrinsic to be in a block");
        let included = self.chain.submit(&self.signer()?, call.into()).await;
        progress.clear();
        included
    }
}
