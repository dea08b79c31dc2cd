// SPDX-License-Identifier: Apache-2.0
//! The check that an account can pay for a call before the call is sent.

use crate::{
    amount::Amount,
    chain::{state::usable, Chain},
    fault::Fault,
};
use anyhow::Result;
use assay_primitives::Balance;
use assay_runtime::AccountId;

/// The amount that a call takes from its signer in addition to the fee.
pub struct Need {
    /// The amount.
    pub amount: Balance,
    /// The purpose: "the job".
    pub what: &'static str,
    /// The destination of the amount: "on hold".
    pub goes: &'static str,
    /// The remedy if the balance is too small.
    pub advice: &'static str,
}

/// Fails unless the signer can spend the amount and the fee and stay alive.
pub async fn ensure(
    chain: &Chain,
    signer: &AccountId,
    extrinsic: &[u8],
    need: &Need,
) -> Result<()> {
    let usable = usable(&chain.account(signer).await?);
    // An account without a balance cannot even ask for the fee.
    let fee = if usable > 0 { chain.fee(extrinsic).await? } else { 0 };
    let needed = need.amount.saturating_add(fee);
    if usable < needed {
        return Err(Fault::error(
            "balance_too_small",
            format!(
                "the account {signer} can spend {}, but {} needs {} ({} {} and {} for the fee); {}",
                Amount(usable),
                need.what,
                Amount(needed),
                Amount(need.amount),
                need.goes,
                Amount(fee),
                need.advice,
            ),
        ));
    }
    Ok(())
}
