// SPDX-License-Identifier: Apache-2.0
//! The threads that gather payloads and run work.

use super::{gather, key::Kind, run};
use crate::{
    context::Context,
    engine::load::JOBS,
    guard::{guarded, unwind_on_panic},
    LOG_TARGET,
};
use assay_engine::EngineError;
use std::{sync::Arc, thread::JoinHandle};

/// The number of threads that gather payloads of each kind of work, and so of fetches that may be slow
/// before other work of that kind waits.
const GATHERERS: usize = 4;

/// The threads of a worker, which end once its queue is closed.
pub struct WorkThreads(Vec<JoinHandle<()>>);

impl WorkThreads {
    /// Starts the threads.
    pub fn start(context: &Arc<Context>) -> Result<Self, EngineError> {
        let mut threads = Self(Vec::new());
        for kind in [Kind::Prepare, Kind::Generate, Kind::Verify] {
            for n in 0..GATHERERS {
                let name = format!("assay-gather-{}-{n}", kind.label());
                threads.spawn(context, name, move |context| gather::run(context, kind))?;
            }
        }
        for kind in [Kind::Generate, Kind::Verify] {
            for n in 0..JOBS {
                let name = format!("assay-{}-{n}", kind.label());
                threads.spawn(context, name, move |context| run::run(context, kind))?;
            }
        }
        Ok(threads)
    }

    fn spawn(
        &mut self,
        context: &Arc<Context>,
        name: String,
        body: impl Fn(Arc<Context>) + Send + 'static,
    ) -> Result<(), EngineError> {
        let context = context.clone();
        let no_thread = |source| EngineError::Io { path: "a thread of the worker".into(), source };
        let thread = std::thread::Builder::new().name(name);
        let run = move || {
            unwind_on_panic();
            // Panics of work are caught where it runs. After any other the thread goes on as well.
            while let Err(message) = guarded(|| body(context.clone())) {
                log::error!(target: LOG_TARGET, "a thread of the worker panicked: {message}");
            }
        };
        self.0.push(thread.spawn(run).map_err(no_thread)?);
        Ok(())
    }

    /// Waits until all threads have ended.
    pub fn join(&mut self) {
        for thread in self.0.drain(..) {
            // Its panics are caught and logged.
            let _ = thread.join();
        }
    }
}
