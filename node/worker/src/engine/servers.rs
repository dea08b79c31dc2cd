// SPDX-License-Identifier: Apache-2.0
//! The servers of the models: one for each model, all of them on the same threads.

use super::{
    background::in_the_background,
    load::{Capacity, JOBS},
};
use crate::metrics::engine::ServerSample;
use assay_engine::{
    serve::{Server, ServerConfig},
    EngineError, Gate, Model, Threads,
};
use assay_primitives::ModelId;
use sp_core::H256;
use std::{collections::BTreeMap, sync::Arc};

/// The servers of all models.
pub struct Servers {
    by_model: BTreeMap<ModelId, Server>,
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
            let by_model = models.into_iter().map(start).collect::<Result<_, EngineError>>()?;
            Ok(Self { by_model, threads })
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

    /// Returns the counts and the speed of each server.
    pub fn samples(&self) -> Vec<ServerSample> {
        let sample = |(model, server): (&ModelId, &Server)| ServerSample {
            model: *model,
            metrics: server.metrics(),
            speed: server.speed(),
        };
        self.by_model.iter().map(sample).collect()
    }

    /// Returns the server of a model.
    pub fn server(&self, model: &ModelId) -> Option<&Server> {
        self.by_model.get(model)
    }

    /// Returns a model.
    pub fn model(&self, id: &ModelId) -> Option<&Model> {
        self.by_model.get(id).map(|server| &**server.model())
    }

    /// Returns all models in the order of their ids.
    pub fn models(&self) -> impl Iterator<Item = (&ModelId, &Model)> {
        self.by_model.iter().map(|(id, server)| (id, &**server.model()))
    }
}
