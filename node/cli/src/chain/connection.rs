// SPDX-License-Identifier: Apache-2.0
//! A connection to a node: requests and subscriptions.

use super::{
    faults,
    version::{self, Version},
};
use crate::fault::Fault;
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

/// The longest that a node may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// The longest that a node may take to answer a request.
const REQUEST: Duration = Duration::from_secs(60);

/// A chain that a node serves.
pub struct Chain {
    client: WsClient,
    url: String,
    /// Hash of the genesis block.
    pub genesis: H256,
    /// The runtime at the best block.
    pub version: Version,
    /// Whether the chain is one for development or for one machine, where keys are public.
    pub development: bool,
    /// Name of the chain.
    pub name: String,
}

/// The part of a header that this command reads.
#[derive(Deserialize, Clone, Debug)]
pub struct Head {
    /// Number of the block, which the RPC writes in hex.
    #[serde(deserialize_with = "hex_number")]
    pub number: u32,
}

fn hex_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    u32::from_str_radix(text.trim_start_matches("0x"), 16).map_err(serde::de::Error::custom)
}

impl Chain {
    /// Connects to a node and makes sure that this command understands its chain.
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
        version::check(&chain.version, url)?;
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

    /// Subscribes to the headers of new best blocks.
    pub async fn heads(&self) -> Result<Subscription<Head>> {
        self.subscribe("chain_subscribeNewHeads", rpc_params![], "chain_unsubscribeNewHeads")
            .await
            .context("cannot follow the chain")
    }

    /// Returns the error for a connection that the node closed.
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
