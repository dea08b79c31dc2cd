// SPDX-License-Identifier: Apache-2.0
//! The options that say which form the output must have.

use clap::Args;
use std::{convert::Infallible, path::PathBuf, str::FromStr};

/// A JSON schema.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SchemaArgument {
    /// Its text.
    Json(String),
    /// The file with it.
    File(PathBuf),
}

impl FromStr for SchemaArgument {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.trim_start().starts_with('{') {
            true => Self::Json(text.into()),
            false => Self::File(text.into()),
        })
    }
}

/// Options that say which form the output must have, at most one of them.
#[derive(Args, Debug, Clone, Default)]
#[group(multiple = false, conflicts_with = "ignore_end")]
pub struct ConstraintArgs {
    /// Have the output be JSON of this schema: a file, or the schema itself if it begins with a brace. The output
    /// ends where the JSON does; leave it enough --max-tokens. Objects have the keys in the order of the schema.
    #[arg(long, value_name = "FILE|JSON")]
    pub json_schema: Option<SchemaArgument>,
    /// Have the whole output match this regular expression, such as "(yes|no)". Its syntax is that of Rust's regex.
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub regex: Option<String>,
    /// Have the output be a sentence of the grammar in this file, in llguidance's variant of Lark. Its first rule is
    /// named start.
    #[arg(long, value_name = "FILE")]
    pub grammar: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::SchemaArgument;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn parse(options: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from([&["assay", "run", "Hi"], options].concat())
    }

    #[test]
    fn form_is_one_of_three_and_excludes_that_the_output_goes_on() {
        let options = [["--json-schema", "{}"], ["--regex", "a"], ["--grammar", "a.lark"]];
        for (at, option) in options.iter().enumerate() {
            assert!(parse(option).is_ok(), "{option:?}");
            assert!(parse(&[&option[..], &["--ignore-end"]].concat()).is_err(), "{option:?}");
            assert!(parse(&[&option[..], &options[(at + 1) % 3]].concat()).is_err(), "{option:?}");
        }
    }

    #[test]
    fn schema_is_a_text_or_a_file() {
        let schema = |text: &str| {
            let cli = parse(&["--json-schema", text]).unwrap();
            let Command::Run(args) = cli.command else { panic!("it is `assay run`") };
            args.order.constraint.json_schema.unwrap()
        };
        assert_eq!(schema(" {}"), SchemaArgument::Json(" {}".into()));
        assert_eq!(schema("a.json"), SchemaArgument::File("a.json".into()));
    }
}
