// SPDX-License-Identifier: Apache-2.0
//! The limits of the compiler of constraints, and its messages.
//!
//! The limits are numbers of steps and sizes and never times, so they are the same on every machine.

use crate::EngineError;
use llguidance::{api::ParserLimits, ParserFactory};
use toktrie::{InferenceCapabilities, TokEnv};

/// The longest message of the compiler that is passed on, in characters.
const MESSAGE_MAX: usize = 1000;

/// Returns the limits of the compiler.
fn limits() -> ParserLimits {
    ParserLimits {
        // The most items in one row of the Earley parser.
        max_items_in_row: 2_000,
        // The most nodes of regular expressions that are built when a constraint compiles.
        initial_lexer_fuel: 1_000_000,
        // The most such nodes that are built for one mask.
        step_lexer_fuel: 200_000,
        // The most items of the Earley parser for one mask.
        step_max_items: 50_000,
        // The most states of the lexer, of one to two KiB each.
        max_lexer_states: 20_000,
        // The most symbols of a grammar.
        max_grammar_size: 500_000,
        precompute_large_lexemes: true,
        verbose_errors: false,
    }
}

/// Returns the compiler for a vocabulary. It takes no shortcut by slices of the vocabulary, whose order is not fixed.
pub(super) fn factory(vocabulary: TokEnv) -> Result<ParserFactory, EngineError> {
    let made = ParserFactory::new(&vocabulary, InferenceCapabilities::default(), &[]);
    let mut factory = made.map_err(|error| gave_up(&error))?;
    factory.quiet();
    *factory.limits_mut() = limits();
    Ok(factory)
}

/// Returns the error of a compiler or parser that has given up.
pub(super) fn gave_up(error: &anyhow::Error) -> EngineError {
    EngineError::ConstraintResource { problem: message(error) }
}

/// Returns the compiler's message, without the backtrace of a panic.
pub(super) fn message(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    let text = text.split("\n<").next().unwrap_or_default().trim_end();
    match text.char_indices().nth(MESSAGE_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into(),
    }
}
