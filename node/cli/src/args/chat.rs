// SPDX-License-Identifier: Apache-2.0
//! The arguments that make a chat of a prompt.

use clap::Args;
use std::{convert::Infallible, path::PathBuf, str::FromStr};

/// An argument of a chat template, such as `enable_thinking=false`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TemplateArgument {
    /// The name.
    pub name: String,
    /// The value in JSON.
    pub value: String,
}

impl FromStr for TemplateArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            format!("'{text}' has no '='; write NAME=JSON, such as enable_thinking=false")
        })?;
        Ok(Self { name: name.into(), value: value.into() })
    }
}

/// A tool that a model may call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToolArgument {
    /// Its description in JSON.
    Json(String),
    /// The file with its description.
    File(PathBuf),
}

impl FromStr for ToolArgument {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix('@') {
            Some(path) => Self::File(path.into()),
            None => Self::Json(text.into()),
        })
    }
}

/// Whether the prompt is a message of a chat, and what else the template of the model is given.
#[derive(Args, Debug, Clone, Default)]
pub struct ChatArgs {
    /// Send the prompt as a message, in the form that the model was trained to answer. The template in the
    /// model's file makes it.
    #[arg(long)]
    pub chat: bool,
    /// Instructions to the model before the message.
    #[arg(long, requires = "chat", value_name = "TEXT")]
    pub system: Option<String>,
    /// Argument of the template with its value in JSON, such as enable_thinking=false. Repeat the option
    /// for several.
    #[arg(long = "template-arg", requires = "chat", value_name = "NAME=JSON")]
    pub arguments: Vec<TemplateArgument>,
    /// Tool that the model may call: its description in JSON, or @FILE for one in a file. Repeat the option
    /// for several.
    #[arg(long = "tool", requires = "chat", value_name = "JSON|@FILE")]
    pub tools: Vec<ToolArgument>,
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn parse(options: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from([&["assay", "run", "Hi"], options].concat())
    }

    #[test]
    fn options_of_a_chat_need_one() {
        for option in ["--system", "--template-arg", "--tool"] {
            assert!(parse(&[option, "a=1"]).is_err(), "{option}");
            assert!(parse(&["--chat", option, "a=1"]).is_ok(), "{option}");
        }
    }

    #[test]
    fn template_argument_is_a_name_and_a_value() {
        let cli = parse(&["--chat", "--template-arg", "date=\"a=b\""]).unwrap();
        let Command::Run(args) = cli.command else { panic!("it is `assay run`") };
        let argument = &args.order.chat.arguments[0];
        assert_eq!((&*argument.name, &*argument.value), ("date", "\"a=b\""));
        let error = parse(&["--chat", "--template-arg", "date"]).unwrap_err().to_string();
        assert!(error.contains("'date' has no '='; write NAME=JSON"), "{error}");
    }
}
