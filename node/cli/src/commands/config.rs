// SPDX-License-Identifier: Apache-2.0
//! `assay config`.

use crate::{
    amount::Amount,
    args::{ConfigCommand, ConfigKey, Global},
    config::{Config, ConfigFile, Network},
    exit::Exit,
    fault::Fault,
    node_url, out,
};
use anyhow::{Context, Result};
use assay_runtime::Hash;
use serde_json::{json, Map, Value};
use std::path;

/// Runs the command.
pub fn dispatch(global: &Global, command: ConfigCommand) -> Result<Exit> {
    let file = ConfigFile::of_user()?;
    let named = global.network.as_deref();
    match command {
        ConfigCommand::List => list(&file.read()?, global.json)?,
        ConfigCommand::Get { key } => get(&file.read()?, named, key, global.json)?,
        ConfigCommand::Set { key, value } => {
            ensure_valid(key, &value)?;
            let value = match key {
                // The command may be started in another folder the next time.
                ConfigKey::KeyFile => absolute(&value)?,
                _ => value,
            };
            put(&file, named, key, Some(&value), global.json)?;
        }
        ConfigCommand::Unset { key } => put(&file, named, key, None, global.json)?,
        ConfigCommand::Path if global.json => out::object(&json!({ "path": file.path() }))?,
        ConfigCommand::Path => out::line(&file.path().display().to_string())?,
    }
    Ok(Exit::Done)
}

/// Fails if the value cannot be one of the setting.
fn ensure_valid(key: ConfigKey, value: &str) -> Result<()> {
    let problem = match key {
        ConfigKey::Url => node_url::check(value).err(),
        ConfigKey::MaxCost => value.parse::<Amount>().err(),
        ConfigKey::Genesis => value
            .parse::<Hash>()
            .err()
            .map(|_| format!("'{value}' is not a hash; write 0x and 64 hexadecimal digits")),
        ConfigKey::KeyFile | ConfigKey::Network => {
            value.is_empty().then(|| "it is empty; `assay config unset` removes a setting".into())
        }
    };
    match problem {
        None => Ok(()),
        Some(problem) => Err(Fault::error(
            "value_malformed",
            format!("the value of {} is malformed: {problem}", key.name()),
        )),
    }
}

fn absolute(value: &str) -> Result<String> {
    let path = path::absolute(value).with_context(|| format!("cannot find the path of {value}"))?;
    path.into_os_string().into_string().map_err(|path| {
        Fault::error("path_not_text", format!("the path {} is not UTF-8", path.display()))
    })
}

fn put(
    file: &ConfigFile,
    named: Option<&str>,
    key: ConfigKey,
    value: Option<&str>,
    json: bool,
) -> Result<()> {
    let name = file.read()?.name(named);
    let network = (key != ConfigKey::Network).then_some(name.as_str());
    file.put(network, key.name(), value)?;
    if json {
        out::object(&json!({ "network": network, "key": key.name(), "value": value }))?;
    }
    Ok(())
}

fn get(config: &Config, named: Option<&str>, key: ConfigKey, json: bool) -> Result<()> {
    let name = config.name(named);
    let value = value(config, &config.of(&name), key).ok_or_else(|| {
        let key = key.name();
        Fault::error(
            "not_set",
            format!(
                "the network '{name}' has no {key}; set it with `assay config set {key} VALUE`"
            ),
        )
    })?;
    if json {
        out::object(&json!({ "network": name, "key": key.name(), "value": value }))?;
    } else {
        out::line(&value)?;
    }
    Ok(())
}

fn list(config: &Config, json: bool) -> Result<()> {
    if json {
        let networks: Map<String, Value> = config
            .networks
            .iter()
            .map(|(name, network)| (name.clone(), Value::Object(object(config, network))))
            .collect();
        out::object(&json!({ "network": config.name(None), "networks": networks }))?;
        return Ok(());
    }
    out::pairs(&[("Network", config.name(None))])?;
    for (name, network) in &config.networks {
        out::line("")?;
        let mut rows = vec![("Name", name.clone())];
        rows.extend(
            ConfigKey::OF_NETWORK
                .into_iter()
                .filter_map(|key| Some((key.name(), value(config, network, key)?))),
        );
        out::pairs(&rows)?;
    }
    Ok(())
}

fn object(config: &Config, network: &Network) -> Map<String, Value> {
    ConfigKey::OF_NETWORK
        .into_iter()
        .map(|key| (key.name().to_string(), json!(value(config, network, key))))
        .collect()
}

/// Returns the value of a setting as it is written in the file.
fn value(config: &Config, network: &Network, key: ConfigKey) -> Option<String> {
    match key {
        ConfigKey::Url => network.url.clone(),
        ConfigKey::KeyFile => network.key_file.as_ref().map(|path| path.display().to_string()),
        ConfigKey::MaxCost => network.max_cost.map(|amount| amount.decimal()),
        ConfigKey::Genesis => network.genesis.map(|genesis| format!("{genesis:?}")),
        ConfigKey::Network => Some(config.name(None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_that_no_setting_can_have_is_named_and_not_the_file() {
        for (key, bad, good) in [
            (ConfigKey::Url, "notaurl", "wss://rpc.example.org"),
            (ConfigKey::MaxCost, "abc", "2.5"),
            (ConfigKey::MaxCost, "-1", "10mASY"),
            (ConfigKey::Genesis, "0x12", &format!("{:?}", Hash::repeat_byte(7))),
            (ConfigKey::KeyFile, "", "me.json"),
            (ConfigKey::Network, "", "main"),
        ] {
            let error = ensure_valid(key, bad).unwrap_err();
            let fault = error.downcast_ref::<Fault>().unwrap();
            assert_eq!(fault.code, "value_malformed");
            assert!(fault.message.contains(key.name()), "{}", fault.message);
            assert!(fault.message.contains(bad) && !fault.message.contains("line"));
            ensure_valid(key, good).unwrap();
        }
    }
}
