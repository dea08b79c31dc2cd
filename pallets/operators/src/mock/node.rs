// SPDX-License-Identifier: Apache-2.0
//! The node that the off-chain worker runs on: an engine and a transaction pool.

use crate::{Nonce, SubmitReports};
use assay_primitives::{
    publication::Chunk, testing::model, worker::sr25519::WorkerId, Balance, Capabilities, Engine,
    EngineResult, Report, Work,
};
use frame_support::{parameter_types, traits::ConstU32, BoundedVec};
use sp_application_crypto::ByteArray;
use sp_core::H256;

type AccountId = u64;

parameter_types! {
    /// Whether the node has an engine.
    pub static HasEngine: bool = true;
    /// The number of further pieces of work that the engine's queue takes.
    pub static QueueSpace: usize = usize::MAX;
    /// The work that the engine was asked to do.
    pub static Queue: Vec<Work> = vec![];
    /// The results of the engine.
    pub static Results: Vec<EngineResult> = vec![];
    /// The number of times that the engine was asked for results.
    pub static Polls: u32 = 0;
    /// Whether the pool takes extrinsics.
    pub static PoolOpen: bool = true;
    /// The extrinsics that were sent.
    pub static Pool: Vec<Sent> = vec![];
    /// The payloads that the node has.
    pub static Payloads: Vec<(H256, Vec<u8>)> = vec![];
    /// The chunks that were sent, each with its nonce.
    pub static Published: Vec<(Chunk, Nonce)> = vec![];
}

/// An engine that records what it is asked.
pub struct RecordingEngine;

impl Engine for RecordingEngine {
    fn capabilities() -> Option<Capabilities> {
        HasEngine::get().then(|| Capabilities { models: vec![model(1)] })
    }

    fn submit(work: Work) -> bool {
        let taken = QueueSpace::get() > Queue::get().len();
        if taken {
            Queue::mutate(|queue| queue.push(work));
        }
        taken
    }

    fn poll(max: u32) -> Vec<EngineResult> {
        Polls::mutate(|polls| *polls += 1);
        Results::get().into_iter().take(max as usize).collect()
    }

    fn payload(hash: H256) -> Option<Vec<u8>> {
        Payloads::get().into_iter().find(|(of, _)| *of == hash).map(|(_, payload)| payload)
    }
}

/// An extrinsic that was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    pub worker: AccountId,
    pub public: WorkerId,
    pub reports: Vec<Report>,
    pub nonce: Nonce,
    pub tip: Balance,
}

/// A pool that records what it is sent.
pub struct RecordingSubmitter;

impl SubmitReports<AccountId, ConstU32<3>> for RecordingSubmitter {
    fn submit(
        worker: &AccountId,
        public: &WorkerId,
        reports: BoundedVec<Report, ConstU32<3>>,
        nonce: Nonce,
        tip: Balance,
    ) -> Result<(), ()> {
        let sent =
            Sent { worker: *worker, public: public.clone(), reports: reports.into(), nonce, tip };
        Pool::mutate(|pool| pool.push(sent));
        PoolOpen::get().then_some(()).ok_or(())
    }

    fn publish(
        _: &AccountId,
        _: &WorkerId,
        chunk: Chunk,
        nonce: Nonce,
        _: Balance,
    ) -> Result<(), ()> {
        Published::mutate(|published| published.push((chunk, nonce)));
        PoolOpen::get().then_some(()).ok_or(())
    }

    fn worker_account(public: &WorkerId) -> AccountId {
        let mut head = [0; 8];
        head.copy_from_slice(&public.as_slice()[..8]);
        AccountId::from_le_bytes(head)
    }
}
