// SPDX-License-Identifier: Apache-2.0
//! The form to which a request constrains the output.

use alloc::string::String;
use codec::{Decode, Encode};

/// The form that the output must have. In each step the tokens that would leave it are masked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub enum Constraint {
    /// Any form.
    #[default]
    #[codec(index = 0)]
    None,
    /// JSON of a schema.
    #[codec(index = 1)]
    JsonSchema(Compiled),
    /// A match of a regular expression.
    #[codec(index = 2)]
    Regex(Compiled),
    /// A sentence of a grammar.
    #[codec(index = 3)]
    Grammar(Compiled),
}

/// The source of a constraint, with the program that turns it into masks. Another version of that
/// program may mask other tokens, so both are part of the request.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Compiled {
    /// The schema, the expression or the grammar.
    pub source: String,
    /// The name of the constraint compiler.
    pub compiler: String,
    /// The version of the constraint compiler.
    pub version: String,
}
