// SPDX-License-Identifier: Apache-2.0
//! Rendering of a template from an untrusted file.
//!
//! The values that a template makes and its output are limited to 16 MiB plus 64 times the size of
//! the messages, tools and arguments, and each operation checks before it begins that its result has room: see
//! [`super::budget`]. The memory used is at most four times as much, including copies. The
//! template's instructions are counted and its source has a bound. It is parsed and run on a thread
//! with a stack that is large enough for the deepest source of that length.

use super::{
    bounded::environment,
    budget::{Budget, NODE},
    generation::without_generation,
    rewrite,
};
use crate::EngineError;
use minijinja::{
    machinery::{make_string_output, parse, CodeGenerator, Vm, WhitespaceConfig},
    syntax::SyntaxConfig,
    AutoEscape, Error, Value,
};
use std::{collections::BTreeMap, sync::Arc, thread};

/// The most instructions that a template may execute; those in use execute a few thousand.
const FUEL: u64 = 10_000_000;
/// The longest template in bytes; the longest ones in use have about 40,000.
const SOURCE_MAX: usize = 1 << 17;
/// The number of bytes that a template may make for any messages.
const BASE: u64 = 1 << 24;
/// The number of bytes that it may also make for each byte of messages, tools and arguments.
const PER_BYTE: u64 = 64;
/// The stack size of the thread: about 500 bytes for each byte of the longest template.
const STACK: usize = 1 << 26;
/// The longest description of an error, in characters.
const DESCRIPTION_MAX: usize = 1000;

/// Renders a template with these variables, which were made of texts of these sizes.
///
/// # Errors
/// Returns [`EngineError::ChatTemplate`], or [`EngineError::Io`] if the system provides no thread.
pub(super) fn render(
    template: &str,
    variables: BTreeMap<&str, Value>,
    sizes: impl Iterator<Item = usize>,
) -> Result<String, EngineError> {
    let refused = |problem| EngineError::ChatTemplate { problem };
    if template.len() > SOURCE_MAX {
        let problem = format!("its {} bytes exceed the limit of {SOURCE_MAX}", template.len());
        return Err(refused(problem));
    }
    let said = sizes.fold(0u64, |sum, size| sum.saturating_add(NODE).saturating_add(size as u64));
    let run = || run(template, Value::from_iter(variables), said).map_err(|error| describe(&error));
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("chat-template".into()).stack_size(STACK);
        let rendering = thread.spawn_scoped(scope, run).map_err(|source| EngineError::Io {
            path: "the thread of a chat template".into(),
            source,
        })?;
        let rendered = rendering.join();
        rendered.unwrap_or_else(|_| Err("its interpreter has failed".into())).map_err(refused)
    })
}

fn run(template: &str, root: Value, said: u64) -> Result<String, Error> {
    let budget = Arc::new(Budget::new(BASE.saturating_add(PER_BYTE.saturating_mul(said))));
    // These settings match the library that templates are written for.
    let spaces =
        WhitespaceConfig { keep_trailing_newline: false, lstrip_blocks: true, trim_blocks: true };
    let name = "chat_template";
    let template = &*without_generation(template, spaces);
    let parsed = parse(template, name, SyntaxConfig, spaces)?;
    let bounded = rewrite::bounded(&parsed)?;
    let mut generator = CodeGenerator::new(name, template);
    generator.compile_stmt(&bounded);
    let (instructions, blocks) = generator.finish();
    let mut environment = environment(&budget);
    environment.set_fuel(Some(FUEL));
    let mut text = String::new();
    let mut output = make_string_output(&mut text);
    Vm::new(&environment).eval(&instructions, root, &blocks, &mut output, AutoEscape::None)?;
    drop(output);
    Ok(text)
}

/// Returns an error and its sources on one line.
fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    match text.char_indices().nth(DESCRIPTION_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
