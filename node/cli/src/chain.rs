// SPDX-License-Identifier: Apache-2.0
//! A chain through the RPC of one of its nodes.
//!
//! Everything is decoded by the runtime's own types, so this command serves the runtime that it was
//! built with: it refuses a chain of another name, or one that has changed its calls since.

pub mod extrinsic;
mod faults;
mod node;
pub mod outcome;
pub mod state;

use crate::exit::Fault;
use anyhow::{Context, Result};
use jsonrpsee::{
    core::{
        client::{ClientT, Subscription, SubscriptionClientT},
        params::ArrayParams,
    },
    rpc_params,
    ws_client::{WsClient, WsClientBuilder},
};
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::Value;
use sp_core::H256;
use std::time::Duration;

/// How long a node has to take a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How long it has to answer a request.
const REQUEST: Duration = Duration::from_secs(60);

/// A chain.
pub struct Chain {
    client: WsClient,
    url: String,
    /// Hash of the genesis block.
    pub genesis: H256,
    /// The runtime that the chain runs.
    pub version: Version,
    /// Whether it is a chain for development or on this machine, where keys are public.
    pub development: bool,
    /// Its name.
    pub name: String,
}

/// The runtime that a chain runs.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Which chain it is for.
    pub spec_name: String,
    /// Its release.
    pub spec_version: u32,
    /// Changes when calls do.
    pub transaction_version: u32,
}

/// What is read of a header.
#[derive(Deserialize, Clone, Debug)]
pub struct Head {
    /// The block's number, in hex.
    #[serde(deserialize_with = "hex_number")]
    pub number: u32,
}

fn hex_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    u32::from_str_radix(text.trim_start_matches("0x"), 16).map_err(serde::de::Error::custom)
}

impl Chain {
    /// Connects to a node and makes sure that its chain is one that this command understands.
    pub async fn connect(url: &str) -> Result<Self> {
        let client = WsClientBuilder::default()
            .connection_timeout(CONNECT)
            .request_timeout(REQUEST)
            .build(url)
            .await
            .map_err(|error| {
                Fault::error(
                    "node_unreachable",
                    format!(
                        "no node answers at {url}: {error}; start one with `assay-node --dev`, or \
                         name another with --url"
                    ),
                )
            })?;
        let mut chain = Self {
            client,
            url: url.to_string(),
            genesis: H256::zero(),
            version: Version { spec_name: String::new(), spec_version: 0, transaction_version: 0 },
            development: false,
            name: String::new(),
        };
        chain.version = chain.request("state_getRuntimeVersion", rpc_params![]).await?;
        faults::check(&chain.version, url)?;
        chain.genesis = chain.request("chain_getBlockHash", rpc_params![0]).await?;
        chain.name = chain.request("system_chain", rpc_params![]).await?;
        let kind: Value = chain.request("system_chainType", rpc_params![]).await?;
        chain.development = matches!(kind.as_str(), Some("Development" | "Local"));
        Ok(chain)
    }

    /// Calls an RPC method.
    pub async fn request<R: DeserializeOwned>(
        &self,
        method: &str,
        params: ArrayParams,
    ) -> Result<R> {
        self.client
            .request(method, params)
            .await
            .map_err(|error| faults::of_rpc(&self.url, method, error))
    }

    /// Subscribes through the RPC.
    pub async fn subscribe<R: DeserializeOwned>(
        &self,
        method: &'static str,
        params: ArrayParams,
        unsubscribe: &'static str,
    ) -> Result<Subscription<R>> {
        self.client
            .subscribe(method, params, unsubscribe)
            .await
            .map_err(|error| faults::of_rpc(&self.url, method, error))
    }

    /// The new best blocks.
    pub async fn heads(&self) -> Result<Subscription<Head>> {
        self.subscribe("chain_subscribeNewHeads", rpc_params![], "chain_unsubscribeNewHeads")
            .await
            .context("cannot follow the chain")
    }

    /// The error for a connection that was closed.
    pub fn gone(&self) -> anyhow::Error {
        faults::gone(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_has_its_number_in_hex() {
        let head: Head = serde_json::from_str(r#"{"number":"0x1f","parentHash":"0x00"}"#).unwrap();
        assert_eq!(head.number, 31);
    }
}
