// SPDX-License-Identifier: Apache-2.0
//! `assay chat`: a conversation whose answers are jobs.

use crate::{
    amount::Amount,
    args::ConversationArgs,
    exit::Exit,
    follow::{self, Ended},
    length::Length,
    order::{self, Order},
    out, request,
    session::Session,
    standing::Standing,
    text_check,
};
use anyhow::{Context, Result};
use assay_primitives::{request::Message, JobId};
use serde_json::{json, Value};
use std::{cell::Cell, io::BufRead, thread};
use tokio::{
    signal::unix::Signal,
    sync::mpsc::{unbounded_channel, UnboundedReceiver},
};

/// The line that ends a conversation, as the end of the input does.
const QUIT: &str = "/quit";

/// Talks until the input ends. The exit code is that of the first answer that has not code 0.
pub async fn chat(session: &Session, args: &ConversationArgs) -> Result<Exit> {
    session.signer()?;
    let mut interrupts = follow::interrupts()?;
    let mut lines = lines()?;
    let mut conversation = Conversation::new(session, args)?;
    out::note("Write a message and press Enter; /quit ends the conversation.");
    let mut exit = Exit::Done;
    loop {
        if out::is_terminal() && !session.json {
            out::part("> ")?;
        }
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = interrupts.recv() => None,
        };
        let Some(line) = line.transpose().context("cannot read the message")? else { break };
        let ended = match line.trim() {
            "" => continue,
            QUIT => break,
            text => conversation.turn(text, &mut interrupts).await,
        };
        let ended = ended.unwrap_or_else(|error| {
            out::note(&format!("error: {error:#}"));
            Exit::Failed
        });
        if exit == Exit::Done {
            exit = ended;
        }
        if ended == Exit::Detached {
            return Ok(ended);
        }
    }
    if session.json {
        out::object(&conversation.json())?;
    }
    Ok(exit)
}

/// Returns the lines of standard input, which a thread of their own reads: it does not keep the process
/// from ending.
fn lines() -> Result<UnboundedReceiver<std::io::Result<String>>> {
    let (sender, lines) = unbounded_channel();
    let read = move || {
        for line in std::io::stdin().lock().lines() {
            if sender.send(line).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("lines".into()).spawn(read).context("cannot read the messages")?;
    Ok(lines)
}

/// A conversation.
struct Conversation<'a> {
    session: &'a Session,
    args: &'a ConversationArgs,
    extras: request::Extras,
    messages: Vec<Message>,
    jobs: Vec<JobId>,
}

impl<'a> Conversation<'a> {
    fn new(session: &'a Session, args: &'a ConversationArgs) -> Result<Self> {
        let messages = request::opening(&args.order.chat);
        // They are read once, so that all turns have the same.
        let extras = request::Extras::read(&args.order.chat)?;
        Ok(Self { session, args, extras, messages, jobs: Vec::new() })
    }

    /// Orders the answer to a message and shows it. Message and answer stay in the conversation if the
    /// operator is bound to the answer and no jury has rejected it.
    async fn turn(&mut self, text: &str, interrupts: &mut Signal) -> Result<Exit> {
        let (session, args) = (self.session, &self.args.order);
        let mut messages = self.messages.clone();
        messages.push(request::message("user", text));
        let asked = self.extras.request(args, messages.clone())?;
        let order = order::of_request(session, args, asked).await?;
        out::note(&price(&order));
        let announced = Cell::new(None);
        let placed = tokio::select! {
            placed = order.place(session, &announced) => Some(placed?),
            _ = interrupts.recv() => None,
        };
        let Some(placed) = placed else {
            let note = "The conversation ends. If the order was sent, its job goes on.";
            return follow::detach(session, announced.get(), note);
        };
        let job = placed.job;
        self.jobs.push(job);
        let model = text_check::open(&order.model.id, None)?;
        let shown = (model.as_ref(), &order.stops);
        let Some(ended) = follow::to_the_end(session, &job, shown, interrupts).await? else {
            let note = format!("The job goes on. Watch it with: assay job status {job:?} --wait");
            return follow::detach(session, Some(job), &note);
        };
        let standing = ended.standing();
        if let Some(logprobs) = ended.known.logprobs().filter(|_| !session.json) {
            logprobs.show()?;
        }
        out::note(&summary(&ended, standing));
        text_check::ensure(&job, &ended.known, standing)?;
        match ended.known.text().filter(|_| stays(standing)) {
            Some(answer) => {
                messages.push(request::message("assistant", answer));
                self.messages = messages;
            }
            None => out::note("Message and answer are left out of the conversation."),
        }
        Ok(standing.exit(ended.settlement.outcome, self.args.accept_unaudited))
    }

    fn json(&self) -> Value {
        let message =
            |message: &Message| json!({ "role": message.role, "content": message.content });
        let messages: Vec<Value> = self.messages.iter().map(message).collect();
        json!({ "messages": messages, "jobs": self.jobs })
    }
}

/// Returns whether an answer is a part of the conversation.
fn stays(standing: Standing) -> bool {
    matches!(standing, Standing::Verified(_) | Standing::Unaudited)
}

/// Returns the note about the price of an answer.
fn price(order: &Order) -> String {
    format!(
        "The answer costs at most {}, for {} of conversation and at most {} of answer; {} goes on hold.",
        Amount(order.cost()),
        Length::Exactly(order.input_tokens()),
        Length::Exactly(order.max_tokens()),
        Amount(order.held),
    )
}

/// Returns the note about an answer.
fn summary(ended: &Ended, standing: Standing) -> String {
    let words = standing.words();
    let words = words.as_ref().map_or("no answer", |words| words.text());
    format!("Paid {}; {words}.", Amount(ended.settlement.paid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_stays_in_the_conversation_unless_it_may_be_a_lie() {
        let kept = [Standing::Verified(3), Standing::Unaudited];
        let left_out =
            [Standing::Absent, Standing::Withheld, Standing::Undecided, Standing::Rejected];
        assert!(kept.into_iter().all(stays));
        assert!(!left_out.into_iter().any(stays));
    }
}
