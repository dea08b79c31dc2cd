// SPDX-License-Identifier: Apache-2.0
//! The host interface between the runtime's off-chain workers and the node's engine: three calls of
//! a few milliseconds each. A node without an engine answers `None`, `false` and nothing.
//!
//! Only `offchain_worker` may call it. The signatures are fixed for good: a change is a new version.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(not(substrate_runtime))]
use alloc::boxed::Box;
use alloc::vec::Vec;
use assay_primitives::{Capabilities, EngineResult, Work};
use sp_runtime_interface::{
    pass_by::{AllocateAndReturnByCodec, PassFatPointerAndDecode},
    runtime_interface,
};

#[cfg(not(substrate_runtime))]
use sp_externalities::ExternalitiesExt;

/// What the node offers to its runtime.
#[cfg(not(substrate_runtime))]
pub trait Mailbox: Send + 'static {
    /// What the engine can do.
    fn capabilities(&self) -> Option<Capabilities>;
    /// Takes work; `false` when the queue is full.
    fn submit(&self, work: Work) -> bool;
    /// Up to `max` results that are not yet over.
    fn poll(&self, max: u32) -> Vec<EngineResult>;
}

#[cfg(not(substrate_runtime))]
sp_externalities::decl_extension! {
    /// The node's mailbox, where its off-chain workers find it.
    pub struct MailboxExt(Box<dyn Mailbox>);
}

/// The calls.
#[runtime_interface]
pub trait AssayEngine {
    /// What the engine can do; `None` where the node has none.
    fn capabilities(&mut self) -> AllocateAndReturnByCodec<Option<Capabilities>> {
        self.extension::<MailboxExt>().and_then(|mailbox| mailbox.0.capabilities())
    }

    /// Asks for something to be done; `false` when it was not taken.
    fn submit(&mut self, work: PassFatPointerAndDecode<Work>) -> bool {
        self.extension::<MailboxExt>().is_some_and(|mailbox| mailbox.0.submit(work))
    }

    /// Up to `max` results that are not yet over.
    fn poll(&mut self, max: u32) -> AllocateAndReturnByCodec<Vec<EngineResult>> {
        self.extension::<MailboxExt>().map(|mailbox| mailbox.0.poll(max)).unwrap_or_default()
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
}

/// The host functions, for the executor.
#[cfg(not(substrate_runtime))]
pub use assay_engine::HostFunctions;
