// SPDX-License-Identifier: Apache-2.0
//! The arguments of `assay model`.

use crate::fetch::hash;
use blake3::Hash;
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  assay model list                               list the models that have a name
  assay model fetch smollm2-135m                 download and import one of them
  assay model fetch https://host/model.gguf      do so with a file on a server
  assay model import model-f16.gguf model.gguf   convert a file for the engine
  assay model show model.gguf                    show its properties and its id";

/// `assay model`, which needs no node.
#[derive(Subcommand, Debug)]
#[command(after_help = EXAMPLES)]
pub enum ModelCommand {
    /// List the models that can be fetched by name, and those that are fetched.
    List,
    /// Download a model, import it, and say where its file is. A model that is there is not downloaded again.
    ///
    /// The files are in assay/models in the folder for data (XDG_DATA_HOME, by default ~/.local/share), named after
    /// the model's id. A download that was interrupted goes on where it stopped. Proxies are those of HTTPS_PROXY,
    /// certificates those of the system or of SSL_CERT_FILE.
    Fetch(FetchArgs),
    /// Check a GGUF file as the engine would, and show its properties and its id on the chain.
    Show {
        /// The file to check, or the name of a model that is fetched.
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

/// The arguments of `assay model fetch`.
#[derive(Args, Debug)]
pub struct FetchArgs {
    /// A name of `assay model list`, the URL of a GGUF file, or its path.
    #[arg(value_name = "NAME|URL|FILE", value_hint = ValueHint::AnyPath)]
    pub model: String,
    /// Refuse a file at a URL or a path that does not have this BLAKE3 hash.
    #[arg(long, value_name = "HEX", value_parser = hash::parse)]
    pub blake3: Option<Hash>,
    /// Accept the terms of the model, which the command shows, without being asked.
    #[arg(long)]
    pub accept_terms: bool,
}
