// SPDX-License-Identifier: Apache-2.0
//! The methods, from which the traits of server and client are generated.

use crate::{NodeStatus, Output, OutputItem, SubmittedPayload};
use assay_primitives::{JobId, ModelId};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use sp_core::Bytes;

/// The methods that a node of Assay adds to Substrate's.
///
/// An error has the code [`crate::UNKNOWN_JOB_CODE`] if the chain does not have the job,
/// [`crate::LIMIT_CODE`] if a limit of the node is reached, and otherwise [`crate::ERROR_CODE`].
#[cfg_attr(all(feature = "client", not(feature = "server")), rpc(client, namespace = "assay"))]
#[cfg_attr(all(feature = "server", not(feature = "client")), rpc(server, namespace = "assay"))]
#[cfg_attr(all(feature = "client", feature = "server"), rpc(client, server, namespace = "assay"))]
pub trait AssayRpc {
    /// Keeps a request, which is the canonical encoding of an [`assay_primitives::Request`], and serves
    /// it to the nodes that ask for its hash.
    ///
    /// The node keeps the request for ten minutes, in which it can be ordered, and as long as a job with
    /// it is not over; jobs keep requests within a quota, those that open first before others. Requests
    /// that need not be kept are dropped, the oldest first, once all of them exceed a quota. If `model` is
    /// loaded, the result has the length of the request's prompt in tokens of that model.
    ///
    /// # Errors
    ///
    /// The payload is not the canonical encoding of a request of at most 1 MiB, the engine does not
    /// honour one of its fields, which the message names, the model lacks a token of the prompt, the
    /// connection or all connections have spent their budget or have as many calls waiting as they can,
    /// the requests that the node must keep leave no room, the store cannot be written, or its disk is
    /// nearly full. Then nothing is stored.
    #[method(name = "submitPayload", with_extensions)]
    async fn submit_payload(
        &self,
        payload: Bytes,
        model: Option<ModelId>,
    ) -> RpcResult<SubmittedPayload>;

    /// Returns the output of a job, as far as this node or one of its peers has it.
    ///
    /// The result is `None` if no node has a token of it.
    ///
    /// # Errors
    ///
    /// The chain does not have the job, the connection or all connections have spent their budget or have
    /// as many calls waiting as they can, the runtime API fails, or the store cannot be read.
    #[method(name = "output", with_extensions)]
    async fn output(&self, job: JobId) -> RpcResult<Option<Output>>;

    /// Returns the encoding of the request of a job; `None` if this node does not have it. Its blake2_256
    /// hash is the job's `request_hash`.
    ///
    /// # Errors
    ///
    /// Those of `assay_output`.
    #[method(name = "request", with_extensions)]
    async fn request_of(&self, job: JobId) -> RpcResult<Option<Bytes>>;

    /// Sends the tokens of a job as they are generated, starting at the token with index `from`.
    ///
    /// The subscription ends after the item that has an `end`, which says why.
    ///
    /// # Errors
    ///
    /// The chain does not have the job, `from` is beyond its `max_tokens`, the connection or all
    /// connections have spent the budget of `assay_output`, the runtime API fails, or the connection or
    /// the node has as many subscriptions, or follows as many outputs or tokens, as it can.
    #[subscription(
        name = "subscribeOutput" => "outputItem",
        unsubscribe = "unsubscribeOutput",
        item = OutputItem
    )]
    async fn subscribe_output(&self, job: JobId, from: u32);

    /// Returns the state of the node and of its worker.
    ///
    /// # Errors
    ///
    /// The runtime API fails, which is asked for the operators of the worker keys.
    #[method(name = "nodeStatus", blocking)]
    fn node_status(&self) -> RpcResult<NodeStatus>;
}
