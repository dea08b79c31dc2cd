// SPDX-License-Identifier: Apache-2.0
//! The constraint of a request, and the compiler that it names.

use crate::EngineError;
use std::sync::Arc;

/// The name of the compiler of constraints.
pub const COMPILER: &str = "llguidance";

/// The version of the compiler of constraints. Another version may mask other tokens.
pub const COMPILER_VERSION: &str = "1.9.1";

/// The most bytes of the source of a constraint.
pub const MAX_SOURCE_BYTES: usize = 1 << 17;

/// The language of a constraint's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// A JSON schema.
    JsonSchema,
    /// A regular expression in the syntax of the crate `regex`, which the whole output matches.
    Regex,
    /// A grammar in llguidance's variant of Lark.
    Grammar,
}

/// The form that an output must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    pub(super) form: Form,
    pub(super) source: Arc<str>,
}

impl Constraint {
    /// Returns the constraint of a source.
    pub fn new(form: Form, source: impl Into<Arc<str>>) -> Self {
        Self { form, source: source.into() }
    }

    /// Ensures that this engine has the compiler that is named.
    ///
    /// # Errors
    /// Returns [`EngineError::ConstraintCompiler`] for another name, and [`EngineError::ConstraintVersion`] for
    /// another version.
    pub fn ensure_compiler(name: &str, version: &str) -> Result<(), EngineError> {
        if name != COMPILER {
            return Err(EngineError::ConstraintCompiler { name: name.into(), compiler: COMPILER });
        }
        if version != COMPILER_VERSION {
            let (version, expected) = (version.into(), COMPILER_VERSION);
            return Err(EngineError::ConstraintVersion { compiler: COMPILER, version, expected });
        }
        Ok(())
    }
}
