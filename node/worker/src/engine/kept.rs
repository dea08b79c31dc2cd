// SPDX-License-Identifier: Apache-2.0
//! A server of a model that is started again when it dies.

use crate::{
    guard::{guarded, unwind_on_panic},
    metrics::Metrics,
    LOG_TARGET,
};
use assay_engine::{
    serve::{Server, ServerConfig},
    EngineError, Model, Threads,
};
use parking_lot::{Condvar, Mutex};
use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// The pause before the second start in a row. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The time after which a server counts as sound, so that its death is the first in a row.
const SOUND: Duration = Duration::from_secs(60);

/// A server of a model that is started again when it dies.
pub struct Kept {
    /// The model.
    pub model: Arc<Model>,
    threads: Arc<Threads>,
    config: ServerConfig,
    metrics: Option<Metrics>,
    state: Mutex<State>,
    closed: Condvar,
}

struct State {
    /// The server; `None` while it is started again.
    server: Option<Arc<Server>>,
    /// Whether the node ends.
    closed: bool,
}

impl Kept {
    /// Starts a server, and a thread that keeps it running. Both have the priority and the cores of
    /// the calling thread.
    pub fn start(
        model: Model,
        threads: Arc<Threads>,
        config: ServerConfig,
        metrics: Option<Metrics>,
    ) -> Result<(Arc<Self>, JoinHandle<()>), EngineError> {
        let model = Arc::new(model);
        let server = Arc::new(Server::start(model.clone(), threads.clone(), config)?);
        let state = Mutex::new(State { server: Some(server), closed: false });
        let kept =
            Arc::new(Self { model, threads, config, metrics, state, closed: Condvar::new() });
        let keeping = kept.clone();
        let keep = move || {
            unwind_on_panic();
            keeping.keep();
        };
        let no_thread = |source| EngineError::Io { path: "a thread of the engine".into(), source };
        let thread = std::thread::Builder::new().name("assay-engine-keeper".into());
        Ok((kept, thread.spawn(keep).map_err(no_thread)?))
    }

    /// Returns the server, unless it has died and is not yet started again.
    pub fn server(&self) -> Option<Arc<Server>> {
        self.state.lock().server.clone().filter(|server| !server.is_closed())
    }

    /// Ends the server for good.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        if let Some(server) = &state.server {
            server.close();
        }
        self.closed.notify_all();
    }

    /// Starts the server again whenever it dies, until it is closed.
    fn keep(&self) {
        let mut pause = Duration::ZERO;
        loop {
            let Some(server) = self.state.lock().server.clone() else { return };
            let begun = Instant::now();
            let panic = server.wait();
            drop(server);
            self.state.lock().server = None;
            if begun.elapsed() > SOUND {
                pause = Duration::ZERO;
            }
            let cause = panic.as_deref().unwrap_or("it was closed");
            if !self.pause(pause, cause) {
                return;
            }
            while let Err(cause) = self.start_again() {
                pause = longer(pause);
                if !self.pause(pause, &cause) {
                    return;
                }
            }
            pause = longer(pause);
        }
    }

    /// Says why there is no server and waits. Returns `false` if the node ends.
    fn pause(&self, pause: Duration, cause: &str) -> bool {
        let mut state = self.state.lock();
        if !state.closed {
            log::error!(
                target: LOG_TARGET,
                "the engine's server of model '{}' has ended and is started again in {pause:?}: \
                 {cause}",
                self.model.info().name,
            );
            self.closed.wait_for(&mut state, pause);
        }
        !state.closed
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// Returns why it does not start.
    fn start_again(&self) -> Result<(), String> {
        let (model, threads) = (self.model.clone(), self.threads.clone());
        let started = guarded(|| Server::start(model, threads, self.config))?;
        let server = Arc::new(started.map_err(|error| error.to_string())?);
        let mut state = self.state.lock();
        if state.closed {
            server.close();
        }
        state.server = Some(server);
        drop(state);
        log::info!(
            target: LOG_TARGET,
            "the engine's server of model '{}' runs again",
            self.model.info().name,
        );
        if let Some(metrics) = &self.metrics {
            metrics.restarted();
        }
        Ok(())
    }
}

/// Returns the pause after that pause.
fn longer(pause: Duration) -> Duration {
    (2 * pause).clamp(FIRST_PAUSE, LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let seconds = |pause: Duration| pause.as_secs();
        let pauses = std::iter::successors(Some(Duration::ZERO), |pause| Some(longer(*pause)));
        let pauses: Vec<u64> = pauses.take(9).map(seconds).collect();
        assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
    }
}
