// SPDX-License-Identifier: Apache-2.0
//! The code of the errors that these methods return.

/// The JSON-RPC code of every error that a method of this crate returns.
///
/// The message says which of these happened, with the values:
/// - the payload of `assay_submitPayload` is longer than the limit of 1 MiB;
/// - the worker's store on disk cannot be read or written, or its disk is nearly full;
/// - a call of the runtime API failed, for example because the state of the block is pruned.
///
/// Malformed parameters are refused before the method runs, with JSON-RPC's own code -32602.
pub const ERROR_CODE: i32 = 7_000;
