// SPDX-License-Identifier: Apache-2.0
//! Opens the models that the command line names.

use crate::cli::EngineArgs;
use anyhow::Context;
use assay_engine::Model;
use assay_worker::Fault;

/// The engine as the node is told to run it.
pub struct EngineConfig {
    /// The models; none where the node has no engine.
    pub models: Vec<Model>,
    /// Threads of a job.
    pub threads: usize,
    /// Bytes of a job, beside the model.
    pub memory_bytes: u64,
    /// How it cheats.
    pub fault: Option<Fault>,
}

/// Opens the models, if the node is to have an engine.
pub fn load(args: &EngineArgs, dev: bool) -> anyhow::Result<EngineConfig> {
    let mut models = Vec::new();
    for path in &args.model {
        let model = Model::open(path)
            .with_context(|| format!("the model {} cannot be served", path.display()))?;
        models.push(model);
    }
    if models.is_empty() && (args.engine || dev) && !args.no_engine {
        models.push(Model::tiny().context("the built-in model is damaged")?);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(EngineConfig {
        models,
        threads: args.engine_threads.map_or((cores - 1).max(1), usize::from),
        memory_bytes: u64::from(args.engine_memory) << 20,
        fault: args.dev_fault,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_model_is_the_one_in_the_presets() {
        let model = Model::tiny().unwrap();
        assert_eq!(model.root(), assay_runtime::presets::TINY_MODEL.0);
        assert_eq!(model.info().context_length, assay_runtime::presets::TINY_CONTEXT);
    }
}
