// SPDX-License-Identifier: Apache-2.0
//! Watches a job to its end, and shows its text as it comes.

use crate::{
    chain::node::{self, Output, OutputItem},
    exit::{Exit, Fault},
    out::{self, Progress},
    proof,
    session::Session,
    text::Utf8Pieces,
    view,
};
use anyhow::{Context, Result};
use assay_primitives::{api::JobView, worker::Transcript, JobId, JobState, Outcome, Settlement};
use assay_runtime::AccountId;
use jsonrpsee::core::client::Subscription;
use sp_core::H256;
use std::time::Duration;
use tokio::{
    signal::unix::{signal, Signal, SignalKind},
    time::Instant,
};

/// How long the rest of an output, and its proof, may take to come once the job is over.
const REST: Duration = Duration::from_secs(15);

/// A job that is over.
pub struct Ended {
    /// The job as the chain has it.
    pub view: JobView<AccountId>,
    /// How it ended.
    pub settlement: Settlement<AccountId>,
    /// Its output, as far as the node has it.
    pub output: Option<Output>,
    /// The output that hashes to what the operator committed to.
    pub proven: Option<Transcript>,
}

impl Ended {
    /// The exit code: an answer that stands is worth nothing while it cannot be told from another.
    pub fn exit(&self) -> Exit {
        if self.proven.is_none() {
            return Exit::JobFailed;
        }
        view::job::exit(&self.settlement)
    }

    /// How it ended, as rows for a person.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = view::job::settlement_rows(&self.settlement);
        if self.settlement.output_hash.is_some() && self.proven.is_none() {
            let text =
                "not proven: this node gives no transcript that hashes to the commitment, so \
                        the text above need not be the one that was committed; ask another node";
            rows.push(("Output", out::toned(out::Tone::Bad, text)));
        }
        rows
    }
}

/// Listens for Ctrl-C from now on; until then it ends the process.
pub fn interrupts() -> Result<Signal> {
    signal(SignalKind::interrupt()).context("cannot listen for interrupts")
}

/// Watches a job to its end. `None` when interrupted: the job goes on.
pub async fn to_the_end(
    session: &Session,
    job: &JobId,
    show: bool,
    interrupts: &mut Signal,
) -> Result<Option<Ended>> {
    let mut watch = Watch { session, job: *job, stream: None, screen: Screen::new(show) };
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
    stream: Option<Subscription<OutputItem>>,
    screen: Screen,
}

impl Watch<'_> {
    async fn run(&mut self) -> Result<Ended> {
        let chain = &self.session.chain;
        let mut heads = chain.heads().await?;
        let (view, settlement) = loop {
            let view = self.look().await?;
            if let JobState::Settled(settlement) = &view.state {
                let settlement = settlement.clone();
                break (view, settlement);
            }
            self.screen.waiting(&view.state);
            self.listen().await;
            // Until the next block, whatever comes is shown.
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
        let (output, proven) = self.output(settlement.output_hash).await?;
        self.screen.complete(output.as_ref(), proven.as_ref())?;
        Ok(Ended { view, settlement, output, proven })
    }

    /// The output, with its proof. A node that has not got it asks others, and is asked again with
    /// each block until they had their time.
    async fn output(
        &self,
        committed: Option<H256>,
    ) -> Result<(Option<Output>, Option<Transcript>)> {
        let chain = &self.session.chain;
        let deadline = Instant::now() + REST;
        let mut heads = chain.heads().await?;
        loop {
            let output = chain.output(&self.job).await?;
            let proven = output.as_ref().and_then(|output| proof::proven(output, committed));
            if committed.is_none() || proven.is_some() {
                return Ok((output, proven));
            }
            if tokio::time::timeout_at(deadline, heads.next()).await.is_err() {
                return Ok((output, None));
            }
        }
    }

    async fn look(&self) -> Result<JobView<AccountId>> {
        self.session.chain.job(&self.job).await?.ok_or_else(|| unknown(&self.job))
    }

    /// Listens to the output, unless that is so already or there is no more to come.
    async fn listen(&mut self) {
        if self.stream.is_none() && !self.screen.finished {
            // A node that cannot serve it now is asked again in the next block, and for the whole
            // of it in the end.
            self.stream =
                self.session.chain.follow_output(&self.job, self.screen.tokens).await.ok();
        }
    }

    /// Shows what has come; a stream that breaks off or has a gap is begun again.
    fn take(&mut self, item: Option<OutputItem>) -> Result<()> {
        match item {
            Some(item) if item.index == self.screen.tokens => {
                self.screen.show(&item)?;
                if self.screen.finished {
                    self.stream = None;
                }
            }
            _ => self.stream = None,
        }
        Ok(())
    }

    /// Waits for what is still to come of an output that stands.
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

/// The error for a job that the chain does not know.
pub fn unknown(job: &JobId) -> anyhow::Error {
    Fault::error(
        "jobs.JobNotFound",
        format!("there is no job {job:?} on this chain, or its record is already pruned"),
    )
}

/// The next piece; never where there is no stream.
async fn next(stream: &mut Option<Subscription<OutputItem>>) -> Option<OutputItem> {
    match stream {
        Some(stream) => stream.next().await.and_then(Result::ok),
        None => std::future::pending().await,
    }
}

/// What is on the screen: either progress, or text.
struct Screen {
    show: bool,
    progress: Option<Progress>,
    pieces: Utf8Pieces,
    /// Tokens shown.
    tokens: u32,
    /// Bytes shown.
    bytes: Vec<u8>,
    finished: bool,
    open_line: bool,
}

impl Screen {
    fn new(show: bool) -> Self {
        Self {
            show,
            progress: None,
            pieces: Utf8Pieces::default(),
            tokens: 0,
            bytes: Vec::new(),
            finished: false,
            open_line: false,
        }
    }

    fn waiting(&mut self, state: &JobState<AccountId>) {
        // Progress would be written across the text.
        if self.open_line {
            return;
        }
        let message = view::job::waiting(state);
        match &self.progress {
            Some(progress) => progress.say(message),
            None => self.progress = Some(Progress::new(message)),
        }
    }

    fn show(&mut self, item: &OutputItem) -> Result<()> {
        let bytes = node::bytes(&item.bytes)?;
        self.tokens = self.tokens.saturating_add(u32::try_from(item.tokens.len())?);
        self.finished = item.finish.is_some();
        self.append(&bytes)?;
        if self.finished {
            self.break_line()?;
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        let text = self.pieces.push(bytes);
        self.write(&text)
    }

    fn write(&mut self, text: &str) -> Result<()> {
        if !self.show || text.is_empty() {
            return Ok(());
        }
        self.progress = None;
        self.open_line = true;
        Ok(out::part(text)?)
    }

    /// Shows what the stream has not brought of the whole, and the whole again where the stream has
    /// brought something else.
    fn complete(&mut self, output: Option<&Output>, proven: Option<&Transcript>) -> Result<()> {
        let whole = match (proven, output) {
            (Some(transcript), _) => transcript.text.clone(),
            (None, Some(output)) => node::bytes(&output.bytes)?,
            (None, None) => self.bytes.clone(),
        };
        match whole.strip_prefix(self.bytes.as_slice()) {
            Some(rest) => self.append(rest)?,
            None => {
                self.break_line()?;
                if self.show {
                    out::note("The text above is not what the operator committed to; this is:");
                }
                self.bytes.clear();
                self.append(&whole)?;
            }
        }
        self.break_line()?;
        self.progress = None;
        Ok(())
    }

    fn break_line(&mut self) -> Result<()> {
        let last = self.pieces.finish();
        self.write(last)?;
        if std::mem::take(&mut self.open_line) {
            out::line("")?;
        }
        Ok(())
    }
}
