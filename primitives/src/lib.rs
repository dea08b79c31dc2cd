// SPDX-License-Identifier: Apache-2.0
//! Types that every part of Assay must agree on: identifiers, the specification of a job,
//! commitments and verdicts, the reports that workers send, the traits through which the pallets
//! know each other, and the runtime APIs.
//!
//! Dependencies point one way: primitives, pallets, runtime, node. Nothing in this crate depends on
//! a pallet.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod address;
pub mod agenda;
pub mod api;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
pub mod contact;
pub mod digest;
pub mod draw;
pub mod engine;
pub mod honesty;
pub mod job;
pub mod parameters;
pub mod prices;
pub mod publication;
pub mod reason;
pub mod report;
pub mod request;
pub mod sample;
pub mod settlement;
#[cfg(feature = "std")]
pub mod testing;
pub mod ticket;
pub mod traits;
pub mod verdict;
pub mod worker;

pub use address::{AddressError, AssayAddress};
pub use contact::Contact;
pub use digest::digest_key;
pub use engine::{Capabilities, Engine, EngineResult, Task, Work};
pub use job::{
    job_id, FinishReason, JobId, JobSpec, JobState, ModelId, NumericProfile, OutputCommitment,
    OutputKey, Payment, PeerIdBytes, Privacy, Sampling, Verification,
};
pub use prices::{FeeTerms, Prices};
pub use reason::{AbstainReason, DeclineReason, RejectReason, VacateReason};
pub use report::{heartbeat_answer, Report};
pub use request::{Request, RequestError};
pub use settlement::{Challenge, Outcome, Settlement};
pub use verdict::{verdict_hash, Verdict};

/// The number of a block. A slot lasts three seconds.
pub type BlockNumber = u32;

/// An amount of ASY in its smallest unit, 10^-12.
pub type Balance = u128;
