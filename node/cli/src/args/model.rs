// SPDX-License-Identifier: Apache-2.0
//! The arguments of `assay model`.

use clap::{Subcommand, ValueHint};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  assay model import model-f16.gguf model.gguf   convert a file for the engine
  assay model show model.gguf                    show its properties and its id";

/// `assay model`, which needs no node.
#[derive(Subcommand, Debug)]
#[command(after_help = EXAMPLES)]
pub enum ModelCommand {
    /// Check a GGUF file as the engine would, and show its properties and its id on the chain.
    Show {
        /// The file to check.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Convert a GGUF file of any type into one that the engine runs, with an id of its own.
    ///
    /// Matrices become Q8_0 by one published rule, so everybody who converts the same file gets the
    /// same id; matrices in Q8_0 and Q4_0 stay as they are. Norms and biases become F32.
    Import {
        /// The file to convert.
        #[arg(value_hint = ValueHint::FilePath)]
        from: PathBuf,
        /// The file to write; an existing one is replaced.
        #[arg(value_hint = ValueHint::FilePath)]
        to: PathBuf,
        /// Convert all matrices to Q4_0, also those in Q8_0: half the memory at a loss of quality.
        #[arg(long = "q4-0")]
        q4_0: bool,
    },
}
