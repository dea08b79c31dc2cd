// SPDX-License-Identifier: Apache-2.0
//! Rendering of a template from an untrusted file.
//!
//! The values that a template makes and its output are limited to 16 MiB plus 64 times the size of
//! the messages, and each operation checks before it begins that its result has room: see
//! [`super::budget`]. The memory used is at most four times as much, including copies. The
//! template's instructions are counted and its source has a bound. It is parsed and run on a thread
//! with a stack that is large enough for the deepest source of that length.

use super::{
    bounded::environment,
    budget::{Budget, NODE},
    rewrite, Message,
};
use minijinja::{
    context,
    machinery::{make_string_output, parse, CodeGenerator, Vm, WhitespaceConfig},
    syntax::SyntaxConfig,
    AutoEscape, Error,
};
use std::{sync::Arc, thread};

/// The most instructions that a template may execute; those in use execute a few thousand.
const FUEL: u64 = 10_000_000;
/// The longest template in bytes; the longest ones in use have about 40,000.
const SOURCE_MAX: usize = 1 << 17;
/// The number of bytes that a template may make for any messages.
const BASE: u64 = 1 << 24;
/// The number of bytes that it may also make for each byte of the messages.
const PER_BYTE: u64 = 64;
/// The stack size of the thread: about 500 bytes for each byte of the longest template.
const STACK: usize = 1 << 26;
/// The longest description of an error, in characters.
const DESCRIPTION_MAX: usize = 1000;

/// Renders the messages with the vocabulary's begin and end texts, or returns a description of the
/// error.
pub(super) fn render(
    template: &str,
    messages: &[Message],
    ends: (&str, &str),
) -> Result<String, String> {
    if template.len() > SOURCE_MAX {
        return Err(format!("its {} bytes exceed the limit of {SOURCE_MAX}", template.len()));
    }
    let run = || run(template, messages, ends).map_err(|error| describe(&error));
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("chat-template".into()).stack_size(STACK);
        let rendering = thread.spawn_scoped(scope, run).map_err(|e| e.to_string())?;
        rendering.join().unwrap_or_else(|_| Err("its interpreter has failed".into()))
    })
}

fn run(template: &str, messages: &[Message], (bos, eos): (&str, &str)) -> Result<String, Error> {
    let size = |message: &Message| NODE + (message.role.len() + message.content.len()) as u64;
    let said: u64 = messages.iter().map(size).sum();
    let budget = Arc::new(Budget::new(BASE.saturating_add(PER_BYTE.saturating_mul(said))));
    // These settings match the library that templates are written for.
    let spaces =
        WhitespaceConfig { keep_trailing_newline: false, lstrip_blocks: true, trim_blocks: true };
    let name = "chat_template";
    let parsed = parse(template, name, SyntaxConfig, spaces)?;
    let bounded = rewrite::bounded(&parsed)?;
    let mut generator = CodeGenerator::new(name, template);
    generator.compile_stmt(&bounded);
    let (instructions, blocks) = generator.finish();
    let mut environment = environment(&budget);
    environment.set_fuel(Some(FUEL));
    let root = context! {
        messages, bos_token => bos, eos_token => eos, add_generation_prompt => true,
    };
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
