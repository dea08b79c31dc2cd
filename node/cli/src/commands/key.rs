// SPDX-License-Identifier: Apache-2.0
//! `assay key`.

use crate::{
    args::{account as parse_account, Global, KeyCommand},
    chain::state::hex_of,
    exit::{Exit, Fault},
    key, out,
};
use anyhow::{Context, Result};
use assay_runtime::AccountId;
use serde_json::{json, Value};
use sp_core::{sr25519, Pair};
use std::path::Path;

/// Does what was asked.
pub fn dispatch(global: &Global, command: KeyCommand) -> Result<Exit> {
    match command {
        KeyCommand::New { out } => new(global, out.as_deref()),
        KeyCommand::Inspect { what } => inspect(global, what.as_deref()),
    }
}

fn new(global: &Global, file: Option<&Path>) -> Result<Exit> {
    let (pair, phrase, _) = sr25519::Pair::generate_with_phrase(None);
    if let Some(path) = file {
        key::to_file(path, &phrase)?;
    }
    let account = key::account(&pair);
    if global.json {
        let mut object = object(&account);
        match file {
            Some(path) => object["file"] = json!(path.display().to_string()),
            None => object["secret"] = json!(phrase),
        }
        out::object(&object)?;
        return Ok(Exit::Done);
    }
    let mut rows = rows(&account);
    match file {
        Some(path) => rows.push(("File", path.display().to_string())),
        None => rows.push(("Secret", phrase)),
    }
    out::pairs(&rows)?;
    out::note("Whoever has the secret has the money; nobody can restore it when it is lost.");
    Ok(Exit::Done)
}

fn inspect(global: &Global, what: Option<&str>) -> Result<Exit> {
    let account = match what {
        Some(text) => match parse_account(text) {
            Ok(account) => account,
            Err(_) => key::account(
                &key::from_suri(text).context("that is no SS58 address and no secret either")?,
            ),
        },
        None => {
            let pair = key::named(global.suri.as_deref(), global.key_file.as_deref())?;
            let pair = pair.ok_or_else(|| {
                Fault::error(
                    "no_signer",
                    "nothing was named to inspect; give a secret or an address, --key-file, \
                     --suri or the environment variable ASSAY_SURI",
                )
            })?;
            key::account(&pair)
        }
    };
    if global.json {
        out::object(&object(&account))?;
    } else {
        out::pairs(&rows(&account))?;
    }
    Ok(Exit::Done)
}

fn object(account: &AccountId) -> Value {
    json!({ "address": account.to_string(), "publicKey": public(account) })
}

fn rows(account: &AccountId) -> Vec<(&'static str, String)> {
    vec![("Address", account.to_string()), ("Public key", public(account))]
}

fn public(account: &AccountId) -> String {
    hex_of(account.as_ref())
}
