// SPDX-License-Identifier: Apache-2.0
//! Pre-tokenizers: rules that cut text into words, which no token crosses.
//!
//! The rules are regular expressions. In the originals, `\s+(?!\S)|\s+` means that a run of white
//! space before a word leaves its last character to the word. The `regex` crate has no look-ahead,
//! but takes time linear in the text for any prompt. So the expressions here end in `\s+`, and
//! [`Step::words`] gives the character back.

use crate::EngineError;
use regex::Regex;

/// Contractions of English, words, numbers, and the remaining characters.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+";
/// The part that Llama 3 and Qwen 2 have in common before numbers.
const WORDS: &str =
    r"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+";
/// The part that they have in common after numbers.
const REST: &str = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+";

/// A word in the rules of Tekken and GPT-4o: small letters after capital ones, or otherwise capital letters. As in
/// llama.cpp, which takes each letter outside of ASCII for both.
const CASES: [&str; 2] = [
    r"[^\r\n\p{L}\p{N}]?[\p{L}--a-z]*[\p{L}--A-Z]+",
    r"[^\r\n\p{L}\p{N}]?[\p{L}--a-z]+[\p{L}--A-Z]*",
];
/// The contractions that GPT-4o leaves at the end of a word.
const CONTRACTION: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?";
/// The part that both have in common after numbers.
const REST_WITH_SLASHES: &str = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+";

/// The rule of a vocabulary.
#[derive(Debug)]
pub(super) struct PreTokenizer {
    steps: Vec<Step>,
    /// Whether a word that is a token becomes that token, and the begin token begins a text if the file does not say.
    whole_words: bool,
}

/// One step of a rule, which cuts text into the matches of an expression and the text between them.
#[derive(Debug)]
struct Step {
    expression: Regex,
    /// Whether a run of white space gives its last character back, and if so, whether it does that
    /// even if the character ends a line.
    gives_back: Option<bool>,
}

impl PreTokenizer {
    /// Returns the rule that `tokenizer.ggml.pre` names.
    pub(super) fn named(name: Option<&str>) -> Result<Self, EngineError> {
        let llama3 = format!(r"{WORDS}|\p{{N}}{{1,3}}|{REST}");
        let qwen2 = format!(r"{WORDS}|\p{{N}}|{REST}");
        let [small, capital] = CASES;
        let tekken = format!(r"{small}|{capital}|\p{{N}}|{REST_WITH_SLASHES}");
        let gpt4o = format!(
            r"{small}{CONTRACTION}|{capital}{CONTRACTION}|\p{{N}}{{1,3}}|{REST_WITH_SLASHES}"
        );
        let (keeps_lines, gives_all) = (Some(false), Some(true));
        let steps: &[(&str, Option<bool>)] = match name {
            Some("llama-bpe" | "llama3" | "llama-v3") => &[(&llama3, keeps_lines)],
            Some("smaug-bpe" | "dbrx") => &[(&llama3, keeps_lines)],
            Some("qwen2" | "deepseek-r1-qwen") => &[(&qwen2, keeps_lines)],
            Some("tekken") => &[(&tekken, keeps_lines)],
            Some("gpt-4o") => &[(&gpt4o, keeps_lines)],
            Some("gpt-2") => &[(GPT2, gives_all)],
            Some("smollm") => &[(r"\p{N}", None), (GPT2, gives_all)],
            None | Some("default") => &[
                (r"[\p{P}$+<=>^~|]+", None),
                (GPT2, gives_all),
                (r"\p{N}+", None),
                (r"[0-9][0-9][0-9]", None),
            ],
            Some(name) => return Err(EngineError::UnknownPreTokenizer { name: name.into() }),
        };
        let steps = steps
            .iter()
            .map(|&(expression, gives_back)| {
                let refused = |_| EngineError::UnknownPreTokenizer { name: expression.into() };
                let expression = Regex::new(expression).map_err(refused)?;
                Ok(Step { expression, gives_back })
            })
            .collect::<Result<_, _>>()?;
        let whole_words = matches!(name, Some("llama-bpe" | "llama3" | "llama-v3" | "tekken"));
        Ok(Self { steps, whole_words })
    }

    /// Returns whether the begin token begins a text if the file does not say.
    pub(super) fn adds_bos(&self) -> bool {
        self.whole_words
    }

    /// Returns whether a word that is a token becomes that token, whatever the merges produce.
    pub(super) fn prefers_whole_words(&self) -> bool {
        self.whole_words
    }

    /// Returns the words of a text, which together are the text.
    pub(super) fn words<'t>(&self, text: &'t str) -> Vec<&'t str> {
        self.steps.iter().fold(vec![text], |words, step| {
            words.into_iter().flat_map(|word| step.words(word)).collect()
        })
    }
}

impl Step {
    fn words<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let (mut words, mut at) = (Vec::new(), 0);
        while let Some(found) = self.expression.find_at(text, at) {
            let end = self.end(text, found.range());
            if at < found.start() {
                words.push(&text[at..found.start()]);
            }
            words.push(&text[found.start()..end]);
            at = end;
        }
        if at < text.len() {
            words.push(&text[at..]);
        }
        words
    }

    /// Returns the end of a match, without the white space that it gives back.
    fn end(&self, text: &str, found: std::ops::Range<usize>) -> usize {
        let run = &text[found.clone()];
        let last = run.char_indices().next_back().filter(|(_, c)| c.is_whitespace());
        match (self.gives_back, last) {
            (Some(lines), Some((at, c))) if at > 0 && found.end < text.len() => {
                let line = matches!(c, '\r' | '\n');
                let blank = run.chars().all(char::is_whitespace);
                if blank && (lines || !line) {
                    found.start + at
                } else {
                    found.end
                }
            }
            _ => found.end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;
    use tokenizers::utils::SysRegex;

    /// llama.cpp's expressions for `tekken` and `gpt-4o`.
    const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+|[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+";
    const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+";

    /// Returns the expression as its author wrote it, for an engine that has look-ahead.
    fn expression(name: &str) -> String {
        let expression = match name {
            "tekken" => TEKKEN.to_string(),
            "gpt-4o" => GPT4O.to_string(),
            "llama-bpe" => format!(r"{WORDS}|\p{{N}}{{1,3}}|{REST}"),
            "qwen2" => format!(r"{WORDS}|\p{{N}}|{REST}"),
            _ => GPT2.to_string(),
        };
        expression.strip_suffix(r"\s+").unwrap().to_string() + r"\s+(?!\S)|\s+"
    }

    /// The rules, and the original expressions.
    static RULES: LazyLock<Vec<(&str, PreTokenizer, SysRegex)>> = LazyLock::new(|| {
        let rule = |name| {
            let original = SysRegex::new(&expression(name)).unwrap();
            (name, PreTokenizer::named(Some(name)).unwrap(), original)
        };
        ["gpt-2", "llama-bpe", "qwen2", "tekken", "gpt-4o"].map(rule).into()
    });

    #[test]
    fn words_leave_the_last_space_to_the_next_word() {
        let words = |name, text| PreTokenizer::named(Some(name)).unwrap().words(text);
        assert_eq!(words("gpt-2", "a   b \n\n c  "), ["a", "  ", " b", " \n\n", " c", "  "]);
        assert_eq!(
            words("llama-bpe", "a   b \n\nc1234"),
            ["a", "  ", " b", " \n\n", "c", "123", "4"]
        );
        assert_eq!(words("qwen2", "I'LL 12"), ["I", "'LL", " ", "1", "2"]);
        assert_eq!(words("smollm", "x12 y"), ["x", "1", "2", " y"]);
        assert_eq!(words("default", "(a) 1234"), ["(", "a", ")", " ", "123", "4"]);
    }

    #[test]
    fn named_refuses_a_rule_that_it_does_not_have() {
        let result = PreTokenizer::named(Some("viking"));
        assert!(
            matches!(result, Err(EngineError::UnknownPreTokenizer { name }) if name == "viking")
        );
    }

    #[test]
    fn words_are_those_that_python_found() {
        let recorded: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vocabularies/splits.json")).unwrap();
        let list = |value: &serde_json::Value| value.as_array().unwrap().clone();
        let texts = list(&recorded["texts"]);
        assert!(texts.len() > 200);
        for name in ["tekken", "gpt-4o"] {
            let rule = PreTokenizer::named(Some(name)).unwrap();
            for (text, expected) in texts.iter().zip(list(&recorded[name])) {
                let found = serde_json::to_value(rule.words(text.as_str().unwrap())).unwrap();
                assert_eq!(found, expected, "{name}: {text}");
            }
        }
    }

    #[test]
    fn whole_words_and_the_begin_token_are_as_in_llama_cpp() {
        for (name, expected) in
            [("llama-bpe", true), ("tekken", true), ("gpt-4o", false), ("dbrx", false)]
        {
            let rule = PreTokenizer::named(Some(name)).unwrap();
            assert_eq!((rule.prefers_whole_words(), rule.adds_bos()), (expected, expected));
        }
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_expression_with_look_ahead(
            text in r"([abABÉ1'sT.?!/\n\r\t \u{a0}\u{301}é語🙂٣]|  |'ll|'RE){0,40}",
        ) {
            for (name, rule, original) in &*RULES {
                let expected: Vec<&str> =
                    original.find_iter(&text).map(|(from, to)| &text[from..to]).collect();
                prop_assert_eq!(rule.words(&text), expected, "{}", name);
            }
        }
    }
}
