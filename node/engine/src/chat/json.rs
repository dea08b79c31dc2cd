// SPDX-License-Identifier: Apache-2.0
//! The JSON of a chat's tools and arguments.
//!
//! This module parses it itself, because every build must read the same. Any crate of a build can enable the
//! optional features of a JSON crate, such as numbers as text or another order of keys. Keys keep their order,
//! and none occurs twice.

use super::ordered::Ordered;
use minijinja::Value;

/// The deepest nesting of lists and objects.
const DEPTH: u32 = 24;

/// A value in JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text that is one value, or returns a description of the error.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader { text, at: 0 };
        reader.spaces();
        let value = reader.value(0)?;
        reader.spaces();
        match reader.peek() {
            None => Ok(value),
            Some(_) => Err(reader.problem("text follows the value")),
        }
    }

    /// Calls `each` with every text and key.
    pub(super) fn texts<'j>(&'j self, each: &mut dyn FnMut(&'j str)) {
        match self {
            Self::Text(text) => each(text),
            Self::List(items) => items.iter().for_each(|item| item.texts(each)),
            Self::Object(pairs) => {
                for (key, value) in pairs {
                    each(key);
                    value.texts(each);
                }
            }
            Self::Null | Self::Bool(_) | Self::Integer(_) | Self::Number(_) => {}
        }
    }

    /// Returns the value as a template sees it, with each text and key changed.
    pub(super) fn seen(&self, change: &dyn Fn(&str) -> String) -> Value {
        match self {
            Self::Null => Value::from(()),
            Self::Bool(value) => Value::from(*value),
            Self::Integer(value) => Value::from(*value),
            Self::Number(value) => Value::from(*value),
            Self::Text(text) => Value::from(change(text)),
            Self::List(items) => {
                Value::from(items.iter().map(|item| item.seen(change)).collect::<Vec<_>>())
            }
            Self::Object(pairs) => {
                let pair = |(key, value): &(String, Self)| (change(key), value.seen(change));
                Ordered::value(pairs.iter().map(pair))
            }
        }
    }
}

/// A reader of a text.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn problem(&self, what: &str) -> String {
        format!("{what} at byte {}", self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips a byte if it is the next one.
    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: u32) -> Result<Json, String> {
        match self.peek() {
            Some(b'[' | b'{') if depth == DEPTH => {
                Err(self.problem(&format!("values are nested deeper than {DEPTH}")))
            }
            Some(b'[') => self.list(depth + 1),
            Some(b'{') => self.object(depth + 1),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let words = [
                    ("null", Json::Null),
                    ("true", Json::Bool(true)),
                    ("false", Json::Bool(false)),
                ];
                let rest = &self.text[self.at..];
                let word = words.into_iter().find(|(word, _)| rest.starts_with(word));
                let (word, value) = word.ok_or_else(|| self.problem("no value begins"))?;
                self.at += word.len();
                Ok(value)
            }
        }
    }

    fn list(&mut self, depth: u32) -> Result<Json, String> {
        let mut items = Vec::new();
        self.at += 1;
        self.spaces();
        if self.skip(b']') {
            return Ok(Json::List(items));
        }
        loop {
            self.spaces();
            items.push(self.value(depth)?);
            self.spaces();
            if self.skip(b']') {
                return Ok(Json::List(items));
            }
            if !self.skip(b',') {
                return Err(self.problem("a list has neither a comma nor an end"));
            }
        }
    }

    fn object(&mut self, depth: u32) -> Result<Json, String> {
        let mut pairs = Vec::new();
        let mut keys = std::collections::BTreeSet::new();
        self.at += 1;
        self.spaces();
        if self.skip(b'}') {
            return Ok(Json::Object(pairs));
        }
        loop {
            self.spaces();
            if self.peek() != Some(b'"') {
                return Err(self.problem("an object has no key"));
            }
            let key = self.string()?;
            if !keys.insert(key.clone()) {
                return Err(self.problem("a key occurs twice"));
            }
            self.spaces();
            if !self.skip(b':') {
                return Err(self.problem("a key has no colon"));
            }
            self.spaces();
            pairs.push((key, self.value(depth)?));
            self.spaces();
            if self.skip(b'}') {
                return Ok(Json::Object(pairs));
            }
            if !self.skip(b',') {
                return Err(self.problem("an object has neither a comma nor an end"));
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        let mut text = String::new();
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let end = rest.find(|c: char| matches!(c, '"' | '\\' | '\0'..='\x1f'));
            let end = end.ok_or_else(|| self.problem("a text has no end"))?;
            text.push_str(&rest[..end]);
            self.at += end;
            if self.skip(b'"') {
                return Ok(text);
            }
            if !self.skip(b'\\') {
                return Err(self.problem("a text has a control character"));
            }
            text.push(self.escaped()?);
        }
    }

    /// Reads what follows a backslash.
    fn escaped(&mut self) -> Result<char, String> {
        let byte = self.peek().unwrap_or_default();
        let c = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.problem("an unknown escape follows a backslash")),
        };
        self.at += 1;
        Ok(c)
    }

    /// Reads the digits of one or two units of UTF-16.
    fn unicode(&mut self) -> Result<char, String> {
        let first = self.unit()?;
        let mut code = first;
        if (0xd800..0xdc00).contains(&first) && self.skip(b'\\') && self.skip(b'u') {
            let second = self.unit()?;
            if (0xdc00..0xe000).contains(&second) {
                code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            }
        }
        char::from_u32(code).ok_or_else(|| self.problem("half of a character ends"))
    }

    fn unit(&mut self) -> Result<u32, String> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.problem("an escape lacks four digits"))?;
        self.at += 4;
        Ok(unit)
    }

    fn digits(&mut self) -> Result<(), String> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == from {
            return Err(self.problem("a number lacks a digit"));
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Json, String> {
        let from = self.at;
        self.skip(b'-');
        if !self.skip(b'0') {
            self.digits()?;
        }
        let mut whole = true;
        if self.skip(b'.') {
            whole = false;
            self.digits()?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            whole = false;
            if !self.skip(b'+') {
                self.skip(b'-');
            }
            self.digits()?;
        }
        let text = &self.text[from..self.at];
        let number = if whole {
            text.parse().ok().map(Json::Integer)
        } else {
            text.parse().ok().filter(|number: &f64| number.is_finite()).map(Json::Number)
        };
        number.ok_or_else(|| self.problem("a number is too large"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_of_all_kinds_are_read_in_their_order() {
        let text = |text: &str| Json::Text(text.into());
        for (source, value) in [
            (" null ", Json::Null),
            ("true", Json::Bool(true)),
            ("-0", Json::Integer(0)),
            ("9223372036854775807", Json::Integer(i64::MAX)),
            ("1.5e-1", Json::Number(0.15)),
            ("1E2", Json::Number(100.0)),
            (r#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é""#, text("a\"\\/\x08\x0c\n\r\té😀é")),
            ("[]", Json::List(vec![])),
            ("[ 1 ,\n\"\" ]", Json::List(vec![Json::Integer(1), text("")])),
            ("{}", Json::Object(vec![])),
            (
                r#"{"b": {}, "a" : false}"#,
                Json::Object(vec![
                    ("b".into(), Json::Object(vec![])),
                    ("a".into(), Json::Bool(false)),
                ]),
            ),
        ] {
            assert_eq!(Json::read(source), Ok(value), "{source}");
        }
    }

    #[test]
    fn text_that_is_not_one_value_is_refused_with_its_place() {
        for (source, problem) in [
            ("", "no value begins at byte 0"),
            ("nul", "no value begins at byte 0"),
            ("1 2", "text follows the value at byte 2"),
            ("01", "text follows the value at byte 1"),
            ("+1", "no value begins at byte 0"),
            ("1.", "a number lacks a digit at byte 2"),
            ("-", "a number lacks a digit at byte 1"),
            ("1e", "a number lacks a digit at byte 2"),
            ("9223372036854775808", "a number is too large at byte 19"),
            ("1e999", "a number is too large at byte 5"),
            ("\"a", "a text has no end at byte 1"),
            ("\"a\nb\"", "a text has a control character at byte 2"),
            (r#""\x""#, "an unknown escape follows a backslash at byte 2"),
            (r#""\u12"#, "an escape lacks four digits at byte 3"),
            (r#""\u+123""#, "an escape lacks four digits at byte 3"),
            (r#""\ud800""#, "half of a character ends at byte 7"),
            (r#""\ud800\u0041""#, "half of a character ends at byte 13"),
            ("[1", "a list has neither a comma nor an end at byte 2"),
            ("[1,]", "no value begins at byte 3"),
            ("{1:2}", "an object has no key at byte 1"),
            (r#"{"a" 1}"#, "a key has no colon at byte 5"),
            (r#"{"a":1"#, "an object has neither a comma nor an end at byte 6"),
            (r#"{"a":1,"a":2}"#, "a key occurs twice at byte 10"),
        ] {
            assert_eq!(Json::read(source), Err(problem.into()), "{source}");
        }
        let deep =
            |depth: usize| Json::read(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        assert!(deep(DEPTH as usize).is_ok());
        assert!(deep(100_000).unwrap_err().contains("deeper than 24"));
    }

    proptest! {
        #[test]
        fn values_are_those_of_another_reader(source in r#"[\[\]{}:,"a1.e\\u0d8-]{0,24}"#) {
            if let Ok(value) = Json::read(&source) {
                let other: serde_json::Value = serde_json::from_str(&source).unwrap();
                prop_assert!(same(&value, &other), "{:?} and {:?}", value, other);
            }
        }
    }

    #[test]
    fn numbers_are_those_of_another_reader() {
        for source in ["8e8", "-0", "1.5e-3", "-1E+2", "12", "0.1", "[1e0,{\"a\":2.50}]"] {
            let other = serde_json::from_str(source).unwrap();
            assert!(same(&Json::read(source).unwrap(), &other), "{source}");
            assert!(!same(&Json::read("7").unwrap(), &other), "{source}");
        }
    }

    /// Compares numbers as numbers: whether the other reader keeps their text depends on its features.
    fn same(value: &Json, other: &serde_json::Value) -> bool {
        match value {
            Json::Null => other.is_null(),
            Json::Bool(value) => other.as_bool() == Some(*value),
            Json::Integer(value) => {
                other.as_i64().or_else(|| (other.as_f64()? == 0.0).then_some(0)) == Some(*value)
            }
            Json::Number(value) => other.as_f64() == Some(*value),
            Json::Text(text) => other.as_str() == Some(text),
            Json::List(items) => other.as_array().is_some_and(|others| {
                others.len() == items.len()
                    && items.iter().zip(others).all(|(item, other)| same(item, other))
            }),
            Json::Object(pairs) => other.as_object().is_some_and(|others| {
                let found = |(key, value): &(String, Json)| {
                    others.get(key).is_some_and(|other| same(value, other))
                };
                others.len() == pairs.len() && pairs.iter().all(found)
            }),
        }
    }
}
