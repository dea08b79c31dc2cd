// SPDX-License-Identifier: Apache-2.0
//! Following a job to its end, with its text as it arrives.

mod ended;
mod presence;
mod screen;
mod watch;

pub use ended::Ended;
pub use presence::unknown;

use crate::{fault::OfJob, session::Session};
use anyhow::{Context, Result};
use assay_primitives::JobId;
use presence::Presence;
use screen::Screen;
use tokio::signal::unix::{signal, Signal, SignalKind};
use watch::Watch;

/// Starts to listen for Ctrl-C; until this call it ends the process.
pub fn interrupts() -> Result<Signal> {
    signal(SignalKind::interrupt()).context("cannot listen for interrupts")
}

/// Watches a job to its end. The job is `there` for certain, or it may be unknown. Returns `None` when
/// interrupted; the job goes on. Every error names the job.
pub async fn to_the_end(
    session: &Session,
    job: &JobId,
    there: bool,
    interrupts: &mut Signal,
) -> Result<Option<Ended>> {
    let screen = Screen::new(!session.json);
    let mut watch = Watch::new(&session.chain, *job, Presence::new(there), screen);
    tokio::select! {
        ended = watch.run() => ended.map(Some).context(OfJob(*job)),
        _ = interrupts.recv() => {
            watch.screen.break_line()?;
            Ok(None)
        }
    }
}
