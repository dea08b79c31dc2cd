// SPDX-License-Identifier: Apache-2.0
//! Orders whose output must have a form.

use crate::{
    cli::{assay, Said},
    network::dev,
    node::Node,
};
use serde_json::Value;

const SCHEMA: &str = r#"{
    "type": "object",
    "properties": {
        "verse": {"type": "integer", "minimum": 1, "maximum": 31},
        "words": {"type": "array", "items": {"type": "string", "maxLength": 8}, "minItems": 1, "maxItems": 2}
    },
    "required": ["verse", "words"],
    "additionalProperties": false,
    "x-guidance": {"whitespace_flexible": false}
}"#;

async fn ordered(node: &Node, form: &[&str]) -> Said {
    let order = ["run", "--json", "-n", "80", "--deadline", "10"];
    assay(node, &[&order[..], form, &["In the beginning"]].concat()).await
}

#[tokio::test]
async fn outputs_have_the_form_of_the_order_and_verifiers_accept_them() {
    let node = dev(&[]).await;
    let job = ordered(&node, &["--json-schema", SCHEMA]).await.accepted();
    let value: Value = serde_json::from_str(job["output"].as_str().unwrap()).unwrap();
    assert!((1..=31).contains(&value["verse"].as_u64().unwrap()), "{job}");
    let words = value["words"].as_array().unwrap();
    assert!((1..=2).contains(&words.len()), "{job}");
    assert!(words.iter().all(|word| word.as_str().unwrap().chars().count() <= 8), "{job}");
    assert_eq!(value.as_object().unwrap().len(), 2, "{job}");

    let job = ordered(&node, &["--regex", "[0-9]{4} (yes|no)"]).await.accepted();
    let output = job["output"].as_str().unwrap();
    let (number, answer) = output.split_once(' ').unwrap();
    assert!(number.len() == 4 && ["yes", "no"].contains(&answer), "{job}");

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "start: word (\" \" word){2}\nword: \"light\" | \"dark\"\n").unwrap();
    let job = ordered(&node, &["--grammar", file.path().to_str().unwrap()]).await.accepted();
    let words: Vec<&str> = job["output"].as_str().unwrap().split(' ').collect();
    assert!(words.len() == 3 && words.iter().all(|word| ["light", "dark"].contains(word)), "{job}");

    let refused = ordered(&node, &["--regex", "(a"]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("unclosed group"), "{refused:?}");
}

#[tokio::test]
async fn operator_that_ignores_the_constraint_is_slashed() {
    let node = dev(&["--dev-fault", "ignore-constraint"]).await;
    let said = ordered(&node, &["--json-schema", SCHEMA]).await;
    assert_eq!(said.code, 3, "{said:?}");
    let job = said.json();
    assert_eq!((&job["outcome"], &job["verdict"]), (&"slashed".into(), &"reject".into()), "{job}");
}
