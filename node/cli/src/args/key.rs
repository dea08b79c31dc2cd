// SPDX-License-Identifier: Apache-2.0
//! The arguments of `assay key`.

use clap::{Subcommand, ValueHint};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  assay key new --out me.key                    write a new key into a file
  assay key new --scheme ecdsa --out btc.key    one that has an Assay address
  assay key inspect --key-file me.key           show its addresses";

/// `assay key`, which needs no node.
#[derive(Subcommand, Debug)]
#[command(after_help = EXAMPLES)]
pub enum KeyCommand {
    /// Generate a key, and print its mnemonic or write it into a file.
    New {
        /// Write the mnemonic into this new file, readable by its owner alone, instead of printing it.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
    },
    /// Show the addresses and the public key of a secret or an address.
    Inspect {
        /// A secret or an address [default: the key of --suri, --key-file or ASSAY_SURI].
        #[arg(value_name = "SECRET|ADDRESS")]
        what: Option<String>,
    },
}
