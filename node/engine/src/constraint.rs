// SPDX-License-Identifier: Apache-2.0
//! Constraints: the form that an output must have, as a mask of the tokens at each of its positions.
//!
//! The compiler of constraints is llguidance, in the version [`COMPILER_VERSION`]. The mask before an output token
//! is a function of the constraint, the vocabulary and the output tokens before it:
//!
//! - A token with a text is allowed where its bytes continue the output's bytes towards a text of the form. No token
//!   is forced where several spell the same bytes.
//! - A control token is never part of a text, and so is a token whose bytes begin with 0xFF.
//! - The end tokens are allowed exactly where the output so far has the form.
//! - Where none of these is allowed, the form cannot be reached with this vocabulary. Then the end tokens are allowed,
//!   so that the output ends without the form.
//!
//! The next token is chosen among the allowed ones: the others are left out first, and the changes of the logits,
//! `top_k`, `top_p`, `min_p` and the noise act on what is left, by the rules of [`crate::sampling`]. Digests are of
//! all logits. An output may also end without the form where `max_tokens` is reached, or a stop string. A constraint
//! excludes `ignore_end`, because nothing follows the form.
//!
//! Sources must be trusted: a chain of some ten thousand rules overflows the stack of the compiler, which ends the
//! process, and some intersections of regular expressions compile without a bound of time and memory. So nodes refuse
//! requests with a constraint.
//!
//! Otherwise the compiler counts its work and knows no time. A constraint that exceeds its limits is refused, or
//! ends the job, with [`crate::EngineError::ConstraintResource`], which says nothing of an output.

mod form;
mod grammar;
mod limits;
mod mask;
mod masks;
mod parser;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use form::{Constraint, Form, COMPILER, COMPILER_VERSION, MAX_SOURCE_BYTES};
pub use mask::Mask;
pub(crate) use masks::{Masks, Ready};
pub(crate) use vocabulary::Vocabulary;
