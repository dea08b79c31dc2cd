// SPDX-License-Identifier: Apache-2.0
//! Following a job to its end, with its text as it arrives.

mod presence;
mod screen;

use crate::{
    chain::node::OutputItem, exit::Exit, fault::Fault, out, proof::KnownOutput, session::Session,
    view,
};
use anyhow::{Context, Result};
use assay_primitives::{api::JobView, JobId, JobState, Outcome, Settlement};
use assay_runtime::AccountId;
use jsonrpsee::core::client::Subscription;
use presence::Presence;
use screen::Screen;
use sp_core::H256;
use std::time::Duration;
use tokio::{
    signal::unix::{signal, Signal, SignalKind},
    time::Instant,
};

/// The longest to wait for the rest of an output, and for its proof, once the job is over.
const REST: Duration = Duration::from_secs(15);

/// A job that is over.
pub struct Ended {
    /// The job as the chain has it.
    pub view: JobView<AccountId>,
    /// The settlement that ended it.
    pub settlement: Settlement<AccountId>,
    /// The output, as far as it is known.
    pub known: KnownOutput,
}

impl Ended {
    /// Returns the exit code. A job whose output is not proven has failed: the text could be any.
    pub fn exit(&self) -> Exit {
        if !self.known.is_proven() {
            return Exit::JobFailed;
        }
        view::settlement::exit(&self.settlement)
    }

    /// Returns the end of the job as rows for a person.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = view::settlement::rows(&self.settlement);
        if self.settlement.output_hash.is_some() && !self.known.is_proven() {
            let text = "not proven: this node has no transcript that hashes to the commitment, so \
                        the text above may be another one; ask another node";
            rows.push(("Output", out::styled(out::BAD, text)));
        }
        rows
    }
}

/// Starts to listen for Ctrl-C; until this call it ends the process.
pub fn interrupts() -> Result<Signal> {
    signal(SignalKind::interrupt()).context("cannot listen for interrupts")
}

/// Watches a job to its end. The job is `there` for certain, or it may be unknown. Returns `None` when
/// interrupted; the job goes on.
pub async fn to_the_end(
    session: &Session,
    job: &JobId,
    there: bool,
    interrupts: &mut Signal,
) -> Result<Option<Ended>> {
    let screen = Screen::new(!session.json);
    let presence = Presence::new(there);
    let mut watch = Watch { session, job: *job, presence, stream: None, screen };
    tokio::select! {
        ended = watch.run() => ended.map(Some),
        _ = interrupts.recv() => {
            watch.screen.break_line()?;
            Ok(None)
        }
    }
}

struct Watch<'a> {
    session: &'a Session,
    job: JobId,
    presence: Presence,
    stream: Option<Subscription<OutputItem>>,
    screen: Screen,
}

impl Watch<'_> {
    async fn run(&mut self) -> Result<Ended> {
        let chain = &self.session.chain;
        let mut heads = chain.heads().await?;
        let (view, settlement) = loop {
            if let Some(view) = self.look().await? {
                if let JobState::Settled(settlement) = &view.state {
                    let settlement = settlement.clone();
                    break (view, settlement);
                }
                self.screen.waiting(&view.state);
                self.listen().await;
            }
            // Until the next block, every piece that arrives is shown.
            loop {
                tokio::select! {
                    head = heads.next() => {
                        head.ok_or_else(|| chain.gone())?.context("a header is malformed")?;
                        break;
                    }
                    item = next(&mut self.stream) => self.take(item)?,
                }
            }
        };
        if settlement.outcome == Outcome::Paid {
            self.rest().await?;
        }
        let known = self.output(settlement.output_hash).await?;
        self.screen.complete(&known)?;
        Ok(Ended { view, settlement, known })
    }

    /// Returns the output, with its proof. A node that lacks it asks others, so it is asked again with
    /// each block for a while.
    async fn output(&self, committed: Option<H256>) -> Result<KnownOutput> {
        let chain = &self.session.chain;
        let deadline = Instant::now() + REST;
        let mut heads = chain.heads().await?;
        loop {
            let known = KnownOutput::new(chain.output(&self.job).await?, committed);
            if committed.is_none() || known.is_proven() {
                return Ok(known);
            }
            if tokio::time::timeout_at(deadline, heads.next()).await.is_err() {
                return Ok(known);
            }
        }
    }

    /// Returns the job; `None` while it is not on the best chain.
    async fn look(&mut self) -> Result<Option<JobView<AccountId>>> {
        let view = self.session.chain.job(&self.job).await?;
        if self.presence.look(view.is_some()) {
            Ok(view)
        } else {
            Err(unknown(&self.job))
        }
    }

    /// Subscribes to the output, unless it is subscribed to or complete already.
    async fn listen(&mut self) {
        if self.stream.is_none() && !self.screen.finished() {
            // A node that cannot serve the output now is asked again in the next block, and at the
            // end for the whole of it.
            self.stream =
                self.session.chain.follow_output(&self.job, self.screen.tokens()).await.ok();
        }
    }

    /// Shows a piece. A stream that breaks off or has a gap is dropped and subscribed to again.
    fn take(&mut self, item: Option<OutputItem>) -> Result<()> {
        match item {
            Some(item) if item.index == self.screen.tokens() => {
                self.screen.show(&item)?;
                if self.screen.finished() {
                    self.stream = None;
                }
            }
            _ => self.stream = None,
        }
        Ok(())
    }

    /// Waits for the rest of an output that was paid for.
    async fn rest(&mut self) -> Result<()> {
        let deadline = Instant::now() + REST;
        self.listen().await;
        while self.stream.is_some() {
            match tokio::time::timeout_at(deadline, next(&mut self.stream)).await {
                Ok(item) => self.take(item)?,
                Err(_) => break,
            }
        }
        Ok(())
    }
}

/// Returns the error for a job that the chain does not know.
pub fn unknown(job: &JobId) -> anyhow::Error {
    Fault::error(
        "jobs.JobNotFound",
        format!("the chain has no job {job:?}; check the id, or the record may be pruned already"),
    )
}

/// Returns the next piece of a stream; without one, waits forever.
async fn next(stream: &mut Option<Subscription<OutputItem>>) -> Option<OutputItem> {
    match stream {
        Some(stream) => stream.next().await.and_then(Result::ok),
        None => std::future::pending().await,
    }
}
