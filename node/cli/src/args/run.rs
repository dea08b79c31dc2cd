// SPDX-License-Identifier: Apache-2.0
//! The arguments of `assay run`.

use super::{check::CheckArgs, order::OrderArgs};
use clap::Args;

/// `assay run`.
#[derive(Args, Debug, Clone)]
pub struct RunArgs {
    /// The order.
    #[command(flatten)]
    pub order: OrderArgs,
    /// Options about the output.
    #[command(flatten)]
    pub check: CheckArgs,
}
