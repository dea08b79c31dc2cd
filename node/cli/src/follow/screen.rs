// SPDX-License-Identifier: Apache-2.0
//! The screen while a job is watched: first progress, then the text as it arrives.

use crate::{out, progress::Progress, standing::Standing, utf8::Utf8Pieces, view};
use anyhow::Result;
use assay_engine::{StopStrings, Stops};
use assay_primitives::JobState;
use assay_rpc::OutputItem;
use assay_runtime::AccountId;

/// The note above text that no committee has accepted.
const UNVERIFIED: &str = "Unverified text of the operator:";

/// The screen while a job is watched.
pub struct Screen {
    show: bool,
    progress: Option<Progress>,
    pieces: Utf8Pieces,
    stops: StopStrings,
    /// Holds back what may be the beginning of a stop string.
    filter: Stops,
    /// The number of tokens received so far.
    tokens: u32,
    /// The bytes received so far, with those that are not shown.
    bytes: Vec<u8>,
    finished: bool,
    open_line: bool,
    /// The note to write above the first text.
    label: Option<&'static str>,
}

impl Screen {
    /// Returns an empty screen, which shows text up to one of the stop strings, and only if told to `show` it.
    pub fn new(show: bool, stops: &StopStrings) -> Self {
        Self {
            show,
            progress: None,
            pieces: Utf8Pieces::default(),
            stops: stops.clone(),
            filter: Stops::new(stops),
            tokens: 0,
            bytes: Vec::new(),
            finished: false,
            open_line: false,
            label: Some(UNVERIFIED),
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
        self.tokens = self.tokens.saturating_add(u32::try_from(item.tokens.len())?);
        self.finished = item.finish.is_some();
        self.append(&item.bytes)?;
        if self.finished {
            self.show_held()?;
            self.break_line()?;
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        let shown = self.filter.push(bytes);
        let text = self.pieces.push(&shown);
        self.write(&text)
    }

    /// Shows the text that was held back, because the output has ended.
    fn show_held(&mut self) -> Result<()> {
        let held = self.filter.finish();
        let text = self.pieces.push(&held);
        self.write(&text)
    }

    fn write(&mut self, text: &str) -> Result<()> {
        if !self.show || text.is_empty() {
            return Ok(());
        }
        self.progress = None;
        if let Some(label) = self.label.take() {
            out::note(label);
        }
        self.open_line = true;
        Ok(out::part(text)?)
    }

    /// Writes a note. On a terminal the text goes on below it; elsewhere nothing comes between the text.
    pub fn note(&mut self, text: &str) -> Result<()> {
        self.progress = None;
        if self.open_line && out::is_terminal() {
            out::line("")?;
        }
        out::note(text);
        Ok(())
    }

    /// Shows the part of the whole output that the stream did not bring. If the stream brought another
    /// text, shows the whole again.
    pub fn complete(&mut self, whole: Option<Vec<u8>>, standing: Standing) -> Result<()> {
        if standing.is_verified() {
            self.label = None;
        }
        let whole = whole.unwrap_or_else(|| self.bytes.clone());
        match whole.strip_prefix(self.bytes.as_slice()) {
            Some(rest) => self.append(rest)?,
            None => {
                self.break_line()?;
                if self.show {
                    out::note(if standing == Standing::Withheld {
                        "The node now returns another text than the one above, and the operator \
                         committed to neither:"
                    } else {
                        "The operator did not commit to the text above, but to this one:"
                    });
                }
                self.bytes.clear();
                self.filter = Stops::new(&self.stops);
                self.append(&whole)?;
            }
        }
        self.show_held()?;
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
