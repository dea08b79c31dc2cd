// SPDX-License-Identifier: Apache-2.0
//! The state of the worker as its operator sees it.

use crate::context::Context;
use assay_engine::Model;
use assay_primitives::ModelId;
use assay_rpc::{ModelStatus, WorkerStatus};

/// Returns the state of the worker.
pub fn status(context: &Context) -> WorkerStatus {
    WorkerStatus {
        models: context.servers.models().map(|(id, model)| model_status(id, model)).collect(),
        waiting: context.queue.waiting() as u64,
        open: context.queue.open().len() as u64,
        results: context.store.results.len() as u64,
        threads: context.threads as u64,
        fault: context.fault.as_ref().map(ToString::to_string),
    }
}

fn model_status(id: &ModelId, model: &Model) -> ModelStatus {
    let info = model.info();
    ModelStatus {
        id: *id,
        name: info.name.clone(),
        architecture: info.architecture.clone(),
        quantisation: info.quantisation.clone(),
        parameters: info.parameters,
        context: info.context_length,
        vocabulary: info.vocab_size,
        file_bytes: info.file_bytes,
    }
}
