// SPDX-License-Identifier: Apache-2.0
//! The shell commands of a page of the documentation, as a script.
//!
//! A block that begins with ```` ```sh ```` is run, one that begins with ```` ```sh not-tested ```` is
//! not. All blocks share one shell, in the order of the page. A command runs as it is written, except
//! for these:
//!
//! | its comment begins with | the command |
//! | --- | --- |
//! | `in another terminal` | runs in the background, in place of an earlier one with the same `--port` |
//! | `after` | is tried again until it succeeds |
//!
//! Nodes get options that keep them apart from those of other tests, and every port of the page is
//! replaced by a free one.

use std::fmt::Write;

/// The functions that the script of a page uses. They write which nodes run to the file `nodes`.
const FUNCTIONS: &str = r#"
set -euo pipefail
declare -A nodes
stop() {
    [ -n "${nodes[$1]-}" ] || return 0
    kill "${nodes[$1]}"
    wait "${nodes[$1]}" || true
}
stop_all() {
    local port
    for port in "${!nodes[@]}"; do stop "$port"; done
}
trap stop_all EXIT
# Whether there is time to try again.
again() {
    [ "$SECONDS" -lt "$1" ] || exit 1
    sleep 1
}
"#;
/// The longest that a command is tried again, in seconds.
const RETRIED: u32 = 300;

/// Ports of the page, each with the one that takes its place.
pub type Ports<'p> = &'p [(&'p str, u16)];

/// Returns the blocks of a page that are run, each with the heading above it.
pub fn blocks(page: &str) -> Vec<(String, String)> {
    let (mut heading, mut block, mut found) = (String::new(), None::<String>, Vec::new());
    let mut inside = false;
    for line in page.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            if let Some(block) = block.take() {
                found.push((heading.clone(), block));
            } else if !inside && fence == "sh" {
                block = Some(String::new());
            }
            inside = !inside;
        } else if let Some(block) = &mut block {
            block.push_str(line);
            block.push('\n');
        } else if !inside && line.starts_with('#') {
            heading = line.trim_start_matches('#').trim().to_owned();
        }
    }
    assert!(!inside, "a block is not closed");
    found
}

/// Returns the commands of a block: lines that end with a backslash are joined with the next.
fn commands(block: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in block.lines() {
        let last = all.last_mut().expect("there is one");
        last.push_str(line);
        if line.ends_with('\\') {
            last.push('\n');
        } else {
            all.push(String::new());
        }
    }
    all.retain(|command| !command.trim().is_empty());
    all
}

/// Returns a command and its comment.
fn comment(command: &str) -> (&str, &str) {
    command
        .rsplit_once(" # ")
        .map_or((command, ""), |(command, comment)| (command.trim_end(), comment))
}

/// Returns the script that runs the blocks.
pub fn script(blocks: &[(String, String)], ports: Ports<'_>) -> String {
    let mut script = FUNCTIONS.to_owned();
    for (heading, block) in blocks {
        let heading = heading.replace('\'', r"'\''");
        writeln!(script, "echo '### {heading}'").expect("a string takes all");
        for command in commands(block) {
            let (command, comment) = comment(&command);
            let line = if comment.starts_with("in another terminal") {
                in_background(command)
            } else if comment.starts_with("after") {
                format!("before=$((SECONDS + {RETRIED})); until {command}; do again $before; done")
            } else {
                command.to_owned()
            };
            writeln!(script, "{line}").expect("a string takes all");
        }
    }
    replace(script, ports)
}

/// Replaces all ports at once, since a free one may contain the digits of another.
fn replace(mut script: String, ports: Ports<'_>) -> String {
    let mark = |index: usize| format!("@port{index}@");
    for (index, (of_page, _)) in ports.iter().enumerate() {
        assert!(script.contains(of_page), "the page does not use the port {of_page}");
        script = script.replace(of_page, &mark(index));
    }
    for (index, (_, free)) in ports.iter().enumerate() {
        script = script.replace(&mark(index), &free.to_string());
    }
    script
}

/// Returns a node's command that runs in the background.
fn in_background(command: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().collect();
    let after = words.iter().position(|word| *word == "--port").map(|index| words[index + 1]);
    // A development chain has the default ports.
    let (port, more) = match after {
        Some(port) => (port, ""),
        None => ("30333", " --port 30333 --rpc-port 9944 --prometheus-port 9615"),
    };
    format!(
        "stop {port}\n{command}{more} --no-mdns >>node-{port}.log 2>&1 &\n\
         nodes[{port}]=$!\necho $! >>nodes"
    )
}

#[test]
fn blocks_are_found_with_their_headings() {
    let page =
        "# A\n```sh\none\n```\n```text\n# no heading\n```\n## B\n```sh not-tested\ntwo\n```\n\
                ```sh\nthree\nfour\n```\n";
    let of = |heading: &str, block: &str| (heading.to_owned(), block.to_owned());
    assert_eq!(blocks(page), [of("A", "one\n"), of("B", "three\nfour\n")]);
}

#[test]
fn comments_say_how_a_command_is_run() {
    let block =
        "node \\\n    --port 1 --x   # in another terminal: it\nleave  # after a week\nrest # x\n";
    let script = script(&[("A".into(), block.into())], &[]);
    let lines = script.strip_prefix(FUNCTIONS).expect("it begins with them");
    assert_eq!(
        lines,
        "echo '### A'\nstop 1\nnode \\\n    --port 1 --x --no-mdns >>node-1.log 2>&1 &\n\
         nodes[1]=$!\necho $! >>nodes\n\
         before=$((SECONDS + 300)); until leave; do again $before; done\nrest\n"
    );
}

#[test]
fn heading_can_have_an_apostrophe() {
    let script = script(&[("A delegator's part".into(), "one\n".into())], &[]);
    assert!(script.ends_with("echo '### A delegator'\\''s part'\none\n"), "{script}");
}

#[test]
fn ports_are_replaced() {
    let block = ("A".to_owned(), "curl http://127.0.0.1:9616/9945\n".to_owned());
    let script = script(&[block], &[("9616", 29945), ("9945", 7)]);
    assert!(script.ends_with("curl http://127.0.0.1:29945/7\n"), "{script}");
}
