// SPDX-License-Identifier: Apache-2.0
//! The servers of the models: one for each model, all of them on the same threads.

use super::{
    background::in_the_background,
    kept::Kept,
    load::{Capacity, JOBS},
};
use crate::{
    guard::unwind_on_panic,
    metrics::{engine::ServerSample, Metrics},
};
use assay_engine::{
    serve::{Server, ServerConfig},
    EngineError, Gate, Model, Threads,
};
use assay_primitives::ModelId;
use sp_core::H256;
use std::{collections::BTreeMap, sync::Arc, thread::JoinHandle};

/// The servers of all models.
pub struct Servers {
    by_model: BTreeMap<ModelId, Arc<Kept>>,
    /// The threads that start a server again when it dies.
    keepers: Vec<JoinHandle<()>>,
    /// The threads that all servers share.
    pub threads: Arc<Threads>,
}

impl Servers {
    /// Starts a server for each model.
    ///
    /// The threads only take idle cores and pass the gate. Each model has `memory_bytes` of key-value
    /// cache, half of it for generations and half for verifications.
    pub fn start(
        models: Vec<Model>,
        threads: usize,
        gate: Arc<Gate>,
        memory_bytes: u64,
        metrics: Option<Metrics>,
    ) -> Result<Self, EngineError> {
        in_the_background(threads, move || {
            let threads = Arc::new(Threads::start(gate, threads, unwind_on_panic));
            let config = ServerConfig {
                cache_bytes: memory_bytes,
                jobs: 2 * JOBS,
                halves: true,
                ..ServerConfig::default()
            };
            let (by_model, keepers) = Default::default();
            let mut servers = Self { by_model, keepers, threads };
            for model in models {
                let id = H256(model.root());
                let threads = servers.threads.clone();
                let (kept, keeper) = Kept::start(model, threads, config, metrics.clone())?;
                servers.by_model.insert(id, kept);
                servers.keepers.push(keeper);
            }
            Ok(servers)
        })
    }

    /// Measures the speed of a model anew, under the conditions of its jobs.
    pub fn calibrate(&self, server: &Server) -> Result<(), EngineError> {
        in_the_background(self.threads.count(), || server.calibrate())
    }

    /// Returns the speed and the cache of a model's server.
    pub fn capacity(&self, model: &ModelId) -> Option<Capacity> {
        let server = self.server(model)?;
        Some(Capacity { speed: server.speed(), pages: server.share_pages() })
    }

    /// Returns the counts and the speed of each server that runs.
    pub fn samples(&self) -> Vec<ServerSample> {
        let sample = |(model, kept): (&ModelId, &Arc<Kept>)| {
            let server = kept.server()?;
            Some(ServerSample { model: *model, metrics: server.metrics(), speed: server.speed() })
        };
        self.by_model.iter().filter_map(sample).collect()
    }

    /// Returns the server of a model, unless the server has died and is not yet started again.
    pub fn server(&self, model: &ModelId) -> Option<Arc<Server>> {
        self.by_model.get(model)?.server()
    }

    /// Returns a model.
    pub fn model(&self, id: &ModelId) -> Option<&Model> {
        self.by_model.get(id).map(|kept| &*kept.model)
    }

    /// Returns all models in the order of their ids.
    pub fn models(&self) -> impl Iterator<Item = (&ModelId, &Model)> {
        self.by_model.iter().map(|(id, kept)| (id, &*kept.model))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for kept in self.by_model.values() {
            kept.close();
        }
        for keeper in self.keepers.drain(..) {
            // A keeper that panicked has logged it.
            let _ = keeper.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    const LONG: Duration = Duration::from_secs(3_600);

    fn until(what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(60), "not in a minute: {what}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn server_that_dies_is_started_again_and_missing_meanwhile() {
        let (model, gate) = (Model::tiny().unwrap(), Arc::<Gate>::default());
        let id = H256(model.root());
        let servers = Servers::start(vec![model], 1, gate.clone(), 1 << 24, None).unwrap();
        let first = servers.server(&id).unwrap();
        // The measurement of the next server waits at the gate.
        gate.close(LONG);
        first.close();
        assert!(servers.server(&id).is_none() && servers.capacity(&id).is_none());
        assert!(servers.model(&id).is_some());
        gate.open();
        until("a server runs again", || servers.server(&id).is_some());
        assert!(!Arc::ptr_eq(&first, &servers.server(&id).unwrap()));
    }

    #[test]
    fn servers_end_while_one_is_started_again() {
        let (model, gate) = (Model::tiny().unwrap(), Arc::<Gate>::default());
        let id = H256(model.root());
        let servers = Servers::start(vec![model], 1, gate, 1 << 24, None).unwrap();
        servers.server(&id).unwrap().close();
        drop(servers);
    }
}
