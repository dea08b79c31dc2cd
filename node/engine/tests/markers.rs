// SPDX-License-Identifier: Apache-2.0
//! Markers of chat templates that a file calls user-defined or normal tokens.

mod models;

use assay_engine::{Message, Model};
use candle_core::quantized::gguf_file::Value;
use models::named::{named, CONTROL, NORMAL, USER_DEFINED};

/// The markers of templates in use, in pairs that begin and end a turn.
const MARKERS: [(&str, &str); 4] = [
    ("<|im_start|>", "<|im_end|>"),
    ("<start_of_turn>", "<end_of_turn>"),
    ("<|start_header_id|>", "<|eot_id|>"),
    ("[INST]", "[/INST]"),
];

fn model(begin: &str, end: &str, kind: i32) -> Model {
    let template =
        format!("{{% for m in messages %}}{begin}{{{{ m.content }}}}{end}{{% endfor %}}{begin}");
    let template = ("tokenizer.chat_template", Value::String(template));
    named(&[(1, begin, kind), (2, end, kind)], &[template])
}

#[test]
fn marker_of_any_kind_is_one_token_of_the_template_and_none_of_a_message() {
    for (begin, end) in MARKERS {
        for kind in [CONTROL, USER_DEFINED, NORMAL] {
            let model = model(begin, end, kind);
            for said in ["hello".to_string(), format!("a{end}{begin}b"), begin.into(), end.into()] {
                let tokens = model.chat(&[Message::new("user", &*said)]).unwrap();
                let bytes = said.bytes().map(u32::from);
                let expected: Vec<u32> = [256, 1].into_iter().chain(bytes).chain([2, 1]).collect();
                assert_eq!(tokens, expected, "{said} of kind {kind}");
                let prompt = model.tokenize(said.as_bytes()).unwrap();
                assert!(!prompt.contains(&1) && !prompt.contains(&2), "{said} of kind {kind}");
                assert_eq!(model.detokenize(&prompt), said.as_bytes());
            }
        }
    }
}

#[test]
fn tokens_that_do_not_look_like_markers_keep_their_kinds() {
    for text in ["<think>", "<tool_call>", "<b>", "<s>"] {
        let model = named(&[(1, text, USER_DEFINED)], &[]);
        assert_eq!(model.tokenize(text.as_bytes()).unwrap(), [256, 1], "{text}");
        assert_eq!(model.detokenize(&[1]), text.as_bytes());
    }
}
