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
        ClientError,
    },
    rpc_params,
    ws_client::{PingConfig, WsClient, WsClientBuilder},
};
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::Value;
use sp_core::H256;
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::time::timeout;

/// The longest that a node may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// The time between two pings.
const PING: Duration = Duration::from_secs(5);

/// The time without a sign of life after which a connection is given up. It is looked at as often, so
/// a connection that is dead ends within twice this time, also for whoever waits for an answer.
const SILENCE: Duration = Duration::from_secs(15);

/// The longest that a node may take to answer a request.
const REQUEST: Duration = Duration::from_secs(60);

/// A chain that a node serves.
pub struct Chain {
    client: RwLock<Arc<WsClient>>,
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
        let mut chain = Self {
            client: RwLock::new(Arc::new(dial(url).await?)),
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

    /// Connects to the same node again. Fails if the node now serves another chain.
    pub async fn reconnect(&self) -> Result<()> {
        let client = dial(&self.url).await?;
        let method = "chain_getBlockHash";
        let genesis: H256 = self.answer(method, client.request(method, rpc_params![0]).await)?;
        if genesis != self.genesis {
            return Err(Fault::error(
                "other_chain",
                format!(
                    "the node at {} now serves a chain with genesis {genesis:?}, and before one with \
                     {:?}; find out which is the right one",
                    self.url, self.genesis
                ),
            ));
        }
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(client);
        Ok(())
    }

    /// Calls an RPC method.
    pub async fn request<R: DeserializeOwned>(
        &self,
        method: &str,
        params: ArrayParams,
    ) -> Result<R> {
        self.answer(method, self.client().request(method, params).await)
    }

    /// Subscribes through the RPC.
    pub async fn subscribe<R: DeserializeOwned>(
        &self,
        method: &'static str,
        params: ArrayParams,
        unsubscribe: &'static str,
    ) -> Result<Subscription<R>> {
        self.answer(method, self.client().subscribe(method, params, unsubscribe).await)
    }

    /// Subscribes to the headers of new best blocks.
    pub async fn heads(&self) -> Result<Subscription<Head>> {
        self.subscribe("chain_subscribeNewHeads", rpc_params![], "chain_unsubscribeNewHeads")
            .await
            .context("cannot follow the chain")
    }

    /// Returns the client of the node's RPC, for its typed methods.
    pub(super) fn client(&self) -> Arc<WsClient> {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the node's answer to a call of `method`, with the error in words.
    pub(super) fn answer<T>(&self, method: &str, answer: Result<T, ClientError>) -> Result<T> {
        answer.map_err(|error| faults::of_rpc(&self.url, method, error))
    }

    /// Returns the error for a connection that is lost.
    pub fn gone(&self) -> anyhow::Error {
        faults::gone(&self.url)
    }
}

/// Connects to a node. Pings find out whether the connection is alive: without them one whose other end
/// is gone stays open for hours.
async fn dial(url: &str) -> Result<WsClient> {
    let ping = PingConfig::new().ping_interval(PING).inactive_limit(SILENCE);
    let dialled = WsClientBuilder::default()
        .connection_timeout(CONNECT)
        .request_timeout(REQUEST)
        .enable_ws_ping(ping)
        .build(url);
    // The limit of the builder is for each address and does not cover the handshake.
    match timeout(CONNECT, dialled).await {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(faults::of_dialling(url, &error)),
        Err(_) => {
            Err(faults::unreachable(url, &format!("no answer within {} s", CONNECT.as_secs())))
        }
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
