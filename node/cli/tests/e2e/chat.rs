// SPDX-License-Identifier: Apache-2.0
//! Chats and stop strings, on a model with a chat template and on the built-in one.

use crate::{
    cli::{assay, command, said},
    network::dev,
    node::Node,
};
use assay_engine::synthetic::Synthetic;
use serde_json::Value;
use std::{fs, process::Stdio};

/// A template that writes each message behind the first letter of its role.
const TEMPLATE: &str = "{% for m in messages %}{{ m.role[0] }}{{ m.content }}{% endfor %}{{ end }}";

/// Starts a chain whose operators serve a model with that template. The folder holds its file.
async fn chats(options: &[&str]) -> (tempfile::TempDir, Node) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.gguf");
    fs::write(&path, Synthetic::default().file_with_template(TEMPLATE).unwrap()).unwrap();
    let node = dev(&[&["--model", path.to_str().unwrap()], options].concat()).await;
    (folder, node)
}

/// The order of an answer to a chat of 17 tokens: the one that begins texts, `sBe brief.`, `uHi` and `end`.
const CHAT: [&str; 11] = [
    "run",
    "--json",
    "-n",
    "16",
    "--chat",
    "--system",
    "Be brief.",
    "--template-arg",
    "end=\"end\"",
    "--deadline",
    "10",
];

#[tokio::test]
async fn chat_is_answered_and_verified() {
    let (_folder, node) = chats(&[]).await;
    let job = assay(&node, &[&CHAT[..], &["Hi"]].concat()).await.accepted();
    assert_eq!(job["inputTokens"], 17, "{job}");
    assert_eq!(job["verified"], true, "{job}");
    let argument = ["run", "--json", "--chat", "--template-arg", "end=1 May", "Hi"];
    let refused = assay(&node, &argument).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("--template-arg end is not JSON"), "{refused:?}");
}

#[tokio::test]
async fn operator_that_ignores_the_system_message_is_slashed() {
    let (_folder, node) = chats(&["--dev-fault", "ignore-system"]).await;
    let said = assay(&node, &[&CHAT[..], &["Hi"]].concat()).await;
    assert_eq!(said.code, 3, "{said:?}");
    let job = said.json();
    assert_eq!((&job["outcome"], &job["verdict"]), (&"slashed".into(), &"reject".into()), "{job}");
}

#[tokio::test]
async fn chat_with_a_model_without_a_template_is_refused_with_what_to_do() {
    let node = dev(&[]).await;
    let refused = assay(&node, &["run", "--json", "--chat", "Hi"]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("no chat template; use a plain prompt"), "{refused:?}");
}

/// The order of an answer that ends at the first "e", of which the built-in model's text is full.
const STOPPED: [&str; 9] =
    ["run", "--json", "-n", "40", "--deadline", "10", "--stop", "e", "In the beginning"];

#[tokio::test]
async fn output_is_shown_up_to_the_stop_string_and_paid_with_it() {
    let node = dev(&[]).await;
    let job = assay(&node, &STOPPED).await.accepted();
    let text = job["output"].as_str().unwrap();
    assert!(!text.contains('e'), "{job}");
    assert_eq!(job["finish"], "stop", "{job}");
    // Each token of the model is a byte.
    let tokens = job["tokenIds"].as_array().unwrap();
    assert_eq!(tokens.len(), text.len() + 1, "{job}");
    assert_eq!(tokens.last(), Some(&Value::from(b'e')), "{job}");
    // The node returns the request to whoever asks for the job later.
    let id = job["job"].as_str().unwrap();
    for later in [["--output", "--json"], ["--wait", "--json"]] {
        let status = assay(&node, &[&["job", "status", id], &later[..]].concat()).await.ok();
        assert_eq!(status["output"], text, "{status}");
    }
    let shown = assay(&node, &[&["run"], &STOPPED[2..]].concat()).await;
    assert_eq!(shown.code, 0, "{shown:?}");
    assert_eq!(shown.out.split("\n\n").next().unwrap().trim_end_matches('\n'), text, "{shown:?}");
}

#[tokio::test]
async fn operator_that_ignores_the_stop_strings_is_slashed() {
    let node = dev(&["--dev-fault", "ignore-stop"]).await;
    let said = assay(&node, &STOPPED).await;
    assert_eq!(said.code, 3, "{said:?}");
    let job = said.json();
    assert_eq!((&job["outcome"], &job["verdict"]), (&"slashed".into(), &"reject".into()), "{job}");
}

/// The order of an output with other tokens than the likeliest.
const PENALISED: [&str; 12] = [
    "run",
    "--json",
    "-n",
    "40",
    "--deadline",
    "10",
    "--frequency-penalty",
    "1.5",
    "--min-p",
    "0.02",
    "--logit-bias",
    "101=-4",
];

#[tokio::test]
async fn penalties_and_biases_are_what_verifiers_compute_too() {
    let node = dev(&[]).await;
    let prompt = "In the beginning";
    let job = assay(&node, &[&PENALISED[..], &[prompt]].concat()).await.accepted();
    let plain = assay(&node, &[&PENALISED[..6], &[prompt]].concat()).await.accepted();
    assert_ne!(job["output"], plain["output"], "{job}");
    let unknown = ["run", "--json", "--logit-bias", "259=1", prompt];
    let refused = assay(&node, &unknown).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("token 259, which is outside the vocabulary"), "{refused:?}");
}

#[tokio::test]
async fn operator_that_ignores_penalties_is_slashed() {
    let node = dev(&["--dev-fault", "ignore-choice"]).await;
    let said = assay(&node, &[&PENALISED[..], &["In the beginning"]].concat()).await;
    assert_eq!(said.code, 3, "{said:?}");
    let job = said.json();
    assert_eq!((&job["outcome"], &job["verdict"]), (&"slashed".into(), &"reject".into()), "{job}");
}

/// The order of an output with the log probabilities of its tokens.
const LIKELY: [&str; 9] =
    ["run", "--json", "-n", "16", "--deadline", "10", "--logprobs", "3", "In the beginning"];

#[tokio::test]
async fn log_probabilities_are_returned_with_the_verified_output() {
    let node = dev(&[]).await;
    let job = assay(&node, &LIKELY).await.accepted();
    assert_eq!(job["verified"], true, "{job}");
    let (tokens, logprobs) = (&job["tokenIds"], job["logprobs"].as_array().unwrap());
    assert_eq!(tokens.as_array().unwrap().len(), logprobs.len(), "{job}");
    for (token, shown) in tokens.as_array().unwrap().iter().zip(logprobs) {
        let (own, top) = (shown["logprob"].as_f64().unwrap(), shown["top"].as_array().unwrap());
        // The output is greedy.
        assert_eq!((&shown["token"], &top[0]["token"], top.len()), (token, token, 3), "{shown}");
        assert_eq!(top[0]["logprob"], own, "{shown}");
        assert!(own <= 0.0 && top[2]["logprob"].as_f64().unwrap() <= own, "{shown}");
    }
    // The node returns them too, in units of 2^-16.
    let id = job["job"].as_str().unwrap().parse().unwrap();
    let output = node.chain().await.output(&id).await.unwrap().unwrap();
    let first = output.logprobs.unwrap()[0].logprob;
    assert_eq!(logprobs[0]["logprob"], f64::from(first) / 65_536.0, "{job}");
    let shown = assay(&node, &[&["run"], &LIKELY[2..]].concat()).await;
    assert!(shown.out.contains("Likeliest"), "{shown:?}");
    let refused = assay(&node, &["run", "--logprobs", "17", "In the beginning"]).await;
    assert!(refused.code != 0 && refused.err.contains("17 is not in 0..=16"), "{refused:?}");
}

#[tokio::test]
async fn operator_that_returns_a_wrong_log_probability_is_slashed() {
    let node = dev(&["--dev-fault", "wrong-logprob"]).await;
    let said = assay(&node, &LIKELY).await;
    assert_eq!(said.code, 3, "{said:?}");
    let job = said.json();
    assert_eq!((&job["outcome"], &job["verdict"]), (&"slashed".into(), &"reject".into()), "{job}");
}

/// Talks with the model: writes these lines to the command.
async fn talk(node: &Node, options: &[&str], lines: &str) -> crate::cli::Said {
    let args = [&["chat", "--json"], options].concat();
    let mut command = command(node, &args);
    let mut input = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut input, lines.as_bytes()).unwrap();
    std::io::Seek::rewind(&mut input).unwrap();
    command.stdin(Stdio::from(input));
    said(command, &args).await
}

#[tokio::test]
async fn conversation_goes_on_with_each_answer_and_refuses_what_exceeds_the_context() {
    let (_folder, node) = chats(&[]).await;
    let options = ["-n", "8", "--system", "Be", "--stop", "\u{1}"];
    let long = "a".repeat(600);
    let talked = talk(&node, &options, &format!("One\n\n{long}\nTwo\n/quit\nThree\n")).await;
    // A message that is too long is refused, and the conversation goes on without it.
    assert_eq!(talked.code, 1, "{talked:?}");
    let object = talked.json();
    let messages = object["messages"].as_array().unwrap();
    let roles: Vec<&Value> = messages.iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user", "assistant"], "{object}");
    assert_eq!((&messages[1]["content"], &messages[3]["content"]), (&"One".into(), &"Two".into()));
    assert_eq!(object["jobs"].as_array().unwrap().len(), 2, "{object}");
    for words in ["--max-tokens 8 together", "exceed the model's context of 512"] {
        assert!(talked.err.contains(words), "{talked:?}");
    }
    assert!(talked.err.contains("The answer costs at most"), "{talked:?}");
}
