// SPDX-License-Identifier: Apache-2.0
//! Tests of masks, without the forward pass.

use super::{parser::Parser, Constraint, Form, Masks, COMPILER_VERSION, MAX_SOURCE_BYTES};
use crate::{EngineError, Model};
use proptest::prelude::*;
use std::sync::LazyLock;

static TINY: LazyLock<Model> = LazyLock::new(|| Model::tiny().unwrap());

/// The end token of the tiny model.
const END: u32 = 257;

const SCHEMA: &str = r#"{
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 5},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "array", "items": {"enum": ["a", "ab", 1, null]}, "maxItems": 3}
    },
    "required": ["name", "age"],
    "additionalProperties": false
}"#;

const GRAMMAR: &str = r#"
    start: sum
    sum: product ("+" product)*
    product: atom ("*" atom)*
    atom: /[0-9]{1,3}/ | "(" sum ")"
"#;

fn constraints() -> [Constraint; 4] {
    [
        Constraint::new(Form::JsonSchema, SCHEMA),
        Constraint::new(Form::Regex, "(ab|a)*[0-9]{2,4}(é|日)?"),
        Constraint::new(Form::Regex, ".*x"),
        Constraint::new(Form::Grammar, GRAMMAR),
    ]
}

fn parser(constraint: &Constraint) -> Parser {
    Parser::new(constraint, TINY.constraint_vocabulary().unwrap()).unwrap()
}

/// Returns the tokens that may follow a text; `None` if the text itself leaves the form.
fn allowed_after(constraint: &Constraint, text: &str) -> Option<Vec<u32>> {
    let mut parser = parser(constraint);
    let goes_on = text.bytes().all(|byte| parser.push(byte.into()).unwrap());
    goes_on.then(|| allowed(&mut parser))
}

fn allowed(parser: &mut Parser) -> Vec<u32> {
    let mask = parser.mask().unwrap();
    (0..TINY.info().vocab_size + 40).filter(|&token| mask.allows(token)).collect()
}

/// Returns a text of the form, or its beginning: each number selects one of the allowed tokens.
fn walk(constraint: &Constraint, choices: &[usize]) -> Vec<u32> {
    let (mut parser, mut output) = (parser(constraint), Vec::new());
    for choice in choices {
        let may = allowed(&mut parser);
        let token = may[choice % may.len()];
        if token == END {
            break;
        }
        assert!(parser.push(token).unwrap());
        output.push(token);
    }
    output
}

fn bytes(text: &str) -> Vec<u32> {
    text.bytes().map(u32::from).collect()
}

#[test]
fn mask_is_what_the_form_allows() {
    let regex = Constraint::new(Form::Regex, "(ab|a)c?");
    assert_eq!(allowed_after(&regex, ""), Some(bytes("a")));
    assert_eq!(allowed_after(&regex, "a"), Some([bytes("bc"), vec![END]].concat()));
    assert_eq!(allowed_after(&regex, "abc"), Some(vec![END]));
    assert_eq!(allowed_after(&regex, "b"), None);
    let schema = Constraint::new(Form::JsonSchema, r#"{"enum": [true, 12]}"#);
    assert_eq!(allowed_after(&schema, ""), Some(bytes("1t")));
    assert_eq!(allowed_after(&schema, "12"), Some(vec![END]));
    let grammar = Constraint::new(Form::Grammar, GRAMMAR);
    assert_eq!(allowed_after(&grammar, "(1"), Some(bytes(")*+0123456789")));
    assert_eq!(allowed_after(&grammar, "123"), Some([bytes("*+"), vec![END]].concat()));
}

#[test]
fn control_tokens_and_foreign_bytes_are_never_allowed() {
    let any = Constraint::new(Form::Regex, "(?s:.*)");
    let may = allowed_after(&any, "").unwrap();
    // The bytes that never begin a character in UTF-8 are missing, and so are the tokens that begin and pad.
    assert!(may.contains(&END) && may.contains(&0) && may.contains(&0xc3));
    assert!([0x80, 0xc0, 0xff, 256, 258, 259].iter().all(|token| !may.contains(token)), "{may:?}");
}

#[test]
fn form_that_cannot_be_reached_ends() {
    // A grammar can name tokens by their numbers, and control tokens are left out.
    let unreachable = Constraint::new(Form::Grammar, "start: \"a\" <[256]>");
    assert_eq!(allowed_after(&unreachable, ""), Some(bytes("a")));
    assert_eq!(allowed_after(&unreachable, "a"), Some(vec![END]));
}

#[test]
fn source_that_does_not_compile_is_refused_with_the_compilers_message() {
    for (form, source, words) in [
        (Form::JsonSchema, "{", "EOF while parsing"),
        (Form::JsonSchema, r#"{"type": "thing"}"#, "thing"),
        (Form::JsonSchema, r#"{"type": "string", "contentEncoding": "x", "not": {}}"#, "not"),
        (Form::JsonSchema, r#"{"$ref": "https://example.com/a"}"#, "example.com"),
        (Form::JsonSchema, r#"{"type": "integer", "minimum": 3, "maximum": 2}"#, "minimum"),
        (Form::Regex, "(a", "unclosed group"),
        (Form::Grammar, "start: unknown", "unknown"),
        (Form::Grammar, "", "no"),
    ] {
        let constraint = Constraint::new(form, source);
        let error = constraint.ensure_compiles(&TINY).unwrap_err();
        assert!(matches!(error, EngineError::Constraint { .. }), "{error}");
        assert!(error.to_string().contains(words), "{source}: {error}");
    }
}

#[test]
fn source_over_its_length_is_refused_before_it_compiles() {
    let long = |bytes: usize| Constraint::new(Form::Regex, "a".repeat(bytes));
    let error = long(MAX_SOURCE_BYTES + 1).ensure_compiles(&TINY).unwrap_err();
    assert!(matches!(error, EngineError::ConstraintTooLong { bytes: 131_073, limit: 131_072 }));
    long(1000).ensure_compiles(&TINY).unwrap();
}

#[test]
fn compiler_that_gives_up_is_told_from_a_source_that_does_not_compile() {
    // The intersection needs more nodes than the compiler may build.
    let source = "start: T\nT: /(?s:.*)a.{30}/ & /(.*b.{20})+/ & ~/(.*c.{10})+/";
    let error = Constraint::new(Form::Grammar, source).ensure_compiles(&TINY).unwrap_err();
    assert!(matches!(error, EngineError::ConstraintResource { .. }), "{error}");
    assert!(error.to_string().contains("fuel exhausted"), "{error}");
}

#[test]
fn compiler_of_another_name_or_version_is_refused() {
    assert!(Constraint::ensure_compiler("llguidance", COMPILER_VERSION).is_ok());
    let error = Constraint::ensure_compiler("xgrammar", COMPILER_VERSION).unwrap_err();
    assert!(matches!(error, EngineError::ConstraintCompiler { .. }));
    assert!(error.to_string().contains("\"xgrammar\", but the engine has \"llguidance\""));
    let error = Constraint::ensure_compiler("llguidance", "1.9.0").unwrap_err();
    assert!(matches!(error, EngineError::ConstraintVersion { .. }));
    let words = "llguidance 1.9.0, but the engine has llguidance 1.9.1";
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn version_of_the_compiler_is_the_one_that_is_built_in() {
    let lock = include_str!("../../../../Cargo.lock");
    let version = |name: &str| {
        let entry = lock
            .split("[[package]]")
            .find(|entry| entry.lines().any(|line| line == format!("name = \"{name}\"")));
        let version = entry?.lines().find_map(|line| line.strip_prefix("version = "))?;
        Some(version.trim_matches('"'))
    };
    assert_eq!(version("llguidance"), Some(COMPILER_VERSION));
    assert_eq!(version("toktrie"), Some(COMPILER_VERSION));
}

/// Returns the hash of all masks on a walk through each form.
fn masks_hash() -> String {
    let mut hasher = blake3::Hasher::new();
    for constraint in &constraints() {
        let choices: Vec<usize> = (0..40).map(|at: usize| at * at + 3).collect();
        let output = walk(constraint, &choices);
        let mut at = parser(constraint);
        for &token in &output {
            for allowed in allowed(&mut at) {
                hasher.update(&allowed.to_le_bytes());
            }
            hasher.update(&token.to_be_bytes());
            assert!(at.push(token).unwrap());
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// Other masks are those of another compiler, whatever its version is called. The parts of the compiler number things
/// in an order that differs between processes.
#[test]
fn masks_are_the_known_ones() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/masks.txt");
    let known = std::fs::read_to_string(path).unwrap();
    assert_eq!(masks_hash(), known.trim());
}

proptest! {
    #[test]
    fn mask_allows_what_the_parser_takes(
        which in 0usize..4,
        choices in prop::collection::vec(any::<usize>(), 0..30),
    ) {
        let constraint = &constraints()[which];
        let output = walk(constraint, &choices);
        let mut at = parser(constraint);
        for &token in &output {
            prop_assert!(at.push(token).unwrap());
        }
        let mask = at.mask().unwrap();
        for token in 0..TINY.info().vocab_size {
            let taken = at.clone().push(token).unwrap();
            prop_assert_eq!(taken, token != END && mask.allows(token), "{} after {:?}", token, output);
        }
    }

    #[test]
    fn masks_after_a_rollback_are_those_of_a_new_parser(
        which in 0usize..4,
        choices in prop::collection::vec(any::<usize>(), 1..24),
        drafts in prop::collection::vec((1usize..6, prop::collection::vec(0u32..259, 0..5), any::<bool>()), 1..9),
    ) {
        let constraint = &constraints()[which];
        let output = walk(constraint, &choices);
        let mut masks = Masks::new(constraint, &TINY).unwrap();
        let mut decided = 0;
        for (more, drafted, back) in drafts {
            // Some jobs go through the model again from their first token.
            decided = if back { 0 } else { (decided + more).min(output.len()) };
            // A draft may be right, wrong or leave the form.
            let right = &output[decided..(decided + more).min(output.len())];
            let tokens = [&output[..decided], right, &drafted].concat();
            masks.prepare(&tokens, decided, decided..=tokens.len()).unwrap();
            let mut fresh = parser(constraint);
            for &token in &tokens[..decided] {
                prop_assert!(fresh.push(token).unwrap());
            }
            for position in decided..=tokens.len() {
                let expected = fresh.mask().unwrap();
                prop_assert_eq!(masks.ready().at(position), Some(&expected), "at {}", position);
                let Some(&next) = tokens.get(position) else { break };
                if !fresh.push(next).unwrap() {
                    prop_assert_eq!(masks.ready().at(position + 1), None);
                    break;
                }
            }
        }
    }
}
