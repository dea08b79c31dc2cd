// SPDX-License-Identifier: Apache-2.0
//! Tests of vocabularies: tokens equal llama.cpp's (recorded by `vocabularies/make.py`), and every
//! byte is kept.

mod models;

use assay_engine::{
    tokenizer::Tokenizer, verify, EngineError, FinishReason, GenerateSpec, Limits, Positions,
    Prompt, RejectReason, SampleSpec, Sampling, Threads, Transcript, Verification,
};
use candle_core::quantized::gguf_file::{Content, Value};
use models::vocabularies::{changed, model, pieces, read, without, words};
use proptest::prelude::*;
use serde_json::Value as Json;
use std::{io::Cursor, sync::atomic::AtomicBool};

/// The key of the tokens' kinds.
const KINDS: &str = "tokenizer.ggml.token_type";

/// The highest token at each position.
const GREEDY: Sampling = Sampling::GREEDY;

fn golden() -> Json {
    serde_json::from_str(include_str!("vocabularies/golden.json")).expect("valid JSON")
}

fn list<'v>(value: &'v Json, key: &str) -> &'v [Json] {
    value[key].as_array().expect("a list")
}

#[test]
fn encode_returns_the_tokens_of_llama_cpp() {
    let golden = golden();
    let texts: Vec<&str> = list(&golden, "texts").iter().map(|t| t.as_str().unwrap()).collect();
    let mut compared = 0;
    for name in ["pieces", "llama-bpe", "qwen2", "gpt-2", "smollm", "default"] {
        let tokenizer = match name {
            "pieces" => read(&pieces(), &[]).unwrap(),
            pre => read(&words(), &[("tokenizer.ggml.pre", Value::String(pre.into()))]).unwrap(),
        };
        for (text, tokens) in texts.iter().zip(list(&golden, name)) {
            let tokens: Vec<u32> = serde_json::from_value(tokens.clone()).unwrap();
            assert_eq!(tokenizer.encode(text.as_bytes()).unwrap(), tokens, "{name}: {text:?}");
            compared += 1;
        }
    }
    assert_eq!(compared, 6 * texts.len());
}

#[test]
fn encode_never_makes_a_control_token_of_text() {
    let tokenizer = read(&words(), &[]).unwrap();
    let control: Vec<u32> = tokenizer.encode(b"").unwrap();
    assert!(control.is_empty(), "gpt-2 has no begin token");
    for text in ["<|begin|>", "<|end|>a<|user|>", "<|<|end|>end|>"] {
        let tokens = tokenizer.encode(text.as_bytes()).unwrap();
        assert_eq!(tokenizer.decode(&tokens), text.as_bytes());
    }
    let tokenizer = read(&pieces(), &[]).unwrap();
    for text in ["<s>", "</s>", "<unk>", "<0x41>"] {
        let tokens = tokenizer.encode(text.as_bytes()).unwrap();
        assert_eq!(tokenizer.decode(&tokens), format!(" {text}").as_bytes());
    }
}

#[test]
fn encode_never_makes_a_token_of_text_that_the_file_calls_an_end() {
    let (mut opened, mut refused) = (0, 0);
    for (file, prefix) in [(words(), ""), (pieces(), " ")] {
        let plain = read(&file, &[]).unwrap();
        // The tokens are of every kind: bytes, parts of merges, and whole words that no merge
        // makes.
        for id in (0..1600).step_by(37).chain([97, 300, 1600, 1604]) {
            let text = plain.decode(&[id]);
            if text.is_empty() {
                continue;
            }
            for name in ["bos", "eos", "eot"] {
                let key = format!("tokenizer.ggml.{name}_token_id");
                let read = read(&file, &[(key.as_str(), Value::U32(id))]);
                let Some((tokenizer, tokens)) =
                    read.and_then(|it| it.encode(&text).map(|tokens| (it, tokens))).ok()
                else {
                    refused += 1;
                    continue;
                };
                opened += 1;
                let own = tokens.strip_prefix(&*tokenizer.encode(b"").unwrap_or_default()).unwrap();
                assert!(!own.contains(&id), "{name} {id}");
                assert_eq!(tokenizer.decode(&tokens), [prefix.as_bytes(), &text].concat());
            }
        }
    }
    assert!(opened > 20 && refused > 20, "{opened} opened, {refused} refused");
}

#[test]
fn decode_returns_nothing_for_control_tokens_and_unknown_ids() {
    let tokenizer = read(&pieces(), &[]).unwrap();
    assert_eq!(tokenizer.decode(&[1, 2, 0, u32::MAX]), b"");
    assert!(tokenizer.is_end(2) && tokenizer.end() == 2 && !tokenizer.is_end(1));
}

#[test]
fn encode_begins_and_ends_as_the_file_says() {
    let (bos, eos) = (1, 2);
    let tokenizer =
        read(&pieces(), &[("tokenizer.ggml.add_eos_token", Value::Bool(true))]).unwrap();
    assert_eq!(tokenizer.encode(b"").unwrap(), [bos, eos]);
    let tokenizer =
        read(&pieces(), &[("tokenizer.ggml.add_bos_token", Value::Bool(false))]).unwrap();
    assert!(tokenizer.encode(b"").unwrap().is_empty());
    let tokenizer =
        read(&pieces(), &[("tokenizer.ggml.add_space_prefix", Value::Bool(false))]).unwrap();
    let tokens = tokenizer.encode(b"a b").unwrap();
    assert_eq!(tokenizer.decode(&tokens), b"a b");
}

#[test]
fn longest_is_the_most_bytes_of_a_token() {
    for file in [pieces(), words()] {
        let tokenizer = read(&file, &[]).unwrap();
        let all = (0..1700).map(|token| tokenizer.decode(&[token]).len()).max();
        assert_eq!(Some(tokenizer.longest()), all);
    }
}

#[test]
fn read_refuses_invalid_vocabularies() {
    let text = |text: &str| Value::String(text.into());
    let cases = [
        ("tokenizer.ggml.tokens", Value::Array(vec![text("a")])),
        ("tokenizer.ggml.tokens", text("a")),
        ("tokenizer.ggml.token_type", Value::Array(vec![Value::I32(1)])),
        ("tokenizer.ggml.scores", Value::Array(vec![Value::F32(f32::NAN)])),
        ("tokenizer.ggml.scores", Value::Array(vec![Value::F32(1.0)])),
        ("tokenizer.ggml.eos_token_id", Value::U32(1 << 20)),
        ("tokenizer.ggml.add_space_prefix", Value::U32(1)),
    ];
    for (key, value) in cases {
        let shown = format!("{key} = {value:?}");
        match read(&pieces(), &[(key, value)]) {
            Err(EngineError::InvalidKey { key: found, .. }) => assert_eq!(found, key, "{shown}"),
            other => panic!("{shown}: {:?}", other.map(|_| "no error")),
        }
    }
    let key = "tokenizer.ggml.merges";
    for merge in ["ab", "a qqq", "\u{120}qui xotic"] {
        let merges = Value::Array(vec![text(merge)]);
        let result = read(&words(), &[(key, merges)]);
        assert!(
            matches!(&result, Err(EngineError::InvalidKey { key: k, .. }) if k == key),
            "{merge}"
        );
    }
    let result = read(&words(), &[("tokenizer.ggml.pre", text("viking"))]);
    assert!(matches!(result, Err(EngineError::UnknownPreTokenizer { name }) if name == "viking"));
}

#[test]
fn merges_make_no_token_that_is_a_control_token_by_its_text() {
    let own = Content::read(&mut Cursor::new(words())).unwrap().metadata;
    let list = |key: &str| own[key].to_vec().unwrap().clone();
    let text = |text: &str| Value::String(text.into());
    let [mut tokens, mut kinds, mut merges] =
        ["tokenizer.ggml.tokens", KINDS, "tokenizer.ggml.merges"].map(list);
    let marker = tokens.len() as u32;
    tokens.extend(["<|x|>", "<|", "x|>", "<|x|>>"].map(text));
    kinds.resize(tokens.len(), Value::I32(1));
    let own = ["< |", "| >", "x |>", "<| x|>", "<|x|> >"].map(text);
    merges.splice(0..0, own);
    tokens.push(text("|>"));
    kinds.push(Value::I32(1));
    let changes = [
        ("tokenizer.ggml.tokens", Value::Array(tokens)),
        (KINDS, Value::Array(kinds)),
        ("tokenizer.ggml.merges", Value::Array(merges)),
    ];
    let file = changed(&words(), &changes);
    let tokenizer = read(&file, &[]).unwrap();
    let tokens = tokenizer.encode(b"<|x|>>").unwrap();
    assert!(!tokens.contains(&marker) && tokenizer.decode(&tokens) == b"<|x|>>", "{tokens:?}");
}

/// Returns the kinds of a file's tokens, changed by `kind`.
fn kinds(file: &[u8], kind: impl Fn(usize, i32) -> i32) -> Value {
    let content = Content::read(&mut Cursor::new(file)).unwrap();
    let own = content.metadata["tokenizer.ggml.token_type"].to_vec().unwrap();
    let own = own.iter().enumerate();
    Value::Array(own.map(|(id, own)| Value::I32(kind(id, own.to_i32().unwrap()))).collect())
}

/// Returns the kinds of a file's tokens, among which none is of that byte.
fn kinds_without(file: &[u8], byte: u8) -> Value {
    let tokens = read(file, &[]).unwrap().encode(&[byte]).unwrap();
    let token = *tokens.last().unwrap() as usize;
    // A control token stands for nothing.
    kinds(file, |id, own| if id == token { 3 } else { own })
}

/// Asserts that exactly the texts that need the byte have no tokens.
fn lacks(tokenizer: &Tokenizer, byte: u8, needs: &[&[u8]]) {
    for text in needs {
        let error = tokenizer.encode(text).unwrap_err();
        assert!(matches!(error, EngineError::NoTokenForByte { byte: b } if b == byte), "{error}");
        assert!(error.to_string().contains(&format!("{byte:#04x}")), "{error}");
    }
    let others: Vec<u8> = (0..=255).filter(|other| *other != byte).collect();
    for text in [&b"In the beginning"[..], b"", &others] {
        let tokens = tokenizer.encode(text).unwrap();
        assert!(tokenizer.decode(&tokens).ends_with(text), "{text:?}");
    }
}

#[test]
fn text_that_needs_a_missing_byte_has_no_tokens() {
    // It stands in no piece of these vocabularies.
    let byte = 4;
    for file in [words(), pieces()] {
        let tokenizer = read(&file, &[(KINDS, kinds_without(&file, byte))]).unwrap();
        lacks(&tokenizer, byte, &[&[byte], b"In the\x04beginning", b"\xff\x04"]);
    }
}

#[test]
fn vocabulary_without_bytes_encodes_what_it_has_pieces_for() {
    let file = pieces();
    let kinds = kinds(&file, |_, own| if own == 6 { 1 } else { own });
    let tokenizer = read(&file, &[(KINDS, kinds)]).unwrap();
    let tokens = tokenizer.encode(b"the").unwrap();
    assert_eq!(tokenizer.decode(&tokens), b" the");
    let error = tokenizer.encode("\u{13000}".as_bytes()).unwrap_err();
    assert!(matches!(error, EngineError::NoTokenForByte { byte: 0xf0 }), "{error}");
}

#[test]
fn model_opens_without_all_bytes_and_rejects_every_answer_to_what_it_cannot_read() {
    let file = pieces();
    let model = model(&file, &[(KINDS, kinds_without(&file, 4))]);
    assert!(matches!(model.tokenize(b"a\x04"), Err(EngineError::NoTokenForByte { byte: 4 })));
    let transcript = Transcript {
        input: model.tokenize(b"a").unwrap(),
        output: vec![1],
        finish: FinishReason::Length,
        logprobs: Default::default(),
    };
    let sample = SampleSpec::new(0, &[0; 32], GREEDY);
    let spec = GenerateSpec::new(sample, 1, [0; 32]);
    let verdict = verify(
        &model,
        &Threads::new(1),
        &Prompt::text(b"a\x04"),
        &transcript,
        &spec,
        &Positions::All,
        &Limits::default(),
        &AtomicBool::new(false),
    );
    let binding = Verification::Reject { position: 0, reason: RejectReason::Binding };
    assert_eq!(verdict.unwrap(), binding);
}

/// The key of the rule by which text is cut into words.
const PRE: &str = "tokenizer.ggml.pre";

#[test]
fn vocabulary_tells_the_rule_where_the_file_does_not() {
    let text = b"In 1234567 I'LL   go\n\n on";
    for (at, token, rule) in
        [(128_000, "<|begin_of_text|>", "llama-bpe"), (151_644, "<|im_start|>", "qwen2")]
    {
        let own = Content::read(&mut Cursor::new(words())).unwrap().metadata;
        let list = |key: &str| own[key].to_vec().unwrap().clone();
        let (mut tokens, mut kinds) = (list("tokenizer.ggml.tokens"), list(KINDS));
        tokens.extend((tokens.len()..at).map(|id| Value::String(format!("token {id}"))));
        tokens.push(Value::String(token.into()));
        kinds.resize(tokens.len() - 1, Value::I32(1));
        kinds.push(Value::I32(3));
        let lists = [("tokenizer.ggml.tokens", Value::Array(tokens)), (KINDS, Value::Array(kinds))];
        let file = without(&changed(&words(), &lists), PRE);
        let named = |rule: &str| read(&file, &[(PRE, Value::String(rule.into()))]).unwrap();
        let [unnamed, right, other] = [read(&file, &[]).unwrap(), named(rule), named("default")]
            .map(|tokenizer| tokenizer.encode(text).unwrap());
        assert_eq!(unnamed, right, "{rule}");
        assert_ne!(right, other, "{rule}");
    }
}

#[test]
fn model_that_leaves_the_rule_open_has_a_warning() {
    let model = |file: &[u8]| model(file, &[]);
    assert_eq!(model(&words()).warning(), None);
    assert_eq!(model(&pieces()).warning(), None);
    let unnamed = model(&without(&words(), PRE));
    let warning = unnamed.warning().expect("a warning");
    assert!(warning.contains(PRE) && warning.contains("default"), "{warning}");
}

proptest! {
    #[test]
    fn decode_restores_every_byte(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        for pre in ["llama-bpe", "qwen2", "gpt-2", "smollm", "default"] {
            let pre = Value::String(pre.into());
            let tokenizer = read(&words(), &[("tokenizer.ggml.pre", pre)]).unwrap();
            prop_assert_eq!(&tokenizer.decode(&tokenizer.encode(&bytes).unwrap()), &bytes);
        }
        let tokenizer = read(&pieces(), &[]).unwrap();
        let decoded = tokenizer.decode(&tokenizer.encode(&bytes).unwrap());
        prop_assert!(decoded == bytes || decoded.strip_prefix(b" ") == Some(bytes.as_slice()));
    }

    #[test]
    fn encode_keeps_text_apart(a in "[ab ▁é\n]{0,8}", b in "[ab ▁é\n]{0,8}") {
        let tokenizer = read(&words(), &[]).unwrap();
        let tokens = [&a, &b].map(|text| tokenizer.encode(text.as_bytes()).unwrap());
        prop_assert_eq!(a == b, tokens[0] == tokens[1]);
    }
}
