// SPDX-License-Identifier: Apache-2.0
//! The arguments of `assay address`.

use crate::account::AccountArg;
use clap::Subcommand;

/// `assay address`.
#[derive(Subcommand, Debug)]
pub enum AddressCommand {
    /// Register the signer's Assay address, so that it can receive money. Holds a deposit.
    Register,
    /// Unregister the signer's Assay address, and release the deposit.
    Unregister,
    /// Show an Assay address and its account.
    Show {
        /// An Assay address or an account [default: the signer].
        #[arg(value_name = "ADDRESS")]
        who: Option<AccountArg>,
    },
}
