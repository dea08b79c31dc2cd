// SPDX-License-Identifier: Apache-2.0
//! What the values that a template makes may take.
//!
//! A value weighs as if nothing in it were shared: a list of one long text a thousand times is a
//! thousand texts once it is written. No value may weigh more than what is left of the budget, and
//! what a template newly makes is taken from it and never given back.

use minijinja::{
    value::{DynObject, ValueKind},
    Error, ErrorKind, Value,
};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a value takes beside its text.
pub(super) const NODE: u64 = 64;
/// The deepest nesting of lists and maps.
const DEPTH: u32 = 32;
/// Bytes that all operations together may look at, so that a template ends within seconds.
const WORK: u64 = 1 << 32;
/// A number of up to 330 digits is longer than its weight, and an escaped character than itself.
const SHOWN: u64 = 10;

/// What is left.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: AtomicU64,
    work: AtomicU64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self { bytes: AtomicU64::new(bytes), work: AtomicU64::new(WORK) }
    }

    /// Whether this much is left.
    pub(super) fn room(&self, bytes: u64) -> Result<(), Error> {
        let left = self.bytes.load(Relaxed);
        if bytes > left {
            return Err(refused(format!("it needs {bytes} bytes where {left} are left")));
        }
        Ok(())
    }

    /// Takes this much of what is left.
    pub(super) fn take(&self, bytes: u64) -> Result<(), Error> {
        self.room(bytes)?;
        self.bytes.fetch_sub(bytes, Relaxed);
        Ok(())
    }

    /// Whether this much may still be looked at.
    fn work(&self, bytes: u64) -> Result<(), Error> {
        let left = self.work.load(Relaxed);
        let left = left.checked_sub(bytes).ok_or_else(|| refused("it takes too long"))?;
        self.work.store(left, Relaxed);
        Ok(())
    }

    /// The weight of a value. Namespaces are known by name only, and never by another value: all
    /// others are trees.
    pub(super) fn weigh(&self, value: &Value) -> Result<u64, Error> {
        self.weigh_at(value, 0)
    }

    /// The weight of all.
    pub(super) fn weigh_all(&self, values: &[Value]) -> Result<u64, Error> {
        values.iter().try_fold(0u64, |sum, value| Ok(sum.saturating_add(self.weigh(value)?)))
    }

    /// Checks a value that is to be a part of another.
    pub(super) fn check_part(&self, value: &Value) -> Result<(), Error> {
        self.weigh_at(value, 1).map(drop)
    }

    fn weigh_at(&self, value: &Value, depth: u32) -> Result<u64, Error> {
        let text = value.as_str().map_or(0, |text| text.len() as u64);
        let mut weight = NODE + text;
        self.work(weight)?;
        let Some(object) = value.as_object() else { return Ok(weight) };
        if depth > 0 && is_namespace(object) {
            return Err(refused("a namespace is put into a value"));
        }
        let mut add = |part: &Value| {
            if depth == DEPTH {
                return Err(refused(format!("values are nested deeper than {DEPTH}")));
            }
            weight = weight.saturating_add(self.weigh_at(part, depth + 1)?);
            self.room(weight)
        };
        match value.kind() {
            ValueKind::Map => {
                for (key, value) in object.try_iter_pairs().into_iter().flatten() {
                    add(&key)?;
                    add(&value)?;
                }
            }
            ValueKind::Seq | ValueKind::Iterable => {
                object.try_iter().into_iter().flatten().try_for_each(|part| add(&part))?;
            }
            _ => (),
        }
        Ok(weight)
    }

    /// The most bytes that a value is written in.
    pub(super) fn shown(&self, value: &Value) -> Result<u64, Error> {
        match value.as_str() {
            Some(text) => Ok(text.len() as u64),
            None => Ok(self.weigh(value)?.saturating_mul(SHOWN)),
        }
    }

    /// A list of what a value gives when it is iterated.
    pub(super) fn list(&self, value: &Value) -> Result<Vec<Value>, Error> {
        let mut items = Vec::new();
        for item in value.try_iter()? {
            self.work(NODE)?;
            self.room(NODE * (items.len() as u64 + 1))?;
            items.push(item);
        }
        Ok(items)
    }

    /// Takes a new value whose parts were there before; what is lazy becomes a list.
    pub(super) fn keep(&self, value: Value) -> Result<Value, Error> {
        let value = self.settled(value)?;
        self.room(self.weigh(&value)?)?;
        let text = value.as_str().map_or(0, str::len) as u64;
        let parts = value.as_object().and_then(DynObject::enumerator_len).unwrap_or(0) as u64;
        self.take(text.saturating_add(NODE.saturating_mul(1 + 2 * parts)))?;
        Ok(value)
    }

    /// Takes a new value whose parts are new.
    pub(super) fn keep_all(&self, value: Value) -> Result<Value, Error> {
        let value = self.settled(value)?;
        self.take(self.weigh(&value)?)?;
        Ok(value)
    }

    /// The value, or a list if it would only later be computed.
    fn settled(&self, value: Value) -> Result<Value, Error> {
        let plain = value.downcast_object_ref::<Vec<Value>>().is_some();
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable if !plain => Ok(self.list(&value)?.into()),
            _ => Ok(value),
        }
    }
}

/// The type is private to the crate: it is what `{% set a.b = c %}` asks for.
fn is_namespace(object: &DynObject) -> bool {
    object.type_name().ends_with("::Namespace")
}

fn refused(problem: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}
