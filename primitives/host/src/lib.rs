// SPDX-License-Identifier: Apache-2.0
//! The host interface between the runtime's off-chain workers and the node's engine: four calls
//! that take a few milliseconds each. On a node without an engine they return `None`, `false`, an
//! empty list and `None`.
//!
//! Only `offchain_worker` may call the interface. The signatures are fixed for good: a change
//! requires a new version.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(not(substrate_runtime))]
use alloc::boxed::Box;
use alloc::vec::Vec;
use assay_primitives::{Capabilities, EngineResult, Work};
use sp_core::H256;
use sp_runtime_interface::{
    pass_by::{AllocateAndReturnByCodec, PassFatPointerAndDecode},
    runtime_interface,
};

#[cfg(not(substrate_runtime))]
use sp_externalities::ExternalitiesExt;

/// The engine's mailbox, which the node offers to its runtime.
#[cfg(not(substrate_runtime))]
pub trait Mailbox: Send + 'static {
    /// Returns the engine's capabilities.
    fn capabilities(&self) -> Option<Capabilities>;
    /// Submits work. Returns `false` when the queue is full.
    fn submit(&self, work: Work) -> bool;
    /// Returns up to `max` results of jobs that are not yet settled.
    fn poll(&self, max: u32) -> Vec<EngineResult>;
    /// Returns a payload of this node.
    fn payload(&self, hash: H256) -> Option<Vec<u8>>;
}

#[cfg(not(substrate_runtime))]
sp_externalities::decl_extension! {
    /// The node's mailbox, registered for its off-chain workers.
    pub struct MailboxExt(Box<dyn Mailbox>);
}

/// The calls of the host interface.
#[runtime_interface]
pub trait AssayEngine {
    /// Returns the engine's capabilities; `None` where the node has no engine.
    fn capabilities(&mut self) -> AllocateAndReturnByCodec<Option<Capabilities>> {
        self.extension::<MailboxExt>().and_then(|mailbox| mailbox.0.capabilities())
    }

    /// Submits work. Returns `false` when it was not taken.
    fn submit(&mut self, work: PassFatPointerAndDecode<Work>) -> bool {
        self.extension::<MailboxExt>().is_some_and(|mailbox| mailbox.0.submit(work))
    }

    /// Returns up to `max` results of jobs that are not yet settled.
    fn poll(&mut self, max: u32) -> AllocateAndReturnByCodec<Vec<EngineResult>> {
        self.extension::<MailboxExt>().map(|mailbox| mailbox.0.poll(max)).unwrap_or_default()
    }

    /// Returns the payload with that hash; `None` if the node does not have it.
    fn payload(
        &mut self,
        hash: PassFatPointerAndDecode<H256>,
    ) -> AllocateAndReturnByCodec<Option<Vec<u8>>> {
        self.extension::<MailboxExt>().and_then(|mailbox| mailbox.0.payload(hash))
    }
}

/// The engine of the node that the off-chain worker runs on.
pub struct HostEngine;

impl assay_primitives::Engine for HostEngine {
    fn capabilities() -> Option<Capabilities> {
        assay_engine::capabilities()
    }

    fn submit(work: Work) -> bool {
        assay_engine::submit(work)
    }

    fn poll(max: u32) -> Vec<EngineResult> {
        assay_engine::poll(max)
    }

    fn payload(hash: H256) -> Option<Vec<u8>> {
        assay_engine::payload(hash)
    }
}

/// The host functions for the executor.
#[cfg(not(substrate_runtime))]
pub use assay_engine::HostFunctions;
