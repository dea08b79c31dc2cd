// SPDX-License-Identifier: Apache-2.0
//! The standard client, unpatched.

use crate::{
    books::Books,
    node::{places, Node},
};
use assay_cli::key::{Key, Scheme};
use assay_runtime::UNIT;
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// How long npm may take to download, and the script to run.
const LIMIT: Duration = Duration::from_secs(300);

/// Where the packages are kept between runs: beside the build, so outside of the repository where
/// that is.
fn cache() -> PathBuf {
    let bin = Path::new(env!("CARGO_BIN_EXE_assay")).parent().expect("a file is in a folder");
    bin.join("e2e-polkadot-js")
}

async fn run(command: &mut Command) -> String {
    let output = timeout(LIMIT, command.output())
        .await
        .unwrap_or_else(|_| panic!("{command:?} did not end in {LIMIT:?}"))
        .unwrap_or_else(|error| {
            panic!("{command:?}: {error}; ./scripts/setup.sh --test installs it")
        });
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {err}");
    String::from_utf8(output.stdout).expect("it writes text")
}

/// Installs exactly the packages of the lock file, once.
async fn install() -> PathBuf {
    let folder = cache();
    fs::create_dir_all(&folder).unwrap();
    // Tests run in the folder of their package, wherever they were built.
    let source = Path::new("tests/e2e/polkadot-js");
    let lock = fs::read(source.join("package-lock.json")).unwrap();
    let done = folder.join("installed.lock");
    for name in ["package.json", "package-lock.json", "transfer.mjs"] {
        fs::copy(source.join(name), folder.join(name)).unwrap();
    }
    if fs::read(&done).ok().as_ref() != Some(&lock) {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder)).await;
        fs::write(done, lock).unwrap();
    }
    folder
}

#[tokio::test]
async fn polkadot_js_sends_a_transfer() {
    let folder = install().await;
    let _place = places(1).await;
    let node = Node::dev(&[]).await;
    let seed = "//polkadot-js";
    let mut script = Command::new("node");
    script.args(["transfer.mjs", &node.url(), seed]).current_dir(folder);
    let out = run(&mut script).await;
    let said: Value = serde_json::from_str(out.lines().last().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {out}"));
    assert_eq!(said["free"], (5 * UNIT).to_string(), "{said}");
    assert_eq!(said["operators"], 4, "{said}");
    assert_eq!(said["specName"], "assay", "{said}");
    let account = Key::from_suri(Scheme::Sr25519, seed).unwrap().account();
    assert_eq!(said["to"], account.to_string());
    assert_eq!(Books::read(&node).await.free(&account), 5 * UNIT);
}
