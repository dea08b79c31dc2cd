// SPDX-License-Identifier: Apache-2.0
//! What the executor offers to the runtime: Substrate's host functions and Assay's.

/// The host functions.
pub type HostFunctions = (sp_io::SubstrateHostFunctions, assay_host::HostFunctions);
