// SPDX-License-Identifier: Apache-2.0
//! The budget for the values that a template makes.
//!
//! A value weighs as if nothing in it were shared: a list that holds one long text a thousand times
//! is a thousand texts once it is written. No value may weigh more than the remaining budget.
//! Whatever a template makes is taken from the budget and never returned.

use minijinja::{
    value::{DynObject, ValueKind},
    Error, ErrorKind, Value,
};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The weight of a value in addition to its text.
pub(super) const NODE: u64 = 64;
/// The deepest nesting of lists and maps.
const DEPTH: u32 = 32;
/// The number of bytes that all operations together may look at, so that a template ends within
/// seconds.
const WORK: u64 = 1 << 32;
/// The factor by which a value's text can exceed its weight: a number has up to 330 digits, and a
/// character may be escaped.
const SHOWN: u64 = 10;

/// The remaining budget.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: AtomicU64,
    work: AtomicU64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self { bytes: AtomicU64::new(bytes), work: AtomicU64::new(WORK) }
    }

    /// Checks that this many bytes are left.
    pub(super) fn room(&self, bytes: u64) -> Result<(), Error> {
        let left = self.bytes.load(Relaxed);
        if bytes > left {
            return Err(refused(format!("it needs {bytes} bytes, but only {left} are left")));
        }
        Ok(())
    }

    /// Takes this many bytes from the budget.
    pub(super) fn take(&self, bytes: u64) -> Result<(), Error> {
        self.room(bytes)?;
        self.bytes.fetch_sub(bytes, Relaxed);
        Ok(())
    }

    /// Takes this many bytes from those that may be looked at.
    fn work(&self, bytes: u64) -> Result<(), Error> {
        let left = self.work.load(Relaxed);
        let left = left.checked_sub(bytes).ok_or_else(|| refused("it takes too long"))?;
        self.work.store(left, Relaxed);
        Ok(())
    }

    /// Returns the weight of a value. Only a name refers to a namespace, never another value, so
    /// all other values are trees.
    pub(super) fn weigh(&self, value: &Value) -> Result<u64, Error> {
        self.weigh_at(value, 0)
    }

    /// Returns the weight of all values.
    pub(super) fn weigh_all(&self, values: &[Value]) -> Result<u64, Error> {
        values.iter().try_fold(0u64, |sum, value| Ok(sum.saturating_add(self.weigh(value)?)))
    }

    /// Checks a value that is to become a part of another.
    pub(super) fn check_part(&self, value: &Value) -> Result<(), Error> {
        self.weigh_at(value, 1).map(drop)
    }

    fn weigh_at(&self, value: &Value, depth: u32) -> Result<u64, Error> {
        let text = value.as_str().map_or(0, |text| text.len() as u64);
        let mut weight = NODE + text;
        self.work(weight)?;
        let Some(object) = value.as_object() else { return Ok(weight) };
        if depth > 0 && is_namespace(object) {
            return Err(refused("a namespace cannot be part of a value"));
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

    /// Returns the most bytes that a value is written in.
    pub(super) fn shown(&self, value: &Value) -> Result<u64, Error> {
        match value.as_str() {
            Some(text) => Ok(text.len() as u64),
            None => Ok(self.weigh(value)?.saturating_mul(SHOWN)),
        }
    }

    /// Returns a list of the items over which a value iterates.
    pub(super) fn list(&self, value: &Value) -> Result<Vec<Value>, Error> {
        let mut items = Vec::new();
        for item in value.try_iter()? {
            self.work(NODE)?;
            self.room(NODE * (items.len() as u64 + 1))?;
            items.push(item);
        }
        Ok(items)
    }

    /// Takes the weight of a new value whose parts existed before; a lazy value becomes a list.
    pub(super) fn keep(&self, value: Value) -> Result<Value, Error> {
        let value = self.settled(value)?;
        self.room(self.weigh(&value)?)?;
        let text = value.as_str().map_or(0, str::len) as u64;
        let parts = value.as_object().and_then(DynObject::enumerator_len).unwrap_or(0) as u64;
        self.take(text.saturating_add(NODE.saturating_mul(1 + 2 * parts)))?;
        Ok(value)
    }

    /// Takes the weight of a new value whose parts are new.
    pub(super) fn keep_all(&self, value: Value) -> Result<Value, Error> {
        let value = self.settled(value)?;
        self.take(self.weigh(&value)?)?;
        Ok(value)
    }

    /// Returns the value, or a list if it would only be computed later.
    fn settled(&self, value: Value) -> Result<Value, Error> {
        let plain = value.downcast_object_ref::<Vec<Value>>().is_some();
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable if !plain => Ok(self.list(&value)?.into()),
            _ => Ok(value),
        }
    }
}

/// Returns whether an object is a namespace. The type is private to its crate, which checks for it
/// in `{% set a.b = c %}`.
fn is_namespace(object: &DynObject) -> bool {
    object.type_name().ends_with("::Namespace")
}

fn refused(problem: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}
