// SPDX-License-Identifier: Apache-2.0
//! The watch over one job, which outlives its connection to the node.

use super::{
    ended::Ended,
    presence::{unknown, Presence},
    screen::Screen,
};
use crate::{
    chain::{Chain, Head},
    known_output::KnownOutput,
    reconnect,
};
use anyhow::{Context, Result};
use assay_primitives::{api::JobView, JobId, JobState, Settlement};
use assay_rpc::OutputItem;
use assay_runtime::AccountId;
use jsonrpsee::core::client::Subscription;
use sp_core::H256;
use std::time::Duration;
use tokio::time::Instant;

/// The longest to wait for an output that hashes to the commitment, once the job is over.
const REST: Duration = Duration::from_secs(15);

/// The time without a block after which the person at the terminal is told. It is twice as long each
/// time.
const STALL: Duration = Duration::from_secs(20);

/// The watch over one job.
pub struct Watch<'a> {
    chain: &'a Chain,
    job: JobId,
    presence: Presence,
    stream: Option<Subscription<OutputItem>>,
    /// The screen.
    pub screen: Screen,
}

impl<'a> Watch<'a> {
    /// Returns a watch that has not begun.
    pub fn new(chain: &'a Chain, job: JobId, screen: Screen) -> Self {
        Self { chain, job, presence: Presence::default(), stream: None, screen }
    }

    /// Watches the job to its end.
    pub async fn run(&mut self) -> Result<Ended> {
        let (view, settlement) = loop {
            match self.until_settled().await {
                Ok(end) => break end,
                Err(error) => self.reconnect(error).await?,
            }
        };
        let known = loop {
            match self.output(settlement.output_hash).await {
                Ok(known) => break known,
                Err(error) => self.reconnect(error).await?,
            }
        };
        let ended = Ended { job: self.job, view, settlement, known };
        self.screen.complete(ended.known.bytes(), ended.standing())?;
        Ok(ended)
    }

    /// Connects again after an error of the connection; any other error is the end of the watch.
    async fn reconnect(&mut self, error: anyhow::Error) -> Result<()> {
        // The next subscription goes on where this one broke off.
        self.stream = None;
        let screen = &mut self.screen;
        reconnect::again(self.chain, error, |text| screen.note(text)).await
    }

    async fn until_settled(&mut self) -> Result<(JobView<AccountId>, Settlement<AccountId>)> {
        let mut heads = self.chain.heads().await?;
        loop {
            if let Some(view) = self.look().await? {
                if let JobState::Settled(settlement) = &view.state {
                    let settlement = settlement.clone();
                    return Ok((view, settlement));
                }
                self.screen.waiting(&view.state);
                self.listen().await;
            }
            self.next_block(&mut heads).await?;
        }
    }

    /// Shows every piece that arrives until the next block, and says so if there is none for long.
    async fn next_block(&mut self, heads: &mut Subscription<Head>) -> Result<()> {
        let mut patience = STALL;
        let since = Instant::now();
        loop {
            tokio::select! {
                head = heads.next() => {
                    head.ok_or_else(|| self.chain.gone())?.context("a header is malformed")?;
                    if patience > STALL {
                        self.screen.note("The chain has a new block again.")?;
                    }
                    return Ok(());
                }
                item = next(&mut self.stream) => self.take(item)?,
                () = tokio::time::sleep_until(since + patience) => {
                    self.screen.note(&stalled(patience))?;
                    patience *= 2;
                }
            }
        }
    }

    /// Returns the output. A node that lacks the one that was committed to asks others, so it is asked
    /// again with each block for a while.
    async fn output(&self, commitment: Option<H256>) -> Result<KnownOutput> {
        let deadline = Instant::now() + REST;
        let mut heads = self.chain.heads().await?;
        loop {
            let known =
                KnownOutput::new(self.chain.output(&self.job).await?, &self.job, commitment);
            if commitment.is_none() || known.is_committed() {
                return Ok(known);
            }
            match tokio::time::timeout_at(deadline, heads.next()).await {
                Ok(Some(_)) => {}
                Ok(None) => return Err(self.chain.gone()),
                Err(_) => return Ok(known),
            }
        }
    }

    /// Returns the job; `None` while it is not on the best chain.
    async fn look(&mut self) -> Result<Option<JobView<AccountId>>> {
        let view = self.chain.job(&self.job).await?;
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
            self.stream = self.chain.follow_output(&self.job, self.screen.tokens()).await.ok();
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
}

/// Returns the note about a chain that stands still.
fn stalled(time: Duration) -> String {
    format!(
        "No block for {} s: the chain stands still, or the node cannot be reached. Ctrl-C stops watching \
         and leaves the job to run.",
        time.as_secs()
    )
}

/// Returns the next piece of a stream; without one, waits forever.
async fn next(stream: &mut Option<Subscription<OutputItem>>) -> Option<OutputItem> {
    match stream {
        Some(stream) => stream.next().await.and_then(Result::ok),
        None => std::future::pending().await,
    }
}
