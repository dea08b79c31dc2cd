// SPDX-License-Identifier: Apache-2.0
//! The arguments of the command, one file for each noun, and types for the values that need parsing.

mod address;
mod chat;
mod check;
mod choice;
mod cli;
mod config;
mod conversation;
mod delegate;
mod fixed;
mod id;
mod job;
mod key;
mod model;
mod multiaddress;
mod node;
mod offer;
mod offer_limits;
mod operator;
mod order;
mod percent;
mod prices;
mod run;
mod sampling;

pub use address::AddressCommand;
pub use chat::{ChatArgs, TemplateArgument, ToolArgument};
pub use check::CheckArgs;
pub use cli::{Cli, Command, Global};
pub use config::{ConfigCommand, ConfigKey};
pub use conversation::ConversationArgs;
pub use delegate::DelegateCommand;
pub use id::id;
pub use job::JobCommand;
pub use key::KeyCommand;
pub use model::{FetchArgs, ModelCommand};
pub use multiaddress::MultiaddressArg;
pub use node::NodeCommand;
pub use offer::OfferArg;
pub use offer_limits::OfferLimits;
pub use operator::OperatorCommand;
pub use order::{OrderArgs, VerificationArg};
pub use percent::Percent;
pub use run::RunArgs;
pub use sampling::{Fixed, SamplingArgs};
