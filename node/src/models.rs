// SPDX-License-Identifier: Apache-2.0
//! Opens the models that the command line names.

use crate::cli::Cli;
use assay_engine::Model;
use assay_worker::Fault;
use std::path::PathBuf;

/// The remedy for a path that is not there, which may be the name of a model.
const ADVICE: &str = "; `assay model fetch NAME` downloads a model and says where its file is";

/// The engine that the node is configured to run.
pub struct EngineConfig {
    /// The models; empty on a node without an engine.
    pub models: Vec<Model>,
    /// The number of threads that all jobs share.
    pub threads: usize,
    /// The bytes of each model's cache.
    pub memory_bytes: u64,
    /// The way in which the operator cheats.
    pub fault: Option<Fault>,
    /// The file of the worker's secret, if the command line names one.
    pub secret: Option<PathBuf>,
}

/// Opens the models that the command line names, once.
pub fn open(cli: &Cli) -> Result<&[Model], String> {
    if let Some(models) = cli.models.get() {
        return Ok(models);
    }
    let open = |path: &PathBuf| {
        Model::open(path).map_err(|error| {
            let advice = if path.exists() { "" } else { ADVICE };
            format!("the model {} cannot be served: {error}{advice}", path.display())
        })
    };
    let models = cli.engine.model.iter().map(open).collect::<Result<_, _>>()?;
    Ok(cli.models.get_or_init(|| models))
}

/// Returns the settings of the engine and takes the opened models from the command line.
///
/// A node that is to have an engine and names no model gets the built-in one.
pub fn load(cli: &mut Cli) -> Result<EngineConfig, String> {
    open(cli)?;
    let mut models = cli.models.take().unwrap_or_default();
    let args = &cli.engine;
    if models.is_empty() && (args.engine || cli.run.shared_params.dev) && !args.no_engine {
        models.push(
            Model::tiny()
                .map_err(|error| format!("the built-in model cannot be loaded: {error}"))?,
        );
    }
    for model in &models {
        if let Some(warning) = model.warning() {
            log::warn!("the model {}: {warning}", model.info().name);
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(EngineConfig {
        models,
        threads: args.engine_threads.map_or((cores - 1).max(1), usize::from),
        memory_bytes: u64::from(args.engine_memory) << 20,
        fault: args.dev_fault.clone(),
        secret: args.worker_secret.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn path_that_is_not_there_may_be_the_name_of_a_model() {
        let cli = Cli::parse_from(["assay-node", "--model", "smollm2-135m"]);
        let error = open(&cli).err().unwrap();
        assert!(error.contains("the model smollm2-135m cannot be served"), "{error}");
        assert!(error.contains("assay model fetch"), "{error}");
    }

    #[test]
    fn built_in_model_is_the_one_in_the_presets() {
        let model = Model::tiny().unwrap();
        assert_eq!(model.root(), assay_runtime::presets::TINY_MODEL.0);
        assert_eq!(model.info().context_length, assay_runtime::presets::TINY_CONTEXT);
    }
}
