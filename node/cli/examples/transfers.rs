// SPDX-License-Identifier: Apache-2.0
//! Sends transfers from a development account, to fill a block.
//!
//! `transfers ws://127.0.0.1:9944 200` sends 200 and does not wait until they are in a block.

use anyhow::{Context, Result};
use assay_cli::{
    chain::{state::hex_of, Chain},
    key::{Key, Scheme},
};
use assay_runtime::{Hash, RuntimeCall, MILLI_UNIT};
use jsonrpsee::rpc_params;

/// The sender. It is not an operator, so nothing else uses its nonces.
const SENDER: &str = "//Eve";
/// The receiver.
const RECEIVER: &str = "//Ferdie";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: transfers URL COUNT";
    let url = args.next().context(usage)?;
    let count: u32 = args.next().context(usage)?.parse().context(usage)?;
    let chain = Chain::connect(&url).await?;
    let sender = Key::from_suri(Scheme::Sr25519, SENDER)?;
    let receiver = Key::from_suri(Scheme::Sr25519, RECEIVER)?.account();
    for _ in 0..count {
        let call = RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
            dest: receiver.clone().into(),
            value: MILLI_UNIT,
        });
        let nonce = chain.next_nonce(&sender.account()).await?;
        let extrinsic = hex_of(&chain.sign(&sender, nonce, call).await?.bytes);
        let _: Hash = chain.request("author_submitExtrinsic", rpc_params![extrinsic]).await?;
    }
    Ok(())
}
