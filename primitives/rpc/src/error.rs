// SPDX-License-Identifier: Apache-2.0
//! The codes of the errors that these methods return.

/// The JSON-RPC code of an error that asking again does not mend.
///
/// The message says which of these happened, with the values:
/// - the payload of `assay_submitPayload` is longer than the limit of 1 MiB, is not the canonical
///   encoding of a request, or has a field that the engine does not honour, which is named;
/// - the model that is named lacks a token of the prompt;
/// - the first index of `assay_subscribeOutput` is beyond the job's `max_tokens`;
/// - the worker's store on disk cannot be read or written, or its disk is nearly full;
/// - a call of the runtime API failed, for example because the state of the block is pruned.
///
/// Malformed parameters are refused before the method runs, with JSON-RPC's own code -32602.
pub const ERROR_CODE: i32 = 7_000;

/// The JSON-RPC code of an error that passes: a limit of this node is reached, such as a budget of calls
/// or the number of subscriptions. The message says which, what to do and, for a budget, in how many
/// seconds to call again.
pub const LIMIT_CODE: i32 = 7_001;

/// The JSON-RPC code of the error for a job that the best block of this node does not have.
pub const UNKNOWN_JOB_CODE: i32 = 7_002;
