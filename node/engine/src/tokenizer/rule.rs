// SPDX-License-Identifier: Apache-2.0
//! The rule for words of a file, which names it in `tokenizer.ggml.pre` or has a vocabulary that tells.
//!
//! Files before May 2024 lack the key. llama.cpp cuts their text by the rule "default", which makes other tokens
//! than those that the model has learnt, so that the model answers worse and nothing says why.

use super::vocabulary::Vocabulary;

/// Vocabularies that files without the key have: a token that no other vocabulary has there, and the rule.
const KNOWN: [(u32, &str, &str); 2] =
    [(128_000, "<|begin_of_text|>", "llama-bpe"), (151_644, "<|im_start|>", "qwen2")];

/// The name of a rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule<'n> {
    /// The name; `None` is the rule of files that name none.
    pub name: Option<&'n str>,
    /// A warning that the rule may not be the model's.
    pub warning: Option<String>,
}

impl<'n> Rule<'n> {
    /// Returns the rule that the file names, or otherwise that of its vocabulary.
    pub(super) fn of(named: Option<&'n str>, vocabulary: &Vocabulary) -> Self {
        let has =
            |id: u32, text: &str| (id as usize) < vocabulary.len() && vocabulary.text(id) == text;
        let known = KNOWN.iter().find(|(id, text, _)| has(*id, text));
        let name = named.or(known.map(|(_, _, rule)| *rule));
        let warning = name.is_none().then(|| {
            "metadata key tokenizer.ggml.pre is missing, so text is cut into words by the rule \"default\", which \
             may not be the model's; use a conversion of the model that has the key"
                .to_string()
        });
        Self { name, warning }
    }
}
