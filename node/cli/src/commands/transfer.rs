// SPDX-License-Identifier: Apache-2.0
//! `assay transfer`.

use crate::{
    account::AccountArg, amount::Amount, chain::state::Account, exit::Exit, fault::Fault,
    funds::Need, out, session::Session, view,
};
use anyhow::Result;
use assay_runtime::{AccountId, RuntimeCall, EXISTENTIAL_DEPOSIT};
use serde_json::json;

/// Sends money to an account, once the chain knows the account.
pub async fn transfer(session: &Session, to: &AccountArg, amount: Amount) -> Result<Exit> {
    let from = session.account()?;
    let account = to.resolve(&session.chain).await?;
    ensure_alive(&session.chain.account(&account).await?, &account, amount)?;
    // The chain resolves an address again, so nobody else can be paid in the meantime.
    let call = pallet_balances::Call::transfer_keep_alive { dest: to.lookup(), value: amount.0 };
    let need = Need {
        amount: amount.0,
        what: "the transfer",
        goes: "to send",
        otherwise: ", or transfer less",
    };
    let included = session.submit_covered(RuntimeCall::Balances(call), &need).await?;
    if session.json {
        out::object(&json!({
            "from": from.to_string(),
            "to": account.to_string(),
            "named": to.to_string(),
            "amount": view::planck(amount.0),
            "amountAsy": amount.decimal(),
            "block": included.number,
        }))?;
    } else {
        out::pairs(&[
            ("Sent", amount.to_string()),
            ("From", from.to_string()),
            ("To", to.to_string()),
            ("Block", included.number.to_string()),
        ])?;
    }
    Ok(Exit::Done)
}

/// Fails if the recipient would have less than an account must have to exist.
fn ensure_alive(entry: &Account, account: &AccountId, amount: Amount) -> Result<()> {
    let missing = EXISTENTIAL_DEPOSIT.saturating_sub(entry.data.free);
    // The chain keeps an account that has something else, such as funds on hold.
    if entry.providers > 0 || amount.0 >= missing {
        return Ok(());
    }
    Err(Fault::error(
        "token.BelowMinimum",
        format!(
            "the account {account} is new, and an account must have at least {}; send it {} or more",
            Amount(EXISTENTIAL_DEPOSIT),
            Amount(missing),
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_keyring::Sr25519Keyring::Alice;

    #[test]
    fn new_account_must_get_what_it_needs_to_exist() {
        let alice = Alice.to_account_id();
        let mut entry = Account::default();
        let transfer = |entry: &Account, amount| ensure_alive(entry, &alice, Amount(amount));
        let error = transfer(&entry, EXISTENTIAL_DEPOSIT - 1).unwrap_err();
        assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "token.BelowMinimum");
        assert!(error.to_string().contains("at least 0.001 ASY"), "{error}");
        transfer(&entry, EXISTENTIAL_DEPOSIT).unwrap();
        entry.providers = 1;
        transfer(&entry, 1).unwrap();
    }
}
