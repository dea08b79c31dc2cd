// SPDX-License-Identifier: Apache-2.0
//! Money sent to the Assay address of a secp256k1 key.

use crate::{
    books::{fees, Books},
    cli::{alone, assay, planck},
    network::dev,
    node::Node,
};
use assay_cli::{
    fault::Fault,
    key::{to_file_unencrypted, Key, Scheme},
    submit::submit,
};
use assay_primitives::AssayAddress;
use assay_runtime::{configs::AddressDeposit, Address, RuntimeCall, UNIT};
use sp_keyring::Sr25519Keyring;

/// The secret 1. Its address is widely known.
const SECRET: &str = "0x0000000000000000000000000000000000000000000000000000000000000001";
const ADDRESS: &str = "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH";

/// Runs `assay address` with the key of [`SECRET`].
async fn address(node: &Node, args: &[&str]) -> crate::cli::Said {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    to_file_unencrypted(&file, Scheme::Ecdsa, SECRET).unwrap();
    let mut all = vec!["address"];
    all.extend(args);
    all.extend(["--json", "--key-file", file.to_str().unwrap()]);
    assay(node, &all).await
}

#[tokio::test]
async fn registered_address_is_paid_and_an_unknown_one_is_not() {
    let node = dev(&[]).await;
    let owner = Key::from_suri(Scheme::Ecdsa, SECRET).unwrap().account();
    let ferdie = Sr25519Keyring::Ferdie.to_account_id();
    let ss58 = owner.to_string();

    // Nobody has registered it yet, so the command sends nothing.
    let before = Books::read(&node).await;
    assay(&node, &["transfer", "--json", ADDRESS, "5"])
        .await
        .fails("address_unknown", &[ADDRESS, "assay address register"]);
    address(&node, &["show", ADDRESS]).await.fails("address_unknown", &[ADDRESS]);
    address(&node, &["register"]).await.fails("balance_too_small", &[&ss58, "can spend 0 ASY"]);
    let after = Books::read(&node).await;
    assert_eq!(fees(&node, before.number, after.number).await, Default::default());
    assert_eq!(after.total(&ferdie), before.total(&ferdie));
    assert_eq!(after.total(&owner), 0);

    // A client that sends it nonetheless pays the fee, and no more.
    let hash = ADDRESS.parse::<AssayAddress>().unwrap().0;
    let call = pallet_balances::Call::transfer_keep_alive {
        dest: Address::Address20(hash),
        value: 5 * UNIT,
    };
    let signer = Key::from_suri(Scheme::Sr25519, "//Ferdie").unwrap();
    let call = RuntimeCall::Balances(call);
    let refused = submit(&node.chain().await, &signer, call, None, async |_| Ok(())).await;
    let refused = refused.err().expect("the chain refuses it");
    let code = refused.downcast_ref::<Fault>().map(|fault| fault.code.as_str());
    assert_eq!(code, Some("system.CannotLookup"), "{refused:#}");
    assert!(refused.to_string().contains("no account"), "{refused:#}");
    let after = Books::read(&node).await;
    let paid = fees(&node, before.number, after.number).await;
    assert_eq!(after.total(&ferdie), before.total(&ferdie) - paid[&ferdie]);
    assert_eq!(after.total(&owner), 0);

    // Its owner registers it, once there is money for the deposit.
    let sent = assay(&node, &["transfer", "--json", &ss58, "10"]).await.ok();
    assert_eq!(planck(&sent, "amount"), 10 * UNIT, "{sent}");
    assert_eq!(sent["to"], ss58, "{sent}");
    let shown = address(&node, &["show"]).await.ok();
    assert_eq!(shown["assayAddress"], ADDRESS, "{shown}");
    assert_eq!(shown["registered"], false, "{shown}");
    let shown = address(&node, &["register"]).await.ok();
    assert_eq!(shown["account"], ss58, "{shown}");
    assert_eq!(shown["registered"], true, "{shown}");
    assert_eq!(assay(&node, &["address", "show", "--json", ADDRESS]).await.ok(), shown);
    assert_eq!(assay(&node, &["address", "show", "--json", &ss58]).await.ok(), shown);
    let books = Books::read(&node).await;
    assert_eq!(books.reserved(&owner), AddressDeposit::get());
    let again = address(&node, &["register"]).await;
    again.fails("addresses.AlreadyRegistered", &["already registered", "Unregister it"]);

    // From then on it is paid like an account.
    let before = Books::read(&node).await;
    let sent = assay(&node, &["transfer", "--json", ADDRESS, "2.5 ASY"]).await.ok();
    assert_eq!(sent["to"], ss58, "{sent}");
    assert_eq!(sent["named"], ADDRESS, "{sent}");
    let after = Books::read(&node).await;
    assert_eq!(after.free(&owner), before.free(&owner) + 2 * UNIT + UNIT / 2);

    // It is understood wherever else an account is named.
    let jobs = assay(&node, &["job", "list", "--json", "--client", ADDRESS]).await.ok();
    assert_eq!(jobs["client"], ss58, "{jobs}");

    // A mistyped character is found before anything is sent.
    let mistyped = ADDRESS.replace("BgG", "BgH");
    let refused = assay(&node, &["transfer", "--json", &mistyped, "2.5"]).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    let message = refused.json()["error"]["message"].to_string();
    assert!(message.contains(&mistyped) && message.contains("checksum"), "{message}");

    // Withdrawn, it is unknown again.
    let shown = address(&node, &["unregister"]).await.ok();
    assert_eq!(shown["registered"], false, "{shown}");
    address(&node, &["unregister"]).await.fails("addresses.NotRegistered", &[&ss58]);
    let before = Books::read(&node).await;
    assert_eq!(before.reserved(&owner), 0);
    assay(&node, &["transfer", "--json", ADDRESS, "1"]).await.fails("address_unknown", &[ADDRESS]);
    let after = Books::read(&node).await;
    assert_eq!(after.total(&ferdie), before.total(&ferdie));
    assert_eq!(after.total(&owner), before.total(&owner));
}

#[tokio::test]
async fn transfer_refuses_more_than_there_is() {
    let node = dev(&[]).await;
    let alice = Sr25519Keyring::Alice.to_account_id().to_string();
    assay(&node, &["transfer", "--json", &alice, "1000000"])
        .await
        .fails("balance_too_small", &["the transfer needs", "transfer less"]);
    let refused = assay(&node, &["address", "register", "--json"]).await;
    refused.fails("no_secp256k1_key", &["sr25519", "--scheme ecdsa"]);
    let refused = assay(&node, &["address", "show", "--json", &alice]).await;
    refused.fails("addresses.NotRegistered", &[&alice]);
}

#[tokio::test]
async fn key_of_ecdsa_shows_its_address() {
    let shown = alone(&["key", "inspect", "--json", "--scheme", "ecdsa", SECRET]).await.ok();
    assert_eq!(shown["assayAddress"], ADDRESS, "{shown}");
    assert_eq!(shown["hash"], "0x751e76e8199196d454941c45d1b3a323f1433bd6", "{shown}");
    let inspected = alone(&["key", "inspect", "--json", ADDRESS]).await.ok();
    assert_eq!(inspected["hash"], shown["hash"], "{inspected}");
    let mistyped = ADDRESS.replace("SAMH", "SAMh");
    alone(&["key", "inspect", "--json", &mistyped])
        .await
        .fails("address_malformed", &[&mistyped, "checksum"]);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let file = file.to_str().unwrap();
    let made = alone(&["key", "new", "--json", "--scheme", "ecdsa", "--out", file]).await.ok();
    // The file says of which scheme it is.
    let mut inspected = alone(&["key", "inspect", "--json", "--key-file", file]).await.ok();
    inspected["file"] = file.into();
    assert_eq!(inspected, made);
    assert!(made["assayAddress"].as_str().unwrap().starts_with('1'), "{made}");
}
