// SPDX-License-Identifier: Apache-2.0
//! Rendering a template that comes from a file which nobody vouches for.
//!
//! The values that a template makes and what it writes are at most 16 MiB and 64 times the messages
//! in all, and each operation checks before it begins that its result has room: see
//! [`super::budget`]. In memory that is at most four times as much, copies included. Its instructions are counted; its source has a bound; and it is read and run
//! on a thread with a stack that is large enough for the deepest source of that length.

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

/// Instructions that a template may take; one in use takes some thousands.
const FUEL: u64 = 10_000_000;
/// The longest template, in bytes; the longest in use have some 40,000.
const SOURCE_MAX: usize = 1 << 17;
/// Bytes that a template may make whatever the messages are.
const BASE: u64 = 1 << 24;
/// Bytes that it may make for each byte of the messages.
const PER_BYTE: u64 = 64;
/// The stack of the thread: some 500 bytes for each byte of the longest template.
const STACK: usize = 1 << 26;
/// The longest description of an error, in characters.
const DESCRIPTION_MAX: usize = 1000;

/// The text of the messages, the ends being those of the vocabulary; or what is wrong.
pub(super) fn render(
    template: &str,
    messages: &[Message],
    ends: (&str, &str),
) -> Result<String, String> {
    if template.len() > SOURCE_MAX {
        return Err(format!("it has {} bytes, the limit is {SOURCE_MAX}", template.len()));
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
    // As in the library that templates are written for.
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

/// An error with what is behind it, on one line.
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
