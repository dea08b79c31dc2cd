// SPDX-License-Identifier: Apache-2.0
//! The steps of docs/operator.md, in the order of the page, against a development chain.

use crate::{
    page::{blocks, script},
    place,
    port::Port,
};
use assay_cli::{
    chain::Chain,
    key::{Key, Scheme},
};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

/// The root of the repository, from the folder of this package, in which tests run.
const ROOT: &str = "../..";
/// The longest that the whole page may take. Unbonding and delegations take a minute each.
const LIMIT: Duration = Duration::from_secs(900);
/// Ports of the page on which the chain's node and the operator's listen for peers, also on UDP.
const PEERS: [&str; 2] = ["30333", "30334"];
/// Ports of the page for RPC and metrics of both, first the chain's RPC.
const SERVICES: [&str; 4] = ["9944", "9615", "9945", "9616"];

/// The folder in which the page's commands run. Its nodes are killed when it is dropped.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("assay-page-").tempdir().expect("a folder");
        let scripts = Path::new(ROOT).join("scripts").canonicalize().expect("it is here");
        symlink(scripts, folder.path().join("scripts")).expect("the folder is writable");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a script and returns what it prints. Panics with all that it and its nodes have printed if
    /// it fails.
    async fn run(&self, script: &str, rpc: u16) -> String {
        fs::write(self.path("page.sh"), script).expect("the folder is writable");
        let bin = Path::new(env!("CARGO_BIN_EXE_assay")).parent().expect("a file is in a folder");
        let mut bash = Command::new("bash");
        bash.arg("page.sh")
            .current_dir(self.0.path())
            .env("CARGO_TARGET_DIR", bin.parent().expect("a profile is in the target folder"))
            .env("ASSAY_URL", format!("ws://127.0.0.1:{rpc}"))
            .env("XDG_CONFIG_HOME", self.0.path())
            .env_remove("ASSAY_SURI")
            .env_remove("ASSAY_KEY_FILE")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = timeout(LIMIT, bash.output())
            .await
            .unwrap_or_else(|_| panic!("the page did not end in {LIMIT:?}: {}", self.logs()))
            .expect("there is bash");
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{out}\n{err}\n{}", output.status, self.logs());
        out
    }

    /// Returns the ends of its nodes' logs.
    fn logs(&self) -> String {
        let files = fs::read_dir(self.0.path()).into_iter().flatten().flatten();
        let logs = files
            .map(|file| file.path())
            .filter(|path| path.extension().is_some_and(|is| is == "log"));
        let tail = |path: PathBuf| {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("{}:\n{}\n", path.display(), lines[lines.len().saturating_sub(30)..].join("\n"))
        };
        logs.map(tail).collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // Those that the script has stopped are gone.
        for node in fs::read_to_string(self.path("nodes")).unwrap_or_default().lines() {
            let kill = std::process::Command::new("kill")
                .args(["-KILL", node])
                .stderr(Stdio::null())
                .status();
            drop(kill);
        }
    }
}

#[tokio::test]
async fn steps_of_the_page_work_in_their_order() {
    let _places: Vec<_> = place::take(2).await.collect();
    let (peers, services) = (Port::two_for_nodes(), SERVICES.map(|_| Port::claim()));
    let rpc = services[0].number();
    let free = peers.iter().chain(&services).map(Port::number);
    let ports: Vec<(&str, u16)> = PEERS.into_iter().chain(SERVICES).zip(free).collect();
    let page = fs::read_to_string(Path::new(ROOT).join("docs/operator.md")).expect("the page");
    let blocks = blocks(&page);
    let desk = Desk::new();
    // The script ends with a look at what is left on the chain.
    let look = "assay operator list --json\nassay delegate status --json\n".to_owned();
    let all = [blocks, vec![("The end".to_owned(), look)]].concat();
    let said = desk.run(&script(&all, &ports), rpc).await;

    let after = |heading: &str| -> &str {
        let begin = format!("### {heading}\n");
        let (_, rest) = said.split_once(&begin).unwrap_or_else(|| panic!("no {heading} in {said}"));
        rest.split("\n### ").next().unwrap_or(rest)
    };
    assert!(said.contains("Stake       2000 ASY"), "{said}");
    assert!(said.contains("Model       assay-tiny "), "{said}");
    let registered =
        |line: &str| line.starts_with("assay_worker_registered{") && line.ends_with(" 1");
    assert!(after("Monitoring").lines().any(registered), "{said}");
    let secret = |base: &str| fs::read(desk.path(base).join("chains/assay-dev/worker/secret"));
    assert_eq!(secret("operator").expect("it has one"), secret("restored").expect("so has this"));
    let eve = Key::from_suri(Scheme::Sr25519, "//Eve").expect("it is a key").account();
    let end = after("The end");
    assert_eq!(end.matches("\"stash\"").count(), 12, "{end}");
    assert!(!end.contains(&eve.to_string()), "{end}");
    assert!(end.contains("\"worth\":\"0\""), "everything delegated is taken back: {end}");
    let chain = Chain::connect(&format!("ws://127.0.0.1:{rpc}")).await;
    assert!(chain.is_err(), "the script stops its nodes");
}
