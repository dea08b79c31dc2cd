// SPDX-License-Identifier: Apache-2.0
//! The configuration: settings for each network, and the genesis block that is pinned.

use crate::{
    cli::{assay, said, without_node, Said, VARIABLES},
    network::{dev, start, Topology},
    node::Node,
    port::Port,
    spec::NodeSpec,
};
use serde_json::Value;
use std::{fs, path::Path, process::Command};
use tempfile::TempDir;

/// Runs the command with a configuration of its own.
async fn with(home: &TempDir, args: &[&str]) -> Said {
    let mut command = without_node(args);
    command.env("XDG_CONFIG_HOME", home.path());
    said(command, args).await
}

/// Writes the specification of a chain that is not one for development, and returns its path. The
/// genesis block is that of the named chain.
fn live(folder: &TempDir, of: &str) -> &'static str {
    let node = Path::new(env!("CARGO_BIN_EXE_assay")).with_file_name("assay-node");
    let output = Command::new(node).args(["export-chain-spec", "--chain", of]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut spec: Value = serde_json::from_slice(&output.stdout).unwrap();
    spec["chainType"] = "Live".into();
    let path = folder.path().join(format!("{of}.json"));
    fs::write(&path, spec.to_string()).unwrap();
    // As long as the test's process.
    Box::leak(path.to_str().unwrap().to_string().into_boxed_str())
}

async fn genesis(node: &Node) -> String {
    format!("{:?}", node.chain().await.genesis)
}

#[tokio::test]
async fn first_chain_of_a_network_is_pinned_and_another_is_refused() {
    let (home, specs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let nodes = ["dev", "local"].map(|of| NodeSpec::full().on_chain(live(&specs, of)));
    // Nodes of two chains have nothing to say to each other.
    let [first, second] = start(Topology::Full, nodes).await;
    let (one, two) = (genesis(&first).await, genesis(&second).await);
    assert_ne!(one, two);

    with(&home, &["config", "set", "url", &first.url()]).await;
    let said = with(&home, &["node", "status", "--json"]).await;
    assert_eq!(said.ok()["genesis"], one, "{said:?}");
    assert!(said.err.contains("First use") && said.err.contains(&one), "{said:?}");
    let said = with(&home, &["node", "status", "--json"]).await;
    said.ok();
    assert!(!said.err.contains("First use"), "{said:?}");
    let pinned = with(&home, &["config", "get", "genesis", "--json"]).await.ok();
    assert_eq!(pinned["value"], one, "{pinned}");

    let refused = with(&home, &["node", "status", "--json", "--url", &second.url()]).await;
    refused.fails("genesis_mismatch", &[&one, &two, "--network"]);
    // It is refused before anything else, by every command that connects.
    let refused = with(&home, &["job", "list", "--json", "--url", &second.url()]).await;
    refused.fails("genesis_mismatch", &[&one, &two]);
    // Under another name it is another network.
    let args = ["node", "status", "--json", "--network", "second", "--url", &second.url()];
    assert_eq!(with(&home, &args).await.ok()["genesis"], two);
    // Pinned by hand, it is the network from then on.
    with(&home, &["config", "set", "genesis", &two]).await;
    with(&home, &["node", "status", "--json", "--url", &second.url()]).await.ok();
}

#[tokio::test]
async fn settings_of_a_network_are_used_and_shown() {
    let node = dev(&[]).await;
    let home = tempfile::tempdir().unwrap();
    let path = with(&home, &["config", "path"]).await;
    let file = home.path().join("assay").join("config.toml");
    assert_eq!(path.out.trim(), file.to_str().unwrap(), "{path:?}");

    let key = home.path().join("eve.key");
    assay_cli::key::to_file_unencrypted(&key, assay_cli::key::Scheme::Sr25519, "//Eve").unwrap();
    for (name, value) in
        [("url", node.url().as_str()), ("key-file", key.to_str().unwrap()), ("max-cost", "0.05")]
    {
        let set = with(&home, &["config", "set", name, value, "--network", "mine"]).await;
        assert_eq!(set.code, 0, "{set:?}");
    }
    let set = with(&home, &["config", "set", "network", "mine"]).await;
    assert_eq!(set.code, 0, "{set:?}");

    let eve = sp_keyring::Sr25519Keyring::Eve.to_account_id().to_string();
    let jobs = with(&home, &["job", "list", "--json"]).await.ok();
    assert_eq!(jobs["client"], eve, "{jobs}");
    let order = ["job", "create", "--json", "--not-before", "1000", "-n", "8", "hello"];
    with(&home, &order).await.fails("max_cost_exceeded", &["0.191 ASY", "0.05 ASY"]);
    let created = with(&home, &[&order[..], &["--max-cost", "0.3"]].concat()).await.ok();
    assert_eq!(created["client"], eve, "{created}");

    let all = with(&home, &["config", "list", "--json"]).await.ok();
    assert_eq!(all["network"], "mine", "{all}");
    assert_eq!(all["networks"]["mine"]["max-cost"], "0.05", "{all}");
    // A development chain is started anew all the time, and is not pinned.
    assert_eq!(all["networks"]["mine"]["genesis"], Value::Null, "{all}");
    let unset = with(&home, &["config", "unset", "max-cost"]).await;
    assert_eq!(unset.code, 0, "{unset:?}");
    with(&home, &["config", "get", "max-cost", "--json"]).await.fails("not_set", &["mine"]);
    with(&home, &order).await.ok();

    fs::write(&file, "[networks.mine]\nport = 1\n").unwrap();
    with(&home, &["job", "list", "--json"]).await.fails("config_malformed", &["config.toml"]);
    assay(&node, &["job", "list", "--json"]).await.ok();
}

#[tokio::test]
async fn empty_variable_is_unset() {
    let home = tempfile::tempdir().unwrap();
    let port = Port::claim();
    let url = format!("ws://127.0.0.1:{}", port.number());
    for (key, value) in [("network", "mine"), ("url", &url)] {
        assert_eq!(with(&home, &["config", "set", key, value]).await.code, 0);
    }
    let args = ["node", "status", "--json"];
    let mut command = without_node(&args);
    command.env("XDG_CONFIG_HOME", home.path());
    for name in VARIABLES {
        command.env(name, "");
    }
    // The node of the network in the configuration was asked, which is down.
    said(command, &args).await.fails("node_unreachable", &[&url]);
}
