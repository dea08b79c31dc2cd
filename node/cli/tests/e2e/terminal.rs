// SPDX-License-Identifier: Apache-2.0
//! Text on a terminal: that of others, and the command's own lines among its progress.

use crate::{cli::alone, network::dev};
use std::{fs, path::Path};
use tokio::process::Command;

const TINY: &str = "../engine/models/tiny.gguf";

/// Runs a command with a terminal as its standard output and error, against the node at that address, and
/// returns what the terminal was sent.
async fn on_a_terminal_at(url: &str, args: &[&str]) -> String {
    let quoted: Vec<String> = args.iter().map(|arg| format!("'{arg}'")).collect();
    let line = format!("'{}' {}", env!("CARGO_BIN_EXE_assay"), quoted.join(" "));
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("TERM", "xterm")
        .env("ASSAY_URL", url)
        .output()
        .await
        .expect("the system has `script`");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that needs no node.
async fn on_a_terminal(args: &[&str]) -> String {
    on_a_terminal_at("ws://127.0.0.1:1", args).await
}

/// Writes the built-in model with another name of the same length.
fn renamed(path: &Path, name: &str) {
    let mut bytes = fs::read(TINY).expect("the repository has the model");
    let old = b"assay-tiny";
    assert_eq!(name.len(), old.len());
    let at = bytes.windows(old.len()).position(|window| window == old).expect("it has its name");
    bytes[at..at + old.len()].copy_from_slice(name.as_bytes());
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn name_of_a_model_does_not_colour_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evil.gguf");
    let file = path.to_str().unwrap();
    for (name, shown) in [
        ("\u{1b}[31mtiny\u{7}", "\\u{1b}[31mtiny\\u{7}"),
        ("\u{9b}31m\u{202e}xy", "\\u{9b}31m\\u{202e}xy"),
        ("\nVerdict b", "\\nVerdict b"),
    ] {
        renamed(&path, name);
        let seen = on_a_terminal(&["model", "show", file]).await;
        assert!(seen.contains(shown), "{seen:?}");
        assert!(!seen.contains(name), "{seen:?}");
        // A program that reads it gets the name as it is.
        let json = alone(&["model", "show", file, "--json"]).await;
        assert_eq!(json.ok()["modelName"], *name);
        let seen = on_a_terminal(&["model", "show", file, "--json"]).await;
        assert!(!seen.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{7}']), "{seen:?}");
        let object: serde_json::Value = serde_json::from_str(seen.trim()).unwrap();
        assert_eq!(object["modelName"], *name);
    }
}

#[tokio::test]
async fn progress_is_not_drawn_into_a_line() {
    let node = dev(&[]).await;
    let args = ["job", "create", "--not-before", "1000", "hello"];
    let seen = on_a_terminal_at(&node.url(), &args).await;
    for words in ["sent to ", "Watch the job with"] {
        let line = seen.lines().find(|line| line.contains(words)).expect("it is shown");
        // The escapes that remove a bar end with a letter; after them the line begins.
        let text = line.rsplit_once("\u{1b}[").map_or(line, |(_, after)| after);
        let text = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches('K');
        let text = text.trim_start_matches('\r').trim_end();
        assert!(text.starts_with("Job 0x") || text.starts_with("Watch"), "{line:?} in {seen:?}");
    }
}
