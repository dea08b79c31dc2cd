// SPDX-License-Identifier: Apache-2.0
//! The arguments of the command, one file for each noun, and types for the values that need parsing.

mod address;
mod cli;
mod delegate;
mod id;
mod job;
mod key;
mod model;
mod multiaddress;
mod node;
mod offer;
mod operator;
mod percent;
mod run;
mod sampling;

pub use address::AddressCommand;
pub use cli::{Cli, Command, Global};
pub use delegate::DelegateCommand;
pub use id::id;
pub use job::JobCommand;
pub use key::KeyCommand;
pub use model::ModelCommand;
pub use multiaddress::MultiaddressArg;
pub use node::NodeCommand;
pub use offer::OfferArg;
pub use operator::OperatorCommand;
pub use percent::Percent;
pub use run::RunArgs;
pub use sampling::{Fixed, SamplingArgs};
