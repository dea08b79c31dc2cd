// SPDX-License-Identifier: Apache-2.0
//! The screen while a job is watched: first progress, then the text as it arrives.

use crate::{
    chain::node::{self, OutputItem},
    out,
    progress::Progress,
    proof::KnownOutput,
    utf8::Utf8Pieces,
    view,
};
use anyhow::Result;
use assay_primitives::JobState;
use assay_runtime::AccountId;

/// The screen while a job is watched.
pub struct Screen {
    show: bool,
    progress: Option<Progress>,
    pieces: Utf8Pieces,
    /// The number of tokens received so far.
    tokens: u32,
    /// The bytes received so far.
    bytes: Vec<u8>,
    finished: bool,
    open_line: bool,
}

impl Screen {
    /// Returns an empty screen, which shows text only if told to `show` it.
    pub fn new(show: bool) -> Self {
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

    /// Returns the number of tokens received so far.
    pub fn tokens(&self) -> u32 {
        self.tokens
    }

    /// Returns whether the stream has brought the end of the output.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Shows which event the job waits for.
    pub fn waiting(&mut self, state: &JobState<AccountId>) {
        // A progress line would overwrite the text.
        if self.open_line {
            return;
        }
        let message = view::job::waiting(state);
        match &self.progress {
            Some(progress) => progress.say(message),
            None => self.progress = Some(Progress::new(message)),
        }
    }

    /// Shows the next piece of the output.
    pub fn show(&mut self, item: &OutputItem) -> Result<()> {
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

    /// Shows the part of the whole output that the stream did not bring. If the stream brought another
    /// text, shows the whole again.
    pub fn complete(&mut self, known: &KnownOutput) -> Result<()> {
        let whole = known.bytes()?.unwrap_or_else(|| self.bytes.clone());
        match whole.strip_prefix(self.bytes.as_slice()) {
            Some(rest) => self.append(rest)?,
            None => {
                self.break_line()?;
                if self.show {
                    out::note(if known.is_proven() {
                        "The operator did not commit to the text above, but to this one:"
                    } else {
                        "The node now returns another text than the one above, and proves neither:"
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

    /// Ends the line of text, if one is open.
    pub fn break_line(&mut self) -> Result<()> {
        let last = self.pieces.finish();
        self.write(last)?;
        if std::mem::take(&mut self.open_line) {
            out::line("")?;
        }
        Ok(())
    }
}
