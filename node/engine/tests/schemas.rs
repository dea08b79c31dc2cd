// SPDX-License-Identifier: Apache-2.0
//! Outputs under 1,000 random schemas: nearly all are complete, each complete one has its form, and no verifier
//! rejects one.

mod models;

use assay_engine::{Constraint, FinishReason, Form, GenerateSpec, Model, Positions, Verification};
use models::{check, run, sampled, spec, transcript};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use serde_json::{json, Map, Value};
use std::sync::atomic::{AtomicUsize, Ordering};

const PROMPT: &[u8] = b"And he said unto them,";
const SCHEMAS: u64 = 1_000;

/// The form of a value, from which a schema is made and by which a value is checked.
enum Kind {
    Null,
    Boolean,
    Integer { least: i64, most: i64 },
    Text { least: u64, most: u64 },
    OneOf(Vec<Value>),
    List { items: Box<Kind>, least: u64, most: u64 },
    Object(Vec<(String, Kind, bool)>),
    Either(Vec<Kind>),
}

impl Kind {
    fn random(rng: &mut ChaCha8Rng, depth: u32) -> Self {
        let mut below = |most: u64| rng.next_u64() % most;
        match below(if depth == 0 { 5 } else { 8 }) {
            0 => Self::Null,
            1 => Self::Boolean,
            2 => {
                let least = below(2_000) as i64 - 1_000;
                Self::Integer { least, most: least + below(500) as i64 }
            }
            3 => {
                let least = below(4);
                Self::Text { least, most: least + below(9) }
            }
            4 => {
                let all =
                    [json!("yes"), json!("n\"o"), json!(17), json!(-2.5), json!(null), json!("日")];
                let from = below(5) as usize;
                Self::OneOf(all[from..from + 1 + below(6 - from as u64) as usize].to_vec())
            }
            5 => {
                let least = below(2);
                let most = least + below(3);
                Self::List { items: Box::new(Self::random(rng, depth - 1)), least, most }
            }
            6 => {
                let count = below(4);
                let property = |at| {
                    let kind = Self::random(rng, depth - 1);
                    (format!("key {at}"), kind, !rng.next_u32().is_multiple_of(3))
                };
                Self::Object((0..count).map(property).collect())
            }
            _ => {
                let count = 1 + below(3);
                Self::Either((0..count).map(|_| Self::random(rng, depth - 1)).collect())
            }
        }
    }

    fn schema(&self) -> Value {
        match self {
            Self::Null => json!({"type": "null"}),
            Self::Boolean => json!({"type": "boolean"}),
            Self::Integer { least, most } => {
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
            Self::Text { least, most } => {
                json!({"type": "string", "minLength": least, "maxLength": most})
            }
            Self::OneOf(values) => json!({ "enum": values }),
            Self::List { items, least, most } => {
                json!({"type": "array", "items": items.schema(), "minItems": least, "maxItems": most})
            }
            Self::Object(properties) => {
                let all = properties.iter().map(|(name, kind, _)| (name.clone(), kind.schema()));
                let required = properties.iter().filter(|(.., required)| *required);
                let required: Vec<&String> = required.map(|(name, ..)| name).collect();
                json!({
                    "type": "object",
                    "properties": all.collect::<Map<_, _>>(),
                    "required": required,
                    "additionalProperties": false,
                })
            }
            Self::Either(kinds) => {
                json!({ "anyOf": kinds.iter().map(Self::schema).collect::<Vec<_>>() })
            }
        }
    }

    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Boolean => value.is_boolean(),
            Self::Integer { least, most } => {
                value.as_i64().is_some_and(|number| (*least..=*most).contains(&number))
            }
            Self::Text { least, most } => value
                .as_str()
                .is_some_and(|text| (*least..=*most).contains(&(text.chars().count() as u64))),
            Self::OneOf(values) => values.contains(value),
            Self::List { items, least, most } => value.as_array().is_some_and(|list| {
                (*least..=*most).contains(&(list.len() as u64))
                    && list.iter().all(|item| items.holds(item))
            }),
            Self::Object(properties) => value.as_object().is_some_and(|object| {
                let known = |name: &String| properties.iter().any(|(known, ..)| known == name);
                object.keys().all(known)
                    && properties.iter().all(|(name, kind, required)| match object.get(name) {
                        Some(value) => kind.holds(value),
                        None => !required,
                    })
            }),
            Self::Either(kinds) => kinds.iter().any(|kind| kind.holds(value)),
        }
    }
}

/// Runs the job of a random schema and returns whether its output is complete.
fn is_complete(model: &Model, number: u64) -> bool {
    let kind = Kind::random(&mut ChaCha8Rng::seed_from_u64(number), 3);
    // White space is left out: a small model that is sure of nothing else goes on with it for ever.
    let mut schema = kind.schema();
    schema["x-guidance"] = json!({"whitespace_flexible": false});
    let schema = schema.to_string();
    let temperature = [0, 52_429, 65_536][number as usize % 3];
    let constraint = Some(Constraint::new(Form::JsonSchema, &*schema));
    let asks = GenerateSpec { constraint, ..spec(sampled(temperature, 0, 65_536, number), 300) };
    let done = run(model, PROMPT, &asks);
    let claimed = transcript(model, PROMPT, &done);
    let found = check(model, PROMPT, &claimed, &asks, &Positions::All).unwrap();
    let accepted = Verification::Accept { digest_root: Some(done.digest_root) };
    assert_eq!(found, accepted, "schema {number}: {schema}");
    if done.finish != FinishReason::EndToken {
        return false;
    }
    let text = model.detokenize(&done.tokens);
    let shown = String::from_utf8_lossy(&text);
    let value: Value = serde_json::from_slice(&text).expect("a complete output is JSON");
    assert!(kind.holds(&value), "schema {number}: {schema}: {shown}");
    true
}

#[test]
fn outputs_have_the_forms_of_random_schemas_and_are_accepted() {
    let model = Model::tiny().unwrap();
    let (next, complete) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| loop {
                let number = next.fetch_add(1, Ordering::Relaxed) as u64;
                if number >= SCHEMAS {
                    break;
                }
                complete.fetch_add(is_complete(&model, number).into(), Ordering::Relaxed);
            });
        }
    });
    let complete = complete.into_inner();
    assert!(complete >= 900, "{complete} of {SCHEMAS} outputs are complete");
}
