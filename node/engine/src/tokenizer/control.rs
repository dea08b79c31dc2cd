// SPDX-License-Identifier: Apache-2.0
//! Tokens that are control tokens by their texts, whatever kind a file says.
//!
//! Converters disagree on kinds: many files say that `<|im_start|>` is user-defined or normal. A user's text
//! could become such a token, and a template's marker could be cut into pieces. A file also names one or two
//! end tokens where a model uses several. So texts decide as in llama.cpp: the ends are those of
//! `llama-vocab.cpp`, and the others are those that its converter takes for control tokens
//! (`does_token_look_special`) or that templates in use write.

/// The texts of tokens that end an output or a turn.
const ENDS: [&str; 29] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "▁<EOT>",
    "[EOT]",
    "[EOS]",
    "<eos>",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<｜end▁of▁sentence｜>",
    // Where code is filled in, what follows one of these belongs to another file.
    "<|fim_pad|>",
    "<fim-pad>",
    "<fim_pad>",
    "<PAD>",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<fim-repo>",
    "<REPO>",
    "<reponame>",
    "<|file_sep|>",
];
/// A text that ends an output only where the file says that it is a control token, since it is HTML as well.
const HTML_END: &str = "</s>";
/// The texts of other control tokens that do not [look like one](looks_like_control).
const OTHERS: [&str; 28] = [
    "<start_of_turn>",
    "<bos>",
    "<pad>",
    "<mask>",
    "<2mass>",
    "[@BOS@]",
    "[BOS]",
    "[INST]",
    "[/INST]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_CALLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "<fim-prefix>",
    "<fim_prefix>",
    "<PRE>",
    "▁<PRE>",
    "<fim-suffix>",
    "<fim_suffix>",
    "<SUF>",
    "▁<SUF>",
    "<fim-middle>",
    "<fim_middle>",
    "<MID>",
    "▁<MID>",
];
/// The pairs between which a text is that of a control token.
const FRAMES: [(&str, &str); 3] = [("<|", "|>"), ("<｜", "｜>"), ("<unused", ">")];

/// Returns whether a token with this text is a control token, whatever kind the file says.
pub(super) fn is_control(text: &str) -> bool {
    ENDS.contains(&text) || OTHERS.contains(&text) || looks_like_control(text)
}

/// Returns whether a text is framed as those of control tokens are.
fn looks_like_control(text: &str) -> bool {
    FRAMES.iter().any(|(open, close)| {
        let inner = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        let other = |c: char| c.is_whitespace() || matches!(c, '<' | '>');
        inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(other))
    })
}

/// Returns the ids of the control tokens with these texts that end an output.
pub(super) fn ends<'v>(controls: impl Iterator<Item = (u32, &'v str)>) -> Vec<u32> {
    let mut found: Vec<(u32, &str)> =
        controls.filter(|(_, text)| ENDS.contains(text) || *text == HTML_END).collect();
    // In OpenAI's format `<|end|>` ends a message, after which the next one of the same output follows.
    let has = |wanted: &str| found.iter().any(|(_, text)| *text == wanted);
    if has("<|return|>") && has("<|call|>") {
        found.retain(|(_, text)| *text != "<|end|>");
    }
    found.into_iter().map(|(id, _)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_looks_like_a_control_token_is_one() {
        for text in
            ["<|im_start|>", "<|x|>", "<｜User｜>", "<unused7>", "<start_of_turn>", "[INST]"]
        {
            assert!(is_control(text), "{text}");
        }
        for text in [
            "<|>",
            "<||>",
            "<|a",
            "a|>",
            "<| a |>",
            "<|a|><|b|>",
            "<s>",
            "</s>",
            "<unused>",
            "<b>",
            "",
        ] {
            assert!(!is_control(text), "{text}");
        }
    }

    #[test]
    fn ends_are_found_by_text() {
        let found = |texts: &[&'static str]| ends((0..).zip(texts.iter().copied()));
        assert_eq!(found(&["<|im_start|>", "<|im_end|>", "</s>", "<|end|>"]), [1, 2, 3]);
        assert_eq!(found(&["<|end|>", "<|return|>", "<|call|>"]), [1, 2]);
        assert_eq!(found(&["<|end|>", "<|return|>"]), [0, 1]);
    }
}
