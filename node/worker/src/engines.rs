// SPDX-License-Identifier: Apache-2.0
//! The engine: one server for each model, all of them on the same threads.

use crate::{cores::Cores, promises::Capacity, worker::LOG_TARGET};
use assay_engine::{
    serve::{Server, ServerConfig},
    EngineError, Gate, Model, Threads,
};
use assay_primitives::ModelId;
use sp_core::H256;
use std::{collections::BTreeMap, sync::Arc};

/// Jobs of a model and a kind that run at the same time: rows of all of them share a pass over the
/// weights.
pub const JOBS: usize = 8;

/// What runs the models.
pub struct Engines {
    servers: BTreeMap<ModelId, Server>,
    /// The threads of all of them.
    pub threads: Arc<Threads>,
}

impl Engines {
    /// Starts them, with threads that only take idle cores and pass the gate, and `memory_bytes` of
    /// key-value cache for each model, half of it for generations and half for verifications.
    pub fn start(
        models: Vec<Model>,
        threads: usize,
        gate: Arc<Gate>,
        memory_bytes: u64,
    ) -> Result<Self, EngineError> {
        in_the_background(threads, move || {
            let threads = Arc::new(Threads::behind(gate, threads));
            let config = ServerConfig {
                cache_bytes: memory_bytes,
                jobs: 2 * JOBS,
                halves: true,
                ..ServerConfig::default()
            };
            let start = |model: Model| {
                let id = H256(model.root());
                Ok((id, Server::start(Arc::new(model), threads.clone(), config)?))
            };
            let servers = models.into_iter().map(start).collect::<Result<_, EngineError>>()?;
            Ok(Self { servers, threads })
        })
    }

    /// Measures the speed of a model anew, as its jobs would find it.
    pub fn calibrate(&self, server: &Server) -> Result<(), EngineError> {
        in_the_background(self.threads.count(), || server.calibrate())
    }

    /// What the server of a model can do.
    pub fn capacity(&self, model: &ModelId) -> Option<Capacity> {
        let server = self.server(model)?;
        Some(Capacity { speed: server.speed(), pages: server.share_pages() })
    }

    /// The server of a model.
    pub fn server(&self, model: &ModelId) -> Option<&Server> {
        self.servers.get(model)
    }

    /// A model.
    pub fn model(&self, id: &ModelId) -> Option<&Model> {
        self.servers.get(id).map(|server| &**server.model())
    }

    /// All models, by id.
    pub fn models(&self) -> impl Iterator<Item = (&ModelId, &Model)> {
        self.servers.iter().map(|(id, server)| (id, &**server.model()))
    }
}

/// Runs on a thread of the engine's priority and cores, which those that it starts inherit.
fn in_the_background<T: Send>(
    threads: usize,
    run: impl FnOnce() -> Result<T, EngineError> + Send,
) -> Result<T, EngineError> {
    let no_thread = |source| EngineError::Io { path: "a thread of the engine".into(), source };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("assay-engine-start".into());
        let running = thread.spawn_scoped(scope, || {
            lower_priority();
            if let Some(cores) = Cores::share_out(threads) {
                cores.keep_to_engine();
            }
            run()
        });
        match running.map_err(no_thread)?.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Blocks are imported and made before a token is computed: whatever else wants the core has it at once,
/// and the scheduler looks on a core where only the engine runs as on an idle one.
#[cfg(target_os = "linux")]
fn lower_priority() {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the pointer is to parameters of this policy; 0 means the calling thread.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &parameters) };
    if result != 0 {
        let error = std::io::Error::last_os_error();
        log::warn!(target: LOG_TARGET, "the engine's threads keep their priority: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// The scheduling policy of the calling thread.
    fn policy() -> i32 {
        // SAFETY: the call only reads; 0 means the caller.
        unsafe { libc::sched_getscheduler(0) }
    }

    #[test]
    fn background_takes_idle_cores_and_so_do_the_threads_that_it_starts() {
        let before = policy();
        let policies = in_the_background(1, || {
            let inner = std::thread::spawn(policy).join();
            Ok((policy(), inner.ok()))
        });
        assert_eq!(policies.ok(), Some((libc::SCHED_IDLE, Some(libc::SCHED_IDLE))));
        assert_eq!(policy(), before, "the caller keeps its own");
    }
}
