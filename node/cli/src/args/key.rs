// SPDX-License-Identifier: Apache-2.0
//! The arguments of `assay key`.

use clap::{Subcommand, ValueHint};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  assay key new --out me.json                   write a new key into an encrypted file
  assay key new --scheme ecdsa --out btc.json   one that has an Assay address
  assay key import --out me.json                encrypt a mnemonic that you have
  assay key inspect --key-file me.json          show its addresses";

/// `assay key`, which needs no node.
#[derive(Subcommand, Debug)]
#[command(after_help = EXAMPLES)]
pub enum KeyCommand {
    /// Generate a key, and write it into an encrypted file or print its mnemonic.
    New {
        /// Write the key into this new file, encrypted with a passphrase and readable by its owner
        /// alone, instead of printing its mnemonic.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
        /// Write the mnemonic as it is, as `assay-node key insert --suri FILE` reads it.
        #[arg(long, requires = "out")]
        unencrypted: bool,
    },
    /// Write a key that exists into an encrypted file. Its secret is asked for, or read from standard
    /// input.
    Import {
        /// The new file, which wallets for Substrate chains can import.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: PathBuf,
        /// Write the secret as it is.
        #[arg(long)]
        unencrypted: bool,
    },
    /// Show the addresses and the public key of a key or an address.
    Inspect {
        /// An address, or a key for development like //Alice [default: the key of --key-file,
        /// ASSAY_KEY_FILE or the configuration].
        #[arg(value_name = "ADDRESS")]
        what: Option<String>,
    },
}
