// SPDX-License-Identifier: Apache-2.0
//! Chats with a model in the terminal. Ctrl-C stops an answer; /quit, or the end of the input, ends
//! the chat.
#![allow(clippy::print_stdout, reason = "the chat is this program's output")]

use anyhow::Result;
use assay_engine::{
    generate, EngineError, GenerateSpec, Limits, Message, Model, SampleSpec, Sampling, StopStrings,
    Stops, Threads,
};
use clap::Parser;
use std::{
    io::{BufRead, Write},
    path::PathBuf,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
};

#[derive(Parser)]
#[command(about = "Chat with a model")]
struct Options {
    /// A GGUF file; if not given, the tiny model, which only continues texts.
    model: Option<PathBuf>,
    /// Instructions to the model before the chat.
    #[arg(long)]
    system: Option<String>,
    /// The most tokens in an answer.
    #[arg(long, default_value_t = 512)]
    max_tokens: u32,
    /// Temperature; 0 is greedy.
    #[arg(long, default_value_t = 0.7)]
    temperature: f64,
    /// Candidates by share of the probability; 1 means all.
    #[arg(long, default_value_t = 0.95)]
    top_p: f64,
    /// Seed of the sampling.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// A text that ends an answer; may be given several times.
    #[arg(long)]
    stop: Vec<String>,
    /// Number of threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// A model and the settings of its answers.
struct Chat {
    model: Model,
    threads: Threads,
    options: Options,
    /// The flag that Ctrl-C sets.
    cancel: Arc<AtomicBool>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let model = match &options.model {
        Some(path) => Model::open(path)?,
        None => Model::tiny()?,
    };
    let cancel = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, cancel.clone())?;
    let threads = Threads::new(options.threads);
    let info = model.info();
    println!("{}, {}, {} tokens of context", info.name, info.quantisation, info.context_length);
    let system = options.system.iter().map(|text| Message::new("system", text));
    let mut messages: Vec<Message> = system.collect();
    let chat = Chat { model, threads, options, cancel };
    let mut lines = std::io::stdin().lock().lines();
    loop {
        print!("> ");
        std::io::stdout().flush()?;
        match lines.next().transpose()? {
            None => break,
            Some(line) if line.trim() == "/quit" => break,
            Some(line) if line.trim().is_empty() => continue,
            Some(line) => messages.push(Message::new("user", line)),
        }
        match chat.answer(&messages) {
            Ok(text) => messages.push(Message::new("assistant", text)),
            Err(error) => {
                println!("{error}");
                messages.pop();
            }
        }
    }
    Ok(())
}

impl Chat {
    /// Streams the answer to the last message, and returns it.
    fn answer(&self, messages: &[Message]) -> Result<String, EngineError> {
        let Options { max_tokens, temperature, top_p, seed, .. } = self.options;
        let fixed = |x: f64| (x * 65_536.0).round() as u32;
        let sampling =
            Sampling { temperature: fixed(temperature), top_p: fixed(top_p), ..Sampling::GREEDY };
        let input = self.input(messages)?;
        let left = (self.model.info().context_length as usize).saturating_sub(input.len());
        // The number is at most max_tokens.
        let max_tokens = (max_tokens as usize).min(left) as u32;
        let sample = SampleSpec::new(seed, &[0; 32], sampling);
        let stops = StopStrings::new(self.options.stop.iter().map(String::as_bytes));
        let (mut filter, mut text) = (Stops::new(&stops), Vec::new());
        let spec = GenerateSpec { stops, ..GenerateSpec::new(sample, max_tokens, [0; 32]) };
        self.cancel.store(false, Ordering::Relaxed);
        let ended = generate(
            &self.model,
            &self.threads,
            &input,
            &spec,
            &Limits::default(),
            &self.cancel,
            &mut |_, token| {
                let shown = filter.push(&self.model.detokenize(&[token]));
                print(&shown);
                text.extend(shown);
            },
        );
        let rest = filter.finish();
        print(&rest);
        print(b"\n");
        text.extend(rest);
        match ended {
            Ok(_) | Err(EngineError::Cancelled { .. }) => {
                Ok(String::from_utf8_lossy(&text).into_owned())
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the tokens of the chat, or of the last message alone if the model has no template.
    fn input(&self, messages: &[Message]) -> Result<Vec<u32>, EngineError> {
        match (self.model.chat_template(), messages.last()) {
            (None, Some(last)) => self.model.tokenize(last.content.as_bytes()),
            _ => self.model.chat(messages),
        }
    }
}

/// Prints a text. A closed pipe ends the text, not the chat.
fn print(text: &[u8]) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text).and_then(|()| out.flush());
}
