// SPDX-License-Identifier: Apache-2.0
//! The production build holds the hash of its metadata, by which a hardware wallet checks that what it
//! shows is what the chain will execute (RFC-78). Started by `./scripts/test.sh production`, since
//! other builds lack the hash.

use anyhow::{bail, Context, Result};
use assay_cli::{
    chain::{extrinsic::Signed, Chain},
    submit::send,
};
use assay_runtime::{
    submit::extension, Nonce, RuntimeCall, Signature, SignedPayload, TxExtension,
    UncheckedExtrinsic,
};
use codec::{Decode, Encode};
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use frame_metadata_hash_extension::CheckMetadataHash;
use jsonrpsee::rpc_params;
use merkleized_metadata::{generate_metadata_digest, ExtraInfo};
use sp_core::{crypto::Ss58Codec, Pair};
use sp_keyring::Sr25519Keyring;
use sp_runtime::generic::Era;
use std::{
    env, fs,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::{interval, timeout};

/// Time within which a node answers: it shares the cores with whatever else the machine does.
const START: Duration = Duration::from_secs(180);

/// The version of the metadata that the hash is of.
const METADATA_VERSION: u32 = 15;

/// A development chain of the binary that `ASSAY_PRODUCTION_NODE` names. Killed when dropped.
struct Node {
    child: Child,
    folder: TempDir,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    fn start() -> Result<Self> {
        let binary = env::var_os("ASSAY_PRODUCTION_NODE").context(
            "ASSAY_PRODUCTION_NODE does not name a production build; run ./scripts/test.sh production",
        )?;
        let folder = tempfile::tempdir()?;
        let log = fs::File::create(folder.path().join("log"))?;
        let child = Command::new(binary)
            .args(["--dev", "--rpc-port", "0", "--listen-addr", "/ip4/127.0.0.1/tcp/0"])
            .args(["--no-prometheus", "--base-path"])
            .arg(folder.path().join("node"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start the production node")?;
        Ok(Self { child, folder })
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until the node serves its RPC, and connects.
    async fn connect(&mut self) -> Result<Chain> {
        let mut tick = interval(Duration::from_millis(200));
        let connecting = async {
            loop {
                tick.tick().await;
                if let Some(status) = self.child.try_wait()? {
                    bail!("the node ended with {status}:\n{}", self.log());
                }
                if let Some(url) = rpc_url(&self.log()) {
                    if let Ok(chain) = Chain::connect(&url).await {
                        return Ok(chain);
                    }
                }
            }
        };
        timeout(START, connecting).await.context("the node does not answer")?
    }
}

/// The address that the node says it serves: `… addr=127.0.0.1:34567,…`.
fn rpc_url(log: &str) -> Option<String> {
    let (_, after) = log.split_once("addr=127.0.0.1:")?;
    let port: String = after.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("ws://127.0.0.1:{port}"))
}

/// Computes the hash from the metadata and the properties of the chain, as a wallet does.
async fn metadata_hash(chain: &Chain) -> Result<[u8; 32]> {
    let arguments = format!("0x{}", hex::encode(METADATA_VERSION.encode()));
    let answer: String =
        chain.request("state_call", rpc_params!["Metadata_metadata_at_version", arguments]).await?;
    let bytes = hex::decode(answer.trim_start_matches("0x"))?;
    let opaque = Option::<Vec<u8>>::decode(&mut bytes.as_slice())?
        .context("the runtime has no metadata of that version")?;
    let metadata: RuntimeMetadata = RuntimeMetadataPrefixed::decode(&mut opaque.as_slice())?.1;
    let properties: serde_json::Value = chain.request("system_properties", rpc_params![]).await?;
    let number =
        |name: &str| properties[name].as_u64().with_context(|| format!("the chain has no {name}"));
    let extra = ExtraInfo {
        spec_version: chain.version.spec_version,
        spec_name: chain.version.spec_name.clone(),
        base58_prefix: number("ss58Format")?.try_into()?,
        decimals: number("tokenDecimals")?.try_into()?,
        token_symbol: properties["tokenSymbol"].as_str().context("no tokenSymbol")?.into(),
    };
    let digest = generate_metadata_digest(&metadata, extra).map_err(anyhow::Error::msg)?;
    Ok(digest.hash())
}

/// Signs a remark of Alice in the mode `Enabled`, over that hash.
async fn signed_over(chain: &Chain, hash: [u8; 32]) -> Result<Signed> {
    let signer = Sr25519Keyring::Alice;
    let account = signer.to_account_id();
    let nonce: Nonce =
        chain.request("system_accountNextIndex", rpc_params![account.to_ss58check()]).await?;
    let call: RuntimeCall =
        frame_system::Call::remark { remark: b"signed offline".to_vec() }.into();
    let mut extension: TxExtension = extension(nonce, 0, Era::Immortal);
    extension.8 = CheckMetadataHash::new(true);
    let version = &chain.version;
    let (spec, transaction) = (version.spec_version, version.transaction_version);
    let implicit =
        ((), spec, transaction, chain.genesis, chain.genesis, (), (), (), Some(hash), (), ());
    let payload = SignedPayload::from_raw(call, extension, implicit);
    let signature = payload.using_encoded(|bytes| signer.pair().sign(bytes));
    let (call, extension, _) = payload.deconstruct();
    let signature = Signature::Sr25519(signature);
    let signer = account.clone();
    let bytes = UncheckedExtrinsic::new_signed(call, account.into(), signature, extension).encode();
    Ok(Signed { bytes, signer, nonce, anchor: 0 })
}

#[tokio::test]
#[ignore = "needs the production build: ./scripts/test.sh production"]
async fn extrinsic_with_the_metadata_hash_is_included() -> Result<()> {
    let mut node = Node::start()?;
    let chain = node.connect().await?;
    let extrinsic = signed_over(&chain, metadata_hash(&chain).await?).await?;
    let included = send(&chain, &extrinsic).await?.context("another extrinsic has its nonce")?;
    assert!(included.number > 0, "it is in the genesis block");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the production build: ./scripts/test.sh production"]
async fn extrinsic_with_another_metadata_hash_is_refused() -> Result<()> {
    let mut node = Node::start()?;
    let chain = node.connect().await?;
    let mut hash = metadata_hash(&chain).await?;
    hash[0] ^= 1;
    let extrinsic = signed_over(&chain, hash).await?;
    let Err(error) = send(&chain, &extrinsic).await else {
        bail!("the chain took an extrinsic that is signed over another hash")
    };
    assert!(format!("{error:#}").contains("bad signature"), "{error:#}");
    Ok(())
}
