// SPDX-License-Identifier: Apache-2.0
//! Watches a job to its end, and shows its text as it comes.

use crate::{
    exit::{Exit, Fault},
    out::{self, Progress},
    proof::Known,
    session::Session,
    text::Utf8Pieces,
    view,
};
use anyhow::{Context, Result};
use assay_primitives::{api::JobView, JobId, JobState, Outcome, Settlement};
use assay_rpc::OutputItem;
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

/// Blocks for which a job that was on the chain may be missing.
const REORGANISED: u32 = 20;

/// A job that is over.
pub struct Ended {
    /// The job as the chain has it.
    pub view: JobView<AccountId>,
    /// How it ended.
    pub settlement: Settlement<AccountId>,
    /// Its output, as far as it is known.
    pub known: Known,
}

impl Ended {
    /// The exit code: an answer that stands is worth nothing while it cannot be told from another.
    pub fn exit(&self) -> Exit {
        if !self.known.is_proven() {
            return Exit::JobFailed;
        }
        view::job::exit(&self.settlement)
    }

    /// How it ended, as rows for a person.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = view::job::settlement_rows(&self.settlement);
        if self.settlement.output_hash.is_some() && !self.known.is_proven() {
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

/// Watches a job to its end, one that is `there` for certain or one that may be unknown. `None` when
/// interrupted: the job goes on.
pub async fn to_the_end(
    session: &Session,
    job: &JobId,
    there: bool,
    interrupts: &mut Signal,
) -> Result<Option<Ended>> {
    let screen = Screen::new(!session.json);
    let presence = Presence { there, missing: 0 };
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
        let known = self.output(settlement.output_hash).await?;
        self.screen.complete(&known)?;
        Ok(Ended { view, settlement, known })
    }

    /// The output, with its proof. A node that has not got it asks others, and is asked again with
    /// each block until they had their time.
    async fn output(&self, committed: Option<H256>) -> Result<Known> {
        let chain = &self.session.chain;
        let deadline = Instant::now() + REST;
        let mut heads = chain.heads().await?;
        loop {
            let known = Known::new(chain.output(&self.job).await?, committed);
            if committed.is_none() || known.is_proven() {
                return Ok(known);
            }
            if tokio::time::timeout_at(deadline, heads.next()).await.is_err() {
                return Ok(known);
            }
        }
    }

    /// The job; `None` where it is not on the best chain for now.
    async fn look(&mut self) -> Result<Option<JobView<AccountId>>> {
        let view = self.session.chain.job(&self.job).await?;
        if self.presence.look(view.is_some()) {
            Ok(view)
        } else {
            Err(unknown(&self.job))
        }
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

/// Whether a job is on the chain. After a reorganisation one that was created may be missing until
/// its extrinsic is included again.
struct Presence {
    /// It was there.
    there: bool,
    /// Blocks for which it has been missing.
    missing: u32,
}

impl Presence {
    /// Notes whether it is there in this block; `false` once it has to count as unknown.
    fn look(&mut self, there: bool) -> bool {
        self.there |= there;
        self.missing = if there { 0 } else { self.missing + 1 };
        self.there && self.missing <= REORGANISED
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
        self.tokens = self.tokens.saturating_add(u32::try_from(item.tokens.len())?);
        self.finished = item.finish.is_some();
        self.append(&item.bytes)?;
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
    fn complete(&mut self, known: &Known) -> Result<()> {
        let whole = known.bytes().unwrap_or_else(|| self.bytes.clone());
        match whole.strip_prefix(self.bytes.as_slice()) {
            Some(rest) => self.append(rest)?,
            None => {
                self.break_line()?;
                if self.show {
                    out::note(if known.is_proven() {
                        "The text above is not what the operator committed to; this is:"
                    } else {
                        "The node now says something else than the text above, and proves neither:"
                    });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_that_was_there_may_be_missing_for_a_while() {
        let mut presence = Presence { there: true, missing: 0 };
        for _ in 0..2 {
            assert!((0..REORGANISED).all(|_| presence.look(false)));
            assert!(presence.look(true));
        }
        assert!((0..REORGANISED).all(|_| presence.look(false)));
        assert!(!presence.look(false));
    }

    #[test]
    fn job_that_was_never_there_is_unknown() {
        assert!(!Presence { there: false, missing: 0 }.look(false));
    }
}
