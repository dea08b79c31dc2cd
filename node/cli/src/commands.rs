// SPDX-License-Identifier: Apache-2.0
//! The commands, one file for each noun.

mod address;
mod after;
mod audit;
mod challenge;
mod chat;
mod claim;
mod config;
mod delegate;
mod fetch;
mod job;
mod key;
mod model;
mod node;
mod operator;
mod run;
mod shell;
mod transfer;

use crate::{
    args::{Cli, Command},
    exit::Exit,
    session::Session,
};
use anyhow::Result;

/// Runs the command that the arguments name.
pub async fn dispatch(cli: Cli) -> Result<Exit> {
    let global = cli.global;
    match cli.command {
        Command::Run(args) => run::run(&Session::open(&global).await?, &args).await,
        Command::Chat(args) => chat::chat(&Session::open(&global).await?, &args).await,
        Command::Job(command) => job::dispatch(&Session::open(&global).await?, command).await,
        Command::Operator(command) => {
            operator::dispatch(&Session::open(&global).await?, command).await
        }
        Command::Transfer { to, amount } => {
            transfer::transfer(&Session::open(&global).await?, &to, amount).await
        }
        Command::Address(command) => {
            address::dispatch(&Session::open(&global).await?, command).await
        }
        Command::Delegate(command) => {
            delegate::dispatch(&Session::open(&global).await?, command).await
        }
        Command::Claim => claim::claim(&Session::open(&global).await?).await,
        Command::Config(command) => config::dispatch(&global, command),
        Command::Key(command) => key::dispatch(&global, command),
        Command::Model(command) => model::dispatch(&command, global.json),
        Command::Node(command) => node::dispatch(&global, command).await,
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { dir } => shell::man(dir.as_deref()),
    }
}
