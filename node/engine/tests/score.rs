// SPDX-License-Identifier: Apache-2.0
//! The score is a real code length: each text is restored from a code as long as its score.

mod models;

use assay_engine::{
    compress, decompress, score, synthetic::Synthetic, EngineError, Limits, Model, Threads,
};
use candle_core::quantized::gguf_file::Value;
use models::{
    model, rows,
    vocabularies::{self, pieces, words},
    NEVER,
};
use proptest::prelude::{any, prop, prop_assert_eq, proptest, ProptestConfig};
use std::{
    sync::{atomic::AtomicBool, LazyLock},
    time::Instant,
};

/// A text of the kind that the tiny model was trained on, though not from its book.
const TEXT: &[u8] = b"And the king said unto the men of the city, Go ye up into the mountain, and \
    bring wood, and build the house; and I will take pleasure in it, and I will be glorified. And \
    they went up, and did as the king had commanded them, and they brought of the wood of the \
    mountain, and stones also, great stones, and laid the foundation of the house. And it came to \
    pass in those days, when the house was finished, that all the people were gathered together.";

fn code(model: &Model, text: &[u8]) -> (u64, Vec<u8>) {
    let (threads, limits) = (Threads::new(2), Limits::default());
    let bits = score(model, &threads, text, &limits, &NEVER).unwrap().bits_q16;
    (bits, compress(model, &threads, text, &limits, &NEVER).unwrap())
}

fn back(model: &Model, code: &[u8]) -> Result<Vec<u8>, EngineError> {
    decompress(model, &Threads::new(1), code, &Limits::default(), &NEVER)
}

/// Checks that the code is as long as the score, within a thousandth and the twelve bytes around
/// it.
fn assert_is_length(bits_q16: u64, code: &[u8]) {
    let (bits, length) = (bits_q16 as f64 / 65_536.0, 8.0 * code.len() as f64);
    assert!(length >= 0.999 * bits && length <= 1.001 * bits + 96.0, "{length} bits for {bits}");
}

#[test]
fn text_comes_back_from_a_code_as_long_as_its_score() {
    let tiny = Model::tiny().unwrap();
    for model in [tiny.requantised_q4_0().unwrap(), tiny, model(Synthetic::default())] {
        for text in [TEXT, b"", b"a", &TEXT[..100], &TEXT.repeat(3)] {
            let (bits, code) = code(&model, text);
            assert_eq!(back(&model, &code).unwrap(), text);
            assert_is_length(bits, &code);
        }
    }
}

/// Models with vocabularies of pieces and of words, with and without begin tokens, end tokens and
/// prefixed spaces.
static VOCABULARIES: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let flag = |name: &str, on: bool| (format!("tokenizer.ggml.{name}"), Value::Bool(on));
    let mut models = Vec::new();
    for (file, begins) in [(pieces(), true), (words(), true), (words(), false)] {
        for (ends, prefix) in [(false, true), (true, true), (true, false)] {
            let keys = [
                flag("add_bos_token", begins),
                flag("add_eos_token", ends),
                flag("add_space_prefix", prefix),
            ];
            let keys: Vec<_> = keys.iter().map(|(key, on)| (key.as_str(), on.clone())).collect();
            models.push(vocabularies::model(&file, &keys));
        }
    }
    models
});

#[test]
fn text_is_encoded_in_tokens_for_any_vocabulary() {
    let (threads, limits) = (Threads::new(1), Limits::default());
    for model in VOCABULARIES.iter() {
        for text in
            ["abc", " abc", "  the text", "a\n\n b", "<think>so</think> it is", "é\u{1f642}"]
        {
            let score = score(model, &threads, text.as_bytes(), &limits, &NEVER).unwrap();
            assert!(score.tokens > 0, "{text:?}");
            let (bits, code) = code(model, text.as_bytes());
            assert_eq!(back(model, &code).unwrap(), text.as_bytes());
            assert_is_length(bits, &code);
        }
        // Even an untrained model encodes pieces in fewer bits than their bytes have.
        let (bits, _) = code(model, TEXT);
        assert!((bits >> 16) < 7 * TEXT.len() as u64, "{bits}");
    }
}

#[test]
fn text_that_its_tokens_do_not_restore_is_encoded_in_bytes() {
    let model = vocabularies::model(&pieces(), &[]);
    let text = "a\u{2581}b".as_bytes();
    let (bits, code) = code(&model, text);
    assert_eq!(bits, (8 * text.len() as u64) << 16);
    assert_eq!(back(&model, &code).unwrap(), text);
}

#[test]
fn trained_model_encodes_its_kind_of_text_in_few_bits() {
    let tiny = Model::tiny().unwrap();
    let (bits, _) = code(&tiny, TEXT);
    let per_byte = bits as f64 / 65_536.0 / TEXT.len() as f64;
    assert!(per_byte < 2.5, "{per_byte} bits per byte");
    let random: Vec<u8> = TEXT.iter().enumerate().map(|(i, b)| b ^ (i * i % 251) as u8).collect();
    assert!(code(&tiny, &random).0 > 3 * bits);
}

#[test]
fn score_is_the_sum_of_the_logarithms() {
    let tiny = Model::tiny().unwrap();
    let tokens = tiny.tokenize(TEXT).unwrap();
    let rows = rows(&tiny, &Threads::new(1), &tokens[..tokens.len() - 1], 1000);
    let exact: f64 = rows
        .iter()
        .zip(&tokens[1..])
        .map(|(row, &token)| {
            let e = |logit: i32| (f64::from(logit) / 65_536.0).exp();
            (row.iter().map(|&l| e(l)).sum::<f64>() / e(row[token as usize])).log2()
        })
        .sum();
    let got = code(&tiny, TEXT).0 as f64 / 65_536.0;
    assert!((got - exact).abs() < 1e-4 * exact, "{got} {exact}");
}

#[test]
fn score_does_not_depend_on_threads() {
    let tiny = Model::tiny().unwrap();
    let limits = Limits::default();
    let [one, four] =
        [1, 4].map(|n| score(&tiny, &Threads::new(n), TEXT, &limits, &NEVER).unwrap());
    assert_eq!((one, one.tokens), (four, TEXT.len()));
}

#[test]
fn text_longer_than_the_context_is_encoded_in_windows() {
    for context in [2, 3, 16, 33, 100] {
        let model = model(Synthetic { context, ..Synthetic::default() });
        let (bits, code) = code(&model, TEXT);
        assert_eq!(back(&model, &code).unwrap(), TEXT, "context {context}");
        assert_is_length(bits, &code);
    }
}

#[test]
fn decompress_refuses_what_compress_did_not_make() {
    let tiny = Model::tiny().unwrap();
    let (_, code) = code(&tiny, TEXT);
    let refused = |code: &[u8], wanted: &str| match back(&tiny, code) {
        Err(EngineError::Compressed { field, .. }) => assert_eq!(field, wanted),
        other => panic!("{other:?}"),
    };
    refused(b"abc", "check");
    refused(b"abcd", "number of tokens");
    refused(b"abcd\xff\xff\xff\xff\xff\x01", "number of tokens");
    for at in [0, 7, code.len() / 2] {
        let mut damaged = code.clone();
        damaged[at] ^= 1;
        refused(&damaged, "check");
    }
    let huge = b"abcd\xff\xff\xff\xff\x7f";
    assert!(matches!(back(&tiny, huge), Err(EngineError::MemoryLimit { .. })));
    let other = tiny.requantised_q4_0().unwrap();
    assert!(matches!(back(&other, &code), Err(EngineError::Compressed { .. })));
}

#[test]
fn score_keeps_its_limits() {
    let (tiny, threads) = (Model::tiny().unwrap(), Threads::new(1));
    let small = Limits { memory_bytes: 1000, ..Limits::default() };
    let result = score(&tiny, &threads, TEXT, &small, &NEVER);
    assert!(matches!(result, Err(EngineError::MemoryLimit { limit: 1000, .. })));
    let late = Limits { deadline: Some(Instant::now()), ..Limits::default() };
    let result = compress(&tiny, &threads, TEXT, &late, &NEVER);
    assert!(matches!(result, Err(EngineError::Deadline { .. })));
    let cancel = AtomicBool::new(true);
    let result = score(&tiny, &threads, TEXT, &Limits::default(), &cancel);
    assert!(matches!(result, Err(EngineError::Cancelled { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_bytes_come_back(text in prop::collection::vec(any::<u8>(), 0..300)) {
        for model in [Model::tiny().unwrap(), model(Synthetic { context: 64, ..Synthetic::default() })] {
            let (bits, code) = code(&model, &text);
            prop_assert_eq!(&back(&model, &code).unwrap(), &text);
            assert_is_length(bits, &code);
        }
    }

    #[test]
    fn any_text_comes_back_through_any_vocabulary(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                &b" "[..], b"  ", b"    ", b"a", b"the", b"\n", b"\xff", b"\xe2\x96\x81", b"<think>",
                b"</think>", b"<s>", b"</s>", b"think>x", b"<|end|>", b"0x41", b"\xc3\xa9",
            ]),
            0..12,
        ),
    ) {
        let text = parts.concat();
        for model in VOCABULARIES.iter() {
            let (bits, code) = code(model, &text);
            prop_assert_eq!(&back(model, &code).unwrap(), &text);
            assert_is_length(bits, &code);
        }
    }

    #[test]
    fn decompress_survives_any_bytes(code in prop::collection::vec(any::<u8>(), 0..60)) {
        let model = model(Synthetic::default());
        let limits = Limits { memory_bytes: 4_000_000, ..Limits::default() };
        // A false claim of many tokens costs time, so only short ones are tried.
        let mut code = code;
        if let Some(count) = code.get_mut(4) {
            *count &= 0x3f;
        }
        let _ = decompress(&model, &Threads::new(1), &code, &limits, &NEVER);
    }
}
