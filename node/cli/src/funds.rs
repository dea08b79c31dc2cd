// SPDX-License-Identifier: Apache-2.0
//! Whether an account can pay for what it is about to do.

use crate::{
    amount::Amount,
    chain::{state::usable, Chain},
    exit::Fault,
};
use anyhow::Result;
use assay_primitives::Balance;
use assay_runtime::AccountId;

/// What a call takes from its signer beside the fee.
pub struct Need {
    /// How much.
    pub amount: Balance,
    /// What needs it: "the job".
    pub what: &'static str,
    /// Where the amount goes: "on hold".
    pub goes: &'static str,
    /// What to do when it is not there.
    pub advice: &'static str,
}

/// Makes sure that the signer can spend the amount and the fee and stays alive.
pub async fn ensure(
    chain: &Chain,
    signer: &AccountId,
    extrinsic: &[u8],
    need: &Need,
) -> Result<()> {
    let usable = usable(&chain.account(signer).await?);
    // Without any balance the fee cannot be asked for either.
    let fee = if usable > 0 { chain.fee(extrinsic).await? } else { 0 };
    let needed = need.amount.saturating_add(fee);
    if usable < needed {
        return Err(Fault::error(
            "balance_too_small",
            format!(
                "the account {signer} can spend {} and {} needs {} ({} {} and {} as a fee); {}",
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
