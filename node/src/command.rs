// SPDX-License-Identifier: Apache-2.0
//! Runs the command that the command line names.

use crate::{
    chain_spec,
    cli::{Cli, Subcommand},
    client::FullClient,
    failure, models, ports, service,
};
use assay_runtime::opaque::Block;
use sc_cli::SubstrateCli;
use sc_network::config::NetworkBackendType;
use sc_service::{BasePath, ChainType, PartialComponents};
use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "Assay Node".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
    }

    fn description() -> String {
        env!("CARGO_PKG_DESCRIPTION").into()
    }

    fn author() -> String {
        "The Assay developers".into()
    }

    fn support_url() -> String {
        "the issues of this repository".into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
        // The operators of a development chain serve the models that their node has loaded.
        let spec = if self.run.shared_params.dev && !self.engine.model.is_empty() {
            chain_spec::development(models::open(self)?)?
        } else {
            chain_spec::load(id)?
        };
        Ok(Box::new(spec))
    }
}

/// Parses the command line, runs the command, and says why if it fails.
pub fn run() -> ExitCode {
    let cli = Cli::from_args();
    let base = base_path(&cli);
    let result = match &cli.subcommand {
        Some(subcommand) => run_subcommand(&cli, subcommand),
        None => run_node(cli),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let sentence = failure::sentence(&error, base.as_deref());
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "Error: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the base path of a node that keeps its chain.
fn base_path(cli: &Cli) -> Option<PathBuf> {
    let shared = &cli.run.shared_params;
    match &shared.base_path {
        Some(named) => Some(named.clone()),
        None if cli.run.tmp || shared.is_dev() || cli.subcommand.is_some() => None,
        None => Some(BasePath::from_project("", "", &Cli::executable_name()).path().into()),
    }
}

fn run_node(mut cli: Cli) -> sc_cli::Result<()> {
    let runner = cli.create_runner(&cli.run)?;
    let chain = runner.config().chain_spec.chain_type();
    if let Some(fault) = &cli.engine.dev_fault {
        if chain != ChainType::Development {
            return Err(sc_cli::Error::Input(format!(
                "--dev-fault {fault} is refused on the chain '{}' of type {chain:?}, because only \
                 chains of type Development may have operators that cheat or fail; leave the \
                 option out, or use --dev",
                runner.config().chain_spec.name(),
            )));
        }
    }
    ports::ensure_free(runner.config()).map_err(|error| sc_cli::Error::Input(error.to_string()))?;
    // Models are loaded before anything starts, so that a bad file is the only error.
    let engine = models::load(&mut cli).map_err(sc_cli::Error::Input)?;
    let disk_reserve = u64::from(cli.db_storage_threshold) << 20;
    runner.run_node_until_exit(|config| async move {
        match config.network.network_backend {
            NetworkBackendType::Libp2p => service::new_full::<
                sc_network::NetworkWorker<Block, assay_runtime::Hash>,
            >(config, engine, disk_reserve),
            NetworkBackendType::Litep2p => {
                service::new_full::<sc_network::Litep2pNetworkBackend>(config, engine, disk_reserve)
            }
        }
        .map_err(sc_cli::Error::Service)
    })
}

fn run_subcommand(cli: &Cli, subcommand: &Subcommand) -> sc_cli::Result<()> {
    match subcommand {
        Subcommand::Key(cmd) => cmd.run(cli),
        Subcommand::ExportChainSpec(cmd) => {
            let spec = cli.load_spec(&cmd.chain)?;
            cmd.run(spec)
        }
        Subcommand::CheckBlock(cmd) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, import_queue, .. } =
                service::new_partial(&config)?;
            Ok((cmd.run(client, import_queue), task_manager))
        }),
        Subcommand::ExportBlocks(cmd) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, .. } = service::new_partial(&config)?;
            Ok((cmd.run(client, config.database), task_manager))
        }),
        Subcommand::ExportState(cmd) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, .. } = service::new_partial(&config)?;
            Ok((cmd.run(client, config.chain_spec), task_manager))
        }),
        Subcommand::ImportBlocks(cmd) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, import_queue, .. } =
                service::new_partial(&config)?;
            Ok((cmd.run(client, import_queue), task_manager))
        }),
        Subcommand::PurgeChain(cmd) => {
            cli.create_runner(cmd)?.sync_run(|config| cmd.run(config.database))
        }
        Subcommand::Revert(cmd) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, backend, .. } =
                service::new_partial(&config)?;
            let revert = Box::new(|client: Arc<FullClient>, backend, blocks| {
                sc_consensus_babe::revert(client.clone(), backend, blocks)?;
                sc_consensus_grandpa::revert(client, blocks)?;
                Ok(())
            });
            Ok((cmd.run(client, backend, Some(revert)), task_manager))
        }),
        Subcommand::ChainInfo(cmd) => {
            cli.create_runner(cmd)?.sync_run(|config| cmd.run::<Block>(&config))
        }
    }
}
