// SPDX-License-Identifier: Apache-2.0
//! A call takes effect once, though the node's answer to it is lost; and a failure that is certain is told
//! from one that is not.

use crate::{books::Books, network::dev, node::Node, proxy::Proxy, wait::wait_for};
use assay_cli::{
    chain::{inclusion::Included, Chain},
    fault::Fault,
    key::{Key, Scheme},
    submit::{may_take_effect, submit, News},
};
use assay_runtime::{AccountId, Hash, RuntimeCall, UNIT};
use jsonrpsee::rpc_params;
use serde_json::Value;
use sp_keyring::Sr25519Keyring;
use std::{cell::RefCell, time::Duration};

/// The longest that blocks may take to come, to be finalised and to be pruned.
const LIMIT: Duration = Duration::from_secs(300);

fn signer() -> Key {
    Key::from_suri(Scheme::Sr25519, "//Ferdie").unwrap()
}

fn receiver() -> AccountId {
    Sr25519Keyring::Eve.to_account_id()
}

/// Returns the transfer of that amount to the receiver.
fn transfer(value: u128) -> RuntimeCall {
    RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
        dest: receiver().into(),
        value,
    })
}

async fn received(node: &Node, before: &Books) -> u128 {
    Books::read(node).await.total(&receiver()) - before.total(&receiver())
}

/// Makes a transfer whose bytes come to the node while the answer does not. The connection closes once
/// the transfer is in a block, and works again when `ready`.
async fn transfer_without_an_answer(
    node: &Node,
    ready: impl AsyncFn(u32),
) -> anyhow::Result<Included> {
    let proxy = Proxy::start(node.rpc_port()).await;
    let chain = Chain::connect(&proxy.url()).await.unwrap();
    let before = Books::read(node).await;
    let sent = RefCell::new(Vec::new());
    let key = signer();
    let sending = submit(&chain, &key, transfer(UNIT), None, async |news: News<'_>| {
        let News::Sending(signed) = news else { panic!("it has an effect") };
        sent.borrow_mut().push(signed.nonce);
        assert_eq!(sent.borrow().len(), 1, "it was signed again");
        proxy.loses_answers();
        Ok(())
    });
    let breaking = async {
        wait_for("the transfer is in a block", LIMIT, async || received(node, &before).await > 0)
            .await;
        proxy.closes();
        ready(Books::read(node).await.number).await;
        proxy.works(node.rpc_port());
    };
    let (end, ()) = tokio::join!(sending, breaking);
    assert_eq!(received(node, &before).await, UNIT);
    end
}

#[tokio::test]
async fn transfer_without_an_answer_is_found_in_its_block() {
    let node = dev(&[]).await;
    let included = transfer_without_an_answer(&node, async |_| ()).await.unwrap();
    assert!(included.number > 0, "it is in the genesis block");
}

#[tokio::test]
async fn transfer_is_not_made_again_after_its_block_was_pruned() {
    let node = dev(&["--blocks-pruning", "4"]).await;
    let chain = node.chain().await;
    let pruned = async |number: u32| {
        wait_for("the block is pruned", LIMIT, async || {
            let hash: Hash =
                chain.request("chain_getBlockHash", rpc_params![number]).await.unwrap();
            let block: Value = chain.request("chain_getBlock", rpc_params![hash]).await.unwrap();
            block.is_null()
        })
        .await;
    };
    let error = transfer_without_an_answer(&node, pruned).await.err().expect("nobody knows");
    assert!(format!("{error:#}").contains("does not have block"), "{error:#}");
    assert!(may_take_effect(&error), "{error:#}");
}

#[tokio::test]
async fn refused_and_failed_calls_have_no_effect_for_certain() {
    let node = dev(&[]).await;
    let chain = node.chain().await;
    let poor = Key::generate(Scheme::Sr25519).0;
    // The node refuses the first, whose signer cannot pay the fee; the second fails in a block.
    for (key, value, code) in
        [(poor, UNIT, "rpc.1010"), (signer(), u128::MAX / 2, "arithmetic.Underflow")]
    {
        let told = RefCell::new(Vec::new());
        let sent = submit(&chain, &key, transfer(value), None, async |news: News<'_>| {
            told.borrow_mut().push(matches!(news, News::Sending(_)));
            Ok(())
        });
        let error = sent.await.err().expect("it has no effect");
        assert_eq!(error.downcast_ref::<Fault>().expect("it has a code").code, code, "{error:#}");
        assert!(!may_take_effect(&error), "{error:#}");
        // The news of the attempt ends with that it has none.
        assert_eq!(told.take(), [true, false], "{error:#}");
    }
}
