// SPDX-License-Identifier: Apache-2.0
//! Typed access to the metadata: a value of another type is an error that names its key.

use super::file::Gguf;
use crate::EngineError;
use candle_core::quantized::gguf_file::Value;

/// Returns the error for the value of a key.
pub(crate) fn invalid(key: &str, problem: impl Into<String>) -> EngineError {
    EngineError::InvalidKey { key: key.into(), problem: problem.into() }
}

fn missing(key: &str) -> EngineError {
    EngineError::MissingKey { key: key.into() }
}

/// Returns an integer of any width, if it is at least 0.
fn natural(value: &Value) -> Option<u64> {
    match *value {
        Value::I8(n) => u64::try_from(n).ok(),
        Value::I16(n) => u64::try_from(n).ok(),
        Value::I32(n) => u64::try_from(n).ok(),
        Value::I64(n) => u64::try_from(n).ok(),
        Value::Bool(_) => None,
        _ => value.to_u64().ok(),
    }
}

impl Gguf {
    /// Returns a text, if the file has the key.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&str>, EngineError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(key, "it is not a string")),
        }
    }

    /// Returns a text that the file must have.
    pub(crate) fn required_text(&self, key: &str) -> Result<&str, EngineError> {
        self.text(key)?.ok_or_else(|| missing(key))
    }

    /// Returns an integer of at least 0, if the file has the key.
    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>, EngineError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        natural(value).map(Some).ok_or_else(|| invalid(key, "it is not a number of at least 0"))
    }

    /// Returns a required count from 1 to `max`.
    pub(crate) fn count(&self, key: &str, max: usize) -> Result<usize, EngineError> {
        let found = self.number(key)?.ok_or_else(|| missing(key))?;
        match usize::try_from(found) {
            Ok(n) if (1..=max).contains(&n) => Ok(n),
            _ => Err(invalid(key, format!("{found} is not from 1 to {max}"))),
        }
    }

    /// Returns a count from 1 to `max`, or `other` if the file lacks the key.
    pub(crate) fn count_or(
        &self,
        key: &str,
        max: usize,
        other: usize,
    ) -> Result<usize, EngineError> {
        match self.get(key) {
            Some(_) => self.count(key, max),
            None => Ok(other),
        }
    }

    /// Returns a finite number above 0.
    pub(crate) fn float(&self, key: &str) -> Result<Option<f32>, EngineError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::F32(x)) if x.is_finite() && *x > 0.0 => Ok(Some(*x)),
            Some(_) => Err(invalid(key, "it is not a finite f32 above 0")),
        }
    }

    /// Returns a finite number above 0 that the file must have.
    pub(crate) fn required_float(&self, key: &str) -> Result<f32, EngineError> {
        self.float(key)?.ok_or_else(|| missing(key))
    }

    /// Returns a flag, if the file has the key.
    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>, EngineError> {
        match self.get(key) {
            None => Ok(None),
            Some(&Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(invalid(key, "it is not a bool")),
        }
    }

    fn array<'g, T>(
        &'g self,
        key: &str,
        what: &str,
        element: impl Fn(&'g Value) -> Option<T>,
    ) -> Result<Option<Vec<T>>, EngineError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| {
                    element(value)
                        .ok_or_else(|| invalid(key, format!("its elements are not all {what}")))
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(invalid(key, "it is not an array")),
        }
    }

    /// Returns an array of texts, if the file has the key.
    pub(crate) fn texts(&self, key: &str) -> Result<Option<Vec<&str>>, EngineError> {
        self.array(key, "strings", |value| match value {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Returns an array of integers of at least 0, if the file has the key.
    pub(crate) fn numbers(&self, key: &str) -> Result<Option<Vec<u64>>, EngineError> {
        self.array(key, "numbers of at least 0", natural)
    }

    /// Returns an array of finite numbers.
    pub(crate) fn floats(&self, key: &str) -> Result<Option<Vec<f32>>, EngineError> {
        self.array(key, "finite f32", |value| match value {
            Value::F32(x) if x.is_finite() => Some(*x),
            _ => None,
        })
    }
}
