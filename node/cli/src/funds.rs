// SPDX-License-Identifier: Apache-2.0
//! The check that an account can pay for a call before the call is sent.

use crate::{
    amount::Amount,
    chain::{
        state::{lacking, usable, Account},
        Chain,
    },
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
    /// Another remedy than to send the account more, if there is one: ", or ask for fewer tokens".
    pub otherwise: &'static str,
}

/// Fails unless the signer can spend the amount and the fee and stay alive.
pub async fn ensure(
    chain: &Chain,
    signer: &AccountId,
    extrinsic: &[u8],
    need: &Need,
) -> Result<()> {
    let account = chain.account(signer).await?;
    // The fee depends on the extrinsic alone, and not on whether its signer has anything.
    let fee = chain.fee(extrinsic).await?;
    covered(signer, &account, fee, need)
}

/// Fails unless an account can spend the amount and the fee and stay alive.
fn covered(signer: &AccountId, account: &Account, fee: Balance, need: &Need) -> Result<()> {
    let needed = need.amount.saturating_add(fee);
    if usable(account) >= needed {
        return Ok(());
    }
    Err(Fault::error(
        "balance_too_small",
        format!(
            "the account {signer} can spend {}, but {} needs {} ({} {} and {} for the fee); send it {} \
             more{}",
            Amount(usable(account)),
            need.what,
            Amount(needed),
            Amount(need.amount),
            need.goes,
            Amount(fee),
            Amount(lacking(account, needed)),
            need.otherwise,
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_runtime::{EXISTENTIAL_DEPOSIT, UNIT};
    use sp_keyring::Sr25519Keyring::Alice;

    #[test]
    fn account_that_gets_what_the_error_says_is_not_refused_again() {
        let need =
            Need { amount: UNIT, what: "the job", goes: "on hold", otherwise: ", or ask for less" };
        let alice = Alice.to_account_id();
        let mut account = Account::default();
        let error = covered(&alice, &account, UNIT / 4, &need).unwrap_err().to_string();
        // The account has to keep the existential deposit.
        let missing = UNIT + UNIT / 4 + EXISTENTIAL_DEPOSIT;
        for part in [
            "needs 1.25 ASY (1 ASY on hold and 0.25 ASY for the fee)",
            "or ask for less",
            "can spend 0 ASY",
        ] {
            assert!(error.contains(part), "{error}");
        }
        assert!(error.contains(&format!("send it {} more", Amount(missing))), "{error}");
        account.data.free = missing;
        covered(&alice, &account, UNIT / 4, &need).unwrap();
        account.data.free -= 1;
        covered(&alice, &account, UNIT / 4, &need).unwrap_err();
    }
}
