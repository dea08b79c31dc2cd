// SPDX-License-Identifier: Apache-2.0
//! Following a job to its end, with its text as it arrives.

mod ended;
mod presence;
mod screen;
mod watch;

pub use ended::{Ended, Facts};
pub use presence::unknown;

use crate::{exit::Exit, fault::OfJob, out, session::Session};
use anyhow::{Context, Result};
use assay_engine::{Model, StopStrings};
use assay_primitives::JobId;
use screen::Screen;
use serde_json::json;
use tokio::signal::unix::{signal, Signal, SignalKind};
use watch::Watch;

/// Starts to listen for Ctrl-C; until this call it ends the process.
pub fn interrupts() -> Result<Signal> {
    signal(SignalKind::interrupt()).context("cannot listen for interrupts")
}

/// Watches a job that is on the chain to its end, and compares its text by the model, if one is open. The text
/// is shown up to the first of the stop strings. Returns `None` when interrupted; the job goes on. Every error
/// names the job.
pub async fn to_the_end(
    session: &Session,
    job: &JobId,
    (model, stops): (Option<&Model>, &StopStrings),
    interrupts: &mut Signal,
) -> Result<Option<Ended>> {
    let mut watch = Watch::new(&session.chain, *job, Screen::new(!session.json, stops));
    let mut ended = tokio::select! {
        ended = watch.run() => ended.context(OfJob(*job))?,
        _ = interrupts.recv() => {
            watch.screen.break_line()?;
            return Ok(None);
        }
    };
    if let Some(model) = model {
        ended.known.compare(model);
    }
    ended.known = ended.known.stopping(stops);
    Ok(Some(ended))
}

/// Leaves a job to run after an interrupt, or none if no job may exist.
pub fn detach(session: &Session, job: Option<JobId>, note: &str) -> Result<Exit> {
    out::note(note);
    if session.json {
        out::object(&json!({ "job": job, "detached": job.is_some() }))?;
    }
    Ok(Exit::Detached)
}
