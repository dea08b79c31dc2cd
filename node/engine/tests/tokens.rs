// SPDX-License-Identifier: Apache-2.0
//! Tests of vocabularies: tokens equal llama.cpp's (recorded by `vocabularies/make.py`), and every
//! byte is kept.

mod models;

use assay_engine::EngineError;
use candle_core::quantized::gguf_file::Value;
use models::vocabularies::{pieces, read, words};
use proptest::prelude::*;
use serde_json::Value as Json;

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
            assert_eq!(tokenizer.encode(text.as_bytes()), tokens, "{name}: {text:?}");
            compared += 1;
        }
    }
    assert_eq!(compared, 6 * texts.len());
}

#[test]
fn encode_never_makes_a_control_token_of_text() {
    let tokenizer = read(&words(), &[]).unwrap();
    let control: Vec<u32> = tokenizer.encode(b"");
    assert!(control.is_empty(), "gpt-2 has no begin token");
    for text in ["<|begin|>", "<|end|>a<|user|>", "<|<|end|>end|>"] {
        let tokens = tokenizer.encode(text.as_bytes());
        assert_eq!(tokenizer.decode(&tokens), text.as_bytes());
    }
    let tokenizer = read(&pieces(), &[]).unwrap();
    for text in ["<s>", "</s>", "<unk>", "<0x41>"] {
        let tokens = tokenizer.encode(text.as_bytes());
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
                let Ok(tokenizer) = read(&file, &[(key.as_str(), Value::U32(id))]) else {
                    refused += 1;
                    continue;
                };
                opened += 1;
                let tokens = tokenizer.encode(&text);
                let own = tokens.strip_prefix(&*tokenizer.encode(b"")).unwrap();
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
    assert_eq!(tokenizer.encode(b""), [bos, eos]);
    let tokenizer =
        read(&pieces(), &[("tokenizer.ggml.add_bos_token", Value::Bool(false))]).unwrap();
    assert!(tokenizer.encode(b"").is_empty());
    let tokenizer =
        read(&pieces(), &[("tokenizer.ggml.add_space_prefix", Value::Bool(false))]).unwrap();
    let tokens = tokenizer.encode(b"a b");
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
    let result = read(&words(), &[("tokenizer.ggml.pre", text("tekken"))]);
    assert!(matches!(result, Err(EngineError::UnknownPreTokenizer { name }) if name == "tekken"));
}

#[test]
fn read_refuses_a_vocabulary_without_all_bytes() {
    let file = pieces();
    let kinds = Value::Array((0..1600).map(|_| Value::I32(1)).collect());
    match read(&file, &[("tokenizer.ggml.token_type", kinds)]) {
        Err(EngineError::InvalidKey { key, problem }) => {
            assert_eq!(key, "tokenizer.ggml.tokens");
            assert!(problem.contains("byte"), "{problem}");
        }
        other => panic!("{:?}", other.map(|_| "no error")),
    }
}

proptest! {
    #[test]
    fn decode_restores_every_byte(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        for pre in ["llama-bpe", "qwen2", "gpt-2", "smollm", "default"] {
            let pre = Value::String(pre.into());
            let tokenizer = read(&words(), &[("tokenizer.ggml.pre", pre)]).unwrap();
            prop_assert_eq!(&tokenizer.decode(&tokenizer.encode(&bytes)), &bytes);
        }
        let tokenizer = read(&pieces(), &[]).unwrap();
        let decoded = tokenizer.decode(&tokenizer.encode(&bytes));
        prop_assert!(decoded == bytes || decoded.strip_prefix(b" ") == Some(bytes.as_slice()));
    }

    #[test]
    fn encode_keeps_text_apart(a in "[ab ▁é\n]{0,8}", b in "[ab ▁é\n]{0,8}") {
        let tokenizer = read(&words(), &[]).unwrap();
        let tokens = [&a, &b].map(|text| tokenizer.encode(text.as_bytes()));
        prop_assert_eq!(a == b, tokens[0] == tokens[1]);
    }
}
