// SPDX-License-Identifier: Apache-2.0
//! The elements of an array in JSON, one after the other.

use jsonrpsee::core::JsonRawValue;
use serde::{
    de::{SeqAccess, Visitor},
    Deserialize, Deserializer,
};
use std::fmt;

/// The elements of an array. They are found as they are asked for, because a list of all takes many times the
/// memory of an array that has short ones.
pub struct Elements<'a> {
    rest: &'a str,
    left: usize,
}

impl<'a> Elements<'a> {
    /// Returns the elements of the array; `None` if the text is not that of an array.
    pub fn of(text: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let Number(left) = serde_json::from_str(text).ok()?;
        let (_, rest) = text.split_once('[')?;
        Some(Self { rest, left })
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a JsonRawValue;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter();
        let value = values.next()?.ok()?;
        let rest = self.rest.get(values.byte_offset()..)?;
        self.rest = rest.trim_start().trim_start_matches(',');
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Elements<'_> {}

/// The number of the elements of an array.
struct Number(usize);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Counter)
    }
}

struct Counter;

impl<'de> Visitor<'de> for Counter {
    type Value = Number;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Number, A::Error> {
        let mut number = 0;
        while elements.next_element::<&JsonRawValue>()?.is_some() {
            number += 1;
        }
        Ok(Number(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str) -> Option<Vec<&str>> {
        Elements::of(text.as_bytes()).map(|elements| elements.map(JsonRawValue::get).collect())
    }

    #[test]
    fn elements_are_those_of_a_list_of_all() {
        for text in [
            "[]",
            " [ ] ",
            "[1]",
            "[1,2,3]",
            " [ 1 , -2.5e3\n,\ttrue, null ] ",
            "[[1,[2,3]],{\"a\":[1,{}]},\"],[,\\\"\",\"\\u00e9é\"]",
            "[\"a\" , {\"b\" : 1 } ,[ ],\"\"]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1",
            "[1]]",
            "[1] 2",
            "{}",
            "1",
            "",
        ] {
            let all = serde_json::from_str::<Vec<&JsonRawValue>>(text).ok();
            let all = all.map(|all| all.into_iter().map(JsonRawValue::get).collect());
            assert_eq!(elements(text), all, "{text}");
        }
        assert!(Elements::of(b"[\"\xff\"]").is_none(), "it is not UTF-8");
    }

    #[test]
    fn elements_are_counted_before_they_are_found() {
        let mut elements = Elements::of(b"[1, 2, 3]").unwrap();
        assert_eq!(elements.len(), 3);
        elements.next();
        assert_eq!(elements.len(), 2);
    }
}
