// SPDX-License-Identifier: Apache-2.0
//! `assay address`.

use crate::{
    account::{unknown, AccountArg},
    args::AddressCommand,
    chain::state::hex_of,
    exit::Exit,
    fault::Fault,
    funds::Need,
    out,
    session::Session,
};
use anyhow::Result;
use assay_primitives::AssayAddress;
use assay_runtime::{configs::AddressDeposit, AccountId, Runtime, RuntimeCall};
use serde_json::json;

type Call = pallet_addresses::Call<Runtime>;

/// Runs the command.
pub async fn dispatch(session: &Session, command: AddressCommand) -> Result<Exit> {
    match command {
        AddressCommand::Register => register(session).await,
        AddressCommand::Unregister => unregister(session).await,
        AddressCommand::Show { who } => find(session, who).await?.show(session.json),
    }
}

async fn register(session: &Session) -> Result<Exit> {
    let signer = session.signer()?;
    let public = signer.ecdsa().ok_or_else(|| {
        Fault::error(
            "no_secp256k1_key",
            format!(
                "a key of scheme {} has no Assay address; use one of scheme ecdsa (`assay key new \
                 --scheme ecdsa` creates one)",
                signer.scheme()
            ),
        )
    })?;
    let need = Need {
        amount: AddressDeposit::get(),
        what: "the registration",
        goes: "on hold until it is unregistered",
        otherwise: "",
    };
    let call = RuntimeCall::Addresses(Call::register_address { public });
    session.submit_covered(call, &need).await?;
    Found { address: AssayAddress::of(&public), account: signer.account(), registered: true }
        .show(session.json)
}

async fn unregister(session: &Session) -> Result<Exit> {
    let account = session.account()?;
    let address = registered(session, &account).await?;
    session.submit(RuntimeCall::Addresses(Call::unregister_address {})).await?;
    Found { address, account, registered: false }.show(session.json)
}

async fn find(session: &Session, who: Option<AccountArg>) -> Result<Found> {
    let chain = &session.chain;
    match who {
        Some(AccountArg::Address(address)) => {
            let account = chain.account_of(&address).await?.ok_or_else(|| unknown(&address))?;
            Ok(Found { address, account, registered: true })
        }
        Some(AccountArg::Account(account)) => {
            let address = registered(session, &account).await?;
            Ok(Found { address, account, registered: true })
        }
        None => {
            let signer = session.signer()?;
            let account = signer.account();
            match signer.address() {
                Some(address) => {
                    let registered = chain.account_of(&address).await?.is_some();
                    Ok(Found { address, account, registered })
                }
                None => {
                    let address = registered(session, &account).await?;
                    Ok(Found { address, account, registered: true })
                }
            }
        }
    }
}

/// Returns the address that an account has registered.
async fn registered(session: &Session, account: &AccountId) -> Result<AssayAddress> {
    session.chain.address_of(account).await?.ok_or_else(|| {
        Fault::error(
            "addresses.NotRegistered",
            format!("{account} has not registered an address; `assay address register` does"),
        )
    })
}

/// An address, its account, and whether the chain knows both.
struct Found {
    address: AssayAddress,
    account: AccountId,
    registered: bool,
}

impl Found {
    fn show(&self, json: bool) -> Result<Exit> {
        let hash = hex_of(&self.address.0);
        if json {
            out::object(&json!({
                "assayAddress": self.address.to_string(),
                "hash": hash,
                "account": self.account.to_string(),
                "registered": self.registered,
            }))?;
        } else {
            let registered = if self.registered { "yes" } else { "no, so it cannot receive money" };
            out::pairs(&[
                ("Assay address", self.address.to_string()),
                ("Hash", hash),
                ("Account", self.account.to_string()),
                ("Registered", registered.into()),
            ])?;
        }
        Ok(Exit::Done)
    }
}
