// SPDX-License-Identifier: Apache-2.0
//! Panics, caught so that one job's panic does not end the others.

use std::{
    any::Any,
    panic::{catch_unwind, AssertUnwindSafe},
};

/// Runs a closure, and returns the message of its panic if it panics.
///
/// The caller replaces or drops everything that the closure may have left half-changed.
///
/// # Errors
/// Returns the message of the panic.
pub fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| message(&*payload))
}

/// Returns the message of a panic.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::panic_any;

    #[test]
    fn caught_returns_the_result_or_the_message() {
        assert_eq!(caught(|| 7), Ok(7));
        assert_eq!(caught(|| panic!("plain")), Err::<(), _>("plain".into()));
        let position = 5;
        assert_eq!(caught(|| panic!("at {position}")), Err::<(), _>("at 5".into()));
        let unknown = Err::<(), _>("a panic without a message".into());
        assert_eq!(caught(|| panic_any(7)), unknown);
    }
}
