// SPDX-License-Identifier: Apache-2.0
//! The RPC methods that a node of Assay offers in addition to Substrate's, and their JSON types.
//!
//! The chain's state is read through the runtime APIs (`state_call`). These methods cover the rest:
//! the payloads, outputs and engine that only a node has. The feature `server` generates the trait
//! that the node implements, and the feature `client` the one that clients call; without either the
//! crate has types only.
//!
//! Hashes and bytes are hexadecimal strings that start with `0x`. Every number fits into 53 bits, so
//! that any JSON reader parses it exactly.

mod end;
mod error;
#[cfg(any(feature = "client", feature = "server"))]
mod methods;
mod output;
mod payload;
mod status;

pub use end::StreamEnd;
pub use error::{ERROR_CODE, LIMIT_CODE, UNKNOWN_JOB_CODE};
#[cfg(feature = "client")]
pub use methods::AssayRpcClient;
#[cfg(feature = "server")]
pub use methods::AssayRpcServer;
pub use output::{Output, OutputItem, TokenLogprobs};
pub use payload::SubmittedPayload;
pub use status::{ModelStatus, NodeStatus, StoreStatus, WorkerKey, WorkerStatus};
