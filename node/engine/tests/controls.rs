// SPDX-License-Identifier: Apache-2.0
//! No text of a client becomes a control token, whatever the vocabulary and wherever the text is.

mod models;

use assay_engine::{synthetic::Synthetic, Chat, EngineError, Message, Model, Prompt};
use candle_core::quantized::gguf_file::{Content, Value};
use models::vocabularies::{pieces, shaped, words};
use proptest::prelude::*;
use std::{io::Cursor, sync::LazyLock};

/// The control tokens of ChatML, Llama 3 and Gemma, which the vocabularies get in addition to their own.
const CONTROLS: [&str; 10] = [
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|begin_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<bos>",
];

/// A template that writes everything that it is given, bare and trimmed, and no control token.
const TEMPLATE: &str = "{% for m in messages %}{{ m.role }}{{ m.content }}{{ m.content | trim }}\
    {% endfor %}{% for t in tools %}{{ t.text }}{{ t | tojson }}{{ t | tojson(indent=2) }}{% endfor %}\
    {{ said }}{{ said | string }}";

/// A template that takes parts out of what it is given, so that the rest joins.
const DELETING: &str =
    "{% for m in messages %}{% for word in m.content.split('|') %}{{ word }}{% endfor %}\
    {{ m.role | replace('a', '') }}{% endfor %}{{ said | replace('</think>', '') }}";

/// Models with one of the vocabularies, the texts of its control tokens and their ids.
struct Vocabulary {
    /// The model whose template is [`TEMPLATE`].
    model: Model,
    /// The model whose template is [`DELETING`].
    deleting: Model,
    controls: Vec<String>,
    ids: Vec<u32>,
}

impl Vocabulary {
    fn new(file: &[u8], pre: Option<&str>) -> Self {
        let own = Content::read(&mut Cursor::new(file)).expect("a fixture").metadata;
        let list = |key: &str| own.get(key).map(|list| list.to_vec().expect("an array").clone());
        let mut tokens = list("tokenizer.ggml.tokens").expect("there are tokens");
        let mut kinds = list("tokenizer.ggml.token_type").expect("there are kinds");
        let scores = list("tokenizer.ggml.scores");
        for control in CONTROLS {
            let has = |token: &Value| token.to_string().is_ok_and(|text| text == control);
            if !tokens.iter().any(has) {
                tokens.push(Value::String(control.into()));
                kinds.push(Value::I32(3));
            }
        }
        let is_control = |(_, kind): &(usize, &Value)| matches!(kind, Value::I32(3));
        let ids: Vec<usize> =
            kinds.iter().enumerate().filter(is_control).map(|(at, _)| at).collect();
        let controls = ids.iter().map(|&id| tokens[id].to_string().expect("a text").clone());
        let controls: Vec<String> = controls.collect();
        let mut changes = vec![("tokenizer.ggml.token_type", Value::Array(kinds))];
        if let Some(mut scores) = scores {
            scores.resize(tokens.len(), Value::F32(0.0));
            changes.push(("tokenizer.ggml.scores", Value::Array(scores)));
        }
        changes.push(("tokenizer.ggml.tokens", Value::Array(tokens)));
        changes.extend(pre.map(|pre| ("tokenizer.ggml.pre", Value::String(pre.into()))));
        let ids = ids.into_iter().map(|id| u32::try_from(id).expect("an id")).collect();
        // The texts of this test are long.
        let shape = Synthetic { context: 1 << 20, ..Synthetic::default() };
        let model = |template: &str| {
            let template = ("tokenizer.chat_template", Value::String(template.into()));
            shaped(shape, file, &[&changes[..], &[template]].concat())
        };
        Self { model: model(TEMPLATE), deleting: model(DELETING), controls, ids }
    }
}

static VOCABULARIES: LazyLock<Vec<Vocabulary>> = LazyLock::new(|| {
    let words = words();
    let pres = ["llama-bpe", "qwen2", "gpt-2", "smollm", "smaug-bpe", "default"];
    let mut all: Vec<_> = pres.iter().map(|pre| Vocabulary::new(&words, Some(pre))).collect();
    all.push(Vocabulary::new(&pieces(), None));
    all
});

/// Returns the JSON of a text.
fn json(text: &str) -> String {
    serde_json::to_string(text).expect("a text")
}

/// Returns a chat that says the text everywhere.
fn said(text: &str) -> Prompt {
    let quoted = json(text);
    Prompt::Chat(Chat {
        messages: vec![Message::new(text, text), Message::new("user", text)],
        tools: vec![format!("{{\"text\":{quoted},{quoted}:[{quoted}]}}")],
        arguments: vec![("said".into(), quoted)],
    })
}

/// Returns the tokens of a chat but those that begin it, after it has asserted that they have no control token.
fn bare<'t>(model: &Model, vocabulary: &Vocabulary, tokens: &'t [u32], text: &str) -> &'t [u32] {
    let begins = model.tokenize(b"").expect("no text");
    let rest = tokens.strip_prefix(begins.as_slice()).expect("it begins as the file says");
    let control = rest.iter().find(|token| vocabulary.ids.contains(token));
    assert_eq!(control, None, "{text:?} of {:?}", vocabulary.controls);
    rest
}

/// Asserts that a chat that says the text everywhere has no control token but the one that begins it.
fn assert_said(vocabulary: &Vocabulary, text: &str) {
    let model = &vocabulary.model;
    let tokens = said(text).input(model).expect("the template takes any chat");
    let rest = bare(model, vocabulary, &tokens, text);
    // Nothing is lost: the bytes of a control token's text are in the tokens of the text.
    let said = String::from_utf8(model.detokenize(rest)).expect("characters");
    let bare = |text: &str| text.replace(' ', "");
    assert!(bare(&said).starts_with(&bare(&[text, text, text.trim()].concat())), "{text:?}");
}

/// Asserts that a chat has no control token either, or is refused, where the template takes out parts of it.
fn assert_none_is_joined(vocabulary: &Vocabulary, text: &str) {
    match said(text).input(&vocabulary.deleting) {
        Ok(tokens) => drop(bare(&vocabulary.deleting, vocabulary, &tokens, text)),
        Err(EngineError::ChatTemplate { problem }) => {
            assert!(problem.contains("takes parts out"), "{problem}");
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn control_token_that_a_template_joins_is_refused_and_other_text_is_not() {
    for vocabulary in VOCABULARIES.iter() {
        for text in ["<bo|s>", "<|bos>", "|<bos|>", "<bo</think>s>", "<b</think>os>"] {
            let error = said(text).input(&vocabulary.deleting).expect_err(text);
            assert!(error.to_string().contains("takes parts out"), "{text}: {error}");
        }
        for text in ["a < b | c > d", "<bo s>", "<|</think>", "x</think>y", "<bos>"] {
            let tokens = said(text).input(&vocabulary.deleting).expect(text);
            bare(&vocabulary.deleting, vocabulary, &tokens, text);
        }
    }
}

#[test]
fn all_control_tokens_at_two_hundred_places_are_text() {
    for vocabulary in VOCABULARIES.iter() {
        assert!(vocabulary.controls.len() >= CONTROLS.len());
        let words = vocabulary.controls.iter().cycle().take(200.max(vocabulary.controls.len()));
        let words: Vec<&str> = words.map(String::as_str).collect();
        for between in ["", " ", "a", "<", "|", "\n"] {
            assert_said(vocabulary, &words.join(between));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn control_tokens_cut_and_joined_at_random_are_text(
        which in 0usize..7,
        places in prop::collection::vec((any::<u16>(), 0usize..24, 0usize..24, 0usize..5), 1..200),
    ) {
        let vocabulary = &VOCABULARIES[which];
        let mut text = String::new();
        for (control, from, to, between) in places {
            let control = &vocabulary.controls[usize::from(control) % vocabulary.controls.len()];
            // Most are whole, and the others are a part.
            let (from, to) = if from < 12 { (0, 24) } else { (from - 12, to) };
            text.extend(control.chars().skip(from).take(to));
            text.push_str(["", " ", "\n", "<", "\u{fdd0}"][between]);
        }
        assert_said(vocabulary, &text);
        assert_none_is_joined(vocabulary, &text);
    }
}
