// SPDX-License-Identifier: Apache-2.0
//! The arguments of `assay chat`.

use super::order::OrderArgs;
use clap::{builder::Resettable, Args};

/// `assay chat`. It takes the options of `assay run --chat`.
#[derive(Args, Debug, Clone)]
#[command(
    mut_arg("prompt", |arg| arg.required(false).default_value("").hide(true)),
    mut_arg("chat", |arg| arg.hide(true)),
    mut_arg("input_tokens", |arg| arg.hide(true)),
    mut_arg("system", |arg| arg.requires(Resettable::Reset)),
    mut_arg("arguments", |arg| arg.requires(Resettable::Reset)),
    mut_arg("tools", |arg| arg.requires(Resettable::Reset)),
    mut_arg("max_cost", |arg| arg.help("Refuse an answer that would put more than this on hold"))
)]
pub struct ConversationArgs {
    /// The order of each answer.
    #[command(flatten)]
    pub order: OrderArgs,
    /// Exit with 0 also if answers were paid without an audit.
    #[arg(long)]
    pub accept_unaudited: bool,
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use clap::Parser;

    #[test]
    fn conversation_needs_neither_a_prompt_nor_the_option_of_a_chat() {
        let parse = |options: &[&str]| Cli::try_parse_from([&["assay", "chat"], options].concat());
        let options = ["--system", "Be brief.", "--template-arg", "a=1", "--tool", "{}", "-n", "9"];
        let Command::Chat(args) = parse(&options).unwrap().command else { panic!("it is a chat") };
        assert_eq!(args.order.chat.system.as_deref(), Some("Be brief."));
        assert_eq!((args.order.max_tokens, args.order.prompt), (9, String::new()));
        assert!(parse(&[]).is_ok());
    }
}
