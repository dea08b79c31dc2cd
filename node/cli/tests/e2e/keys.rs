// SPDX-License-Identifier: Apache-2.0
//! Keys in encrypted files, and secrets that are kept off the command line.

use crate::{
    books::Books,
    cli::{alone, command, said, without_node, Said},
    network::dev,
    npm::example,
};
use assay_runtime::{AccountId, UNIT};
use serde_json::{json, Value};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::io::AsyncWriteExt;

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

struct Files {
    _folder: tempfile::TempDir,
    key: PathBuf,
    passphrase: PathBuf,
    wrong: PathBuf,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [key, passphrase, wrong] =
            ["key.json", "passphrase", "wrong"].map(|name| folder.path().join(name));
        private(&passphrase, "correct horse\n");
        private(&wrong, "incorrect horse\n");
        Self { _folder: folder, key, passphrase, wrong }
    }

    /// Runs a command that needs no node, with a passphrase.
    async fn alone(&self, args: &[&str]) -> Said {
        let mut command = without_node(args);
        command.env("ASSAY_PASSPHRASE_FILE", &self.passphrase);
        said(command, args).await
    }
}

#[tokio::test]
async fn encrypted_key_file_signs_with_its_passphrase() {
    let node = dev(&[]).await;
    let files = Files::new();
    let key = files.key.to_str().unwrap();
    let new = files.alone(&["key", "new", "--json", "--out", key]).await.ok();
    assert_eq!(new["secret"], Value::Null, "{new}");
    let address = new["address"].as_str().unwrap();
    let file: Value = serde_json::from_str(&fs::read_to_string(&files.key).unwrap()).unwrap();
    assert_eq!(file["encoding"]["type"], json!(["scrypt", "xsalsa20-poly1305"]), "{file}");
    // The address is known without the passphrase.
    let shown = alone(&["key", "inspect", "--key-file", key, "--json"]).await.ok();
    assert_eq!(shown["publicKey"], new["publicKey"]);

    crate::cli::assay(&node, &["transfer", "--json", address, "5"]).await.ok();
    let eve = sp_keyring::Sr25519Keyring::Eve.to_account_id();
    let before = Books::read(&node).await;
    let eve_address = eve.to_string();
    let transfer = ["transfer", "--json", &eve_address, "1"];
    let with = |passphrase: Option<&Path>| {
        let mut command = command(&node, &transfer);
        command.env("ASSAY_KEY_FILE", &files.key);
        if let Some(path) = passphrase {
            command.env("ASSAY_PASSPHRASE_FILE", path);
        }
        command
    };
    said(with(Some(&files.wrong)), &transfer).await.fails("wrong_passphrase", &[key]);
    let sent = said(with(Some(&files.passphrase)), &transfer).await.ok();
    assert_eq!(sent["from"], address, "{sent}");
    let after = Books::read(&node).await;
    assert_eq!(after.total(&eve) - before.total(&eve), UNIT);

    // Files that others can open are refused, each with the remedy.
    fs::set_permissions(&files.passphrase, fs::Permissions::from_mode(0o644)).unwrap();
    let open = said(with(Some(&files.passphrase)), &transfer).await;
    open.fails("file_not_private", &["passphrase file", "chmod 600"]);
    fs::set_permissions(&files.key, fs::Permissions::from_mode(0o640)).unwrap();
    let open = said(with(None), &transfer).await;
    open.fails("file_not_private", &["key file", "640", "chmod 600", key]);
}

#[tokio::test]
async fn secret_is_refused_on_the_command_line_and_imported_from_standard_input() {
    let files = Files::new();
    let new = alone(&["key", "new", "--json"]).await.ok();
    let secret = new["secret"].as_str().unwrap();
    for args in [&["claim", "--json", "--suri", secret][..], &["key", "inspect", "--json", secret]]
    {
        let refused = alone(args).await;
        refused.fails("secret_on_command_line", &["assay key import"]);
        assert!(!refused.err.contains(secret), "{refused:?}");
    }
    let key = files.key.to_str().unwrap();
    let mut import = without_node(&["key", "import", "--json", "--out", key]);
    let mut import = import
        .env("ASSAY_PASSPHRASE_FILE", &files.passphrase)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(secret.as_bytes()).await.unwrap();
    let output = import.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let shown = files.alone(&["key", "inspect", "--json", "--key-file", key]).await.ok();
    assert_eq!(shown["address"], new["address"]);
}

/// The files are those of wallets: the standard JavaScript library opens one that the command has
/// written.
#[tokio::test]
async fn wallet_opens_the_key_file() {
    let files = Files::new();
    let key = files.key.to_str().unwrap();
    for scheme in ["sr25519", "ecdsa"] {
        let _ = fs::remove_file(&files.key);
        let new =
            files.alone(&["key", "new", "--json", "--scheme", scheme, "--out", key]).await.ok();
        let opened = example("wallet.mjs", &[key, files.passphrase.to_str().unwrap()]).await;
        assert_eq!(opened["publicKey"], new["publicKey"], "{opened}");
        let account: AccountId = opened["account"].as_str().unwrap().parse().unwrap();
        assert_eq!(account.to_string(), new["address"]);
    }
}
