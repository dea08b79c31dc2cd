// SPDX-License-Identifier: Apache-2.0
//! The compiler of constraints. It runs on a thread of its own, with a stack for the deepest source.

use super::{
    form::{Constraint, Form, MAX_SOURCE_BYTES},
    limits::message,
    vocabulary::Vocabulary,
};
use crate::EngineError;
use llguidance::{api::TopLevelGrammar, panic_utils::catch_unwind, TokenParser};
use std::{panic::AssertUnwindSafe, thread};

/// The stack size of the compiler's thread in bytes.
const STACK: usize = 1 << 26;

/// The words by one of which a message of the compiler says that a limit was exceeded, or that it has failed.
const GAVE_UP: [&str; 9] = [
    "panic",
    "fuel",
    "too big",
    "too large",
    "too many",
    "too complex",
    "limit",
    "exceed",
    "precomputation",
];

/// Compiles a constraint, on a thread of its own.
///
/// # Errors
/// Returns [`EngineError::Constraint`], [`EngineError::ConstraintTooLong`], [`EngineError::ConstraintResource`] or
/// [`EngineError::Io`].
pub(super) fn compile(
    constraint: &Constraint,
    vocabulary: &Vocabulary,
) -> Result<TokenParser, EngineError> {
    let Constraint { form, source } = constraint;
    if source.len() > MAX_SOURCE_BYTES {
        let (bytes, limit) = (source.len(), MAX_SOURCE_BYTES);
        return Err(EngineError::ConstraintTooLong { bytes, limit });
    }
    let run = || {
        catch_unwind(AssertUnwindSafe(|| {
            let tag = match form {
                Form::JsonSchema => "json_schema",
                Form::Regex => "regex",
                Form::Grammar => "lark",
            };
            let grammar = TopLevelGrammar::from_tagged_str(tag, source)?;
            let mut parser = vocabulary.factory.create_parser(grammar)?;
            parser.start_without_prompt();
            Ok(parser)
        }))
    };
    let compiled = thread::scope(|scope| {
        let thread = thread::Builder::new().name("constraint".into()).stack_size(STACK);
        let compiling = thread.spawn_scoped(scope, run).map_err(|source| EngineError::Io {
            path: "the thread of a constraint".into(),
            source,
        })?;
        let failed = || anyhow::anyhow!("panic: the compiler has failed");
        Ok(compiling.join().unwrap_or_else(|_| Err(failed())))
    })?;
    compiled.map_err(|error| {
        let problem = message(&error);
        match GAVE_UP.iter().any(|words| problem.contains(words)) {
            true => EngineError::ConstraintResource { problem },
            false => EngineError::Constraint { problem },
        }
    })
}
