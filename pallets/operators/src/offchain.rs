// SPDX-License-Identifier: Apache-2.0
//! The off-chain worker. It hands the duties of the operators whose worker keys this node holds to
//! the node's engine, and reports the engine's findings.
//!
//! The worker keeps no record of its actions. Work and reports are functions of the state, so
//! anything lost is derived again at the next block. The node's own storage only remembers
//! extrinsics that are under way: at most one per key, with its nonce.

use crate::{
    handover::Part,
    pallet::{Config, Pallet},
    rotation::duty_of_work,
    submit::{Nonce, SubmitReports},
    types::ReportsOf,
    LOG_TARGET,
};
use alloc::vec::Vec;
use assay_primitives::{
    engine::MAX_RESULTS,
    publication::Chunk,
    traits::{Duties, Duty},
    worker::sr25519::WorkerId,
    Balance, BlockNumber, Engine, EngineResult,
};
use codec::{Decode, Encode};
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_application_crypto::{ByteArray, RuntimeAppPublic};
use sp_runtime::{
    offchain::storage::{MutateStorageError, StorageRetrievalError, StorageValueRef},
    SaturatedConversion,
};

/// The prefix of a [`Guard`]'s key in the node's storage. The worker's public key follows it.
const GUARD_PREFIX: &[u8] = b"assay/operators/guard/";

/// The tip of the first extrinsic that is sent again.
const FIRST_TIP: Balance = 1_000_000;

/// The most times that the tip doubles.
const MAX_DOUBLINGS: u32 = 10;

/// A worker's extrinsic that is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Guard {
    /// The extrinsic's nonce. The guard is void once the chain expects another.
    pub nonce: Nonce,
    /// The block after which the extrinsic was sent.
    pub sent_at: BlockNumber,
    /// The number of extrinsics sent with this nonce before.
    pub retries: u32,
}

impl Guard {
    /// Returns whether it still keeps an extrinsic with that nonce from being sent.
    fn holds<T: Config>(&self, now: BlockNumber, nonce: Nonce) -> bool {
        self.nonce == nonce && now.saturating_sub(self.sent_at) < T::ReportPatience::get()
    }
}

/// A worker whose key this node holds.
struct Local<AccountId> {
    public: WorkerId,
    account: AccountId,
    stash: AccountId,
    part: Part,
}

/// Returns the key of a worker's [`Guard`] in the node's persistent storage.
pub fn guard_key(public: &WorkerId) -> Vec<u8> {
    [GUARD_PREFIX, public.as_slice()].concat()
}

/// Returns the tip of an extrinsic that replaces `retries` others with its nonce: none at first,
/// then a millionth of an ASY, doubled each time up to 1,024 times that. Any increase makes the
/// pool replace the previous extrinsic.
pub fn tip(retries: u32) -> Balance {
    match retries.checked_sub(1) {
        None => 0,
        Some(doublings) => {
            FIRST_TIP.saturating_mul(2u128.saturating_pow(doublings.min(MAX_DOUBLINGS)))
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Runs the off-chain worker after block `now`.
    pub(crate) fn work_and_report(now: BlockNumberFor<T>) {
        if T::Engine::capabilities().is_none() {
            return;
        }
        let local = Self::local_workers();
        if local.is_empty() {
            return;
        }
        for worker in &local {
            Self::submit_work(worker);
        }
        let results = T::Engine::poll(MAX_RESULTS);
        for worker in &local {
            Self::send(now.saturated_into(), worker, &results);
        }
    }

    /// Returns the workers whose keys this node holds and that have duties to attend to.
    fn local_workers() -> Vec<Local<T::AccountId>> {
        let held: Vec<_> = WorkerId::all()
            .into_iter()
            .map(|public| (T::Submitter::worker_account(&public), public))
            .collect();
        let accounts: Vec<_> = held.iter().map(|(account, _)| account.clone()).collect();
        held.into_iter()
            .filter_map(|(account, public)| {
                let (stash, scope) = Self::operator_of(&account)?;
                let part = Self::part_of(&stash, scope, &accounts)?;
                Some(Local { public, account, stash, part })
            })
            .collect()
    }

    /// Hands the duties that the worker attends to to the engine.
    fn submit_work(Local { stash, part, .. }: &Local<T::AccountId>) {
        let mut work = T::Duties::work(stash);
        work.retain(|next| Self::works_for(*part, stash, duty_of_work(next)));
        let count = work.len();
        let taken = work.into_iter().take_while(|next| T::Engine::submit(next.clone())).count();
        if taken < count {
            let left = count.saturating_sub(taken);
            log::warn!(target: LOG_TARGET, "the engine's queue is full, {left} duties wait");
        }
    }

    /// Sends the worker's reports or a chunk, unless an extrinsic is under way. The two take turns, by
    /// nonce and by retry, so that neither keeps the other waiting, not even if it is refused.
    fn send(now: BlockNumber, local: &Local<T::AccountId>, results: &[EngineResult]) {
        let reports = Self::reports_of(local.part, &local.stash, results);
        let reports = ReportsOf::<T>::truncate_from(reports);
        let (worker, public) = (&local.account, &local.public);
        let nonce: Nonce = frame_system::Pallet::<T>::account_nonce(worker).saturated_into();
        if Self::is_under_way(now, public, nonce) {
            log::debug!(target: LOG_TARGET, "{worker:?} waits for its extrinsic {nonce}");
            return;
        }
        // A payload can be large, so it is read only where it can be sent.
        let chunk = Self::chunk_of(local);
        if reports.is_empty() && chunk.is_none() {
            return;
        }
        // Otherwise another run of this worker was faster.
        let Some(guard) = Self::take_guard(now, public, nonce) else { return };
        let turn_of_chunks = nonce.wrapping_add(guard.retries) % 2 == 1;
        match chunk.filter(|_| turn_of_chunks || reports.is_empty()) {
            Some(chunk) => Self::send_chunk(local, chunk, guard),
            None => Self::send_reports(local, reports, guard),
        }
    }

    /// Returns the next chunk that the worker has to publish, of a payload that this node has. A job
    /// whose payload is lost does not keep others waiting.
    fn chunk_of(Local { stash, part, .. }: &Local<T::AccountId>) -> Option<Chunk> {
        let due = T::Duties::chunks_due(stash).into_iter();
        let mut within = due.filter(|next| Self::works_for(*part, stash, Duty::Run(next.job)));
        within.find_map(|next| {
            let payload = T::Engine::payload(next.hash);
            if payload.is_none() {
                log::error!(
                    target: LOG_TARGET,
                    "{stash:?} must publish the payload {:?} of job {:?}, which this node does not have",
                    next.hash,
                    next.job,
                );
            }
            Some(next.cut(&payload?))
        })
    }

    fn send_reports(local: &Local<T::AccountId>, reports: ReportsOf<T>, guard: Guard) {
        let Local { public, account: worker, stash, .. } = local;
        let Guard { nonce, retries, .. } = guard;
        let count = reports.len();
        match T::Submitter::submit(worker, public, reports, nonce, tip(retries)) {
            Ok(()) => log::info!(
                target: LOG_TARGET,
                "{worker:?} sent {count} reports for {stash:?} as its extrinsic {nonce}, retry {retries}",
            ),
            Err(()) => log::warn!(
                target: LOG_TARGET,
                "{count} reports of {worker:?} were not taken as its extrinsic {nonce}, retry {retries}; \
                 does the account have funds for the fee?",
            ),
        }
    }

    fn send_chunk(local: &Local<T::AccountId>, chunk: Chunk, guard: Guard) {
        let Local { public, account: worker, .. } = local;
        let Guard { nonce, retries, .. } = guard;
        let Chunk { job, index, .. } = chunk;
        match T::Submitter::publish(worker, public, chunk, nonce, tip(retries)) {
            Ok(()) => log::info!(
                target: LOG_TARGET,
                "{worker:?} sent chunk {index} of job {job:?} as its extrinsic {nonce}, retry {retries}",
            ),
            Err(()) => log::warn!(
                target: LOG_TARGET,
                "chunk {index} of job {job:?} was not taken as the extrinsic {nonce} of {worker:?}, \
                 retry {retries}; does the account have funds for the fee?",
            ),
        }
    }

    /// Returns whether an extrinsic of the worker with that nonce is under way and not yet overdue.
    fn is_under_way(now: BlockNumber, public: &WorkerId, nonce: Nonce) -> bool {
        let guard = StorageValueRef::persistent(&guard_key(public)).get::<Guard>();
        guard.ok().flatten().is_some_and(|guard| guard.holds::<T>(now, nonce))
    }

    /// Records that the worker's extrinsic with that nonce is being sent. Returns `None` while
    /// another is under way and not yet overdue. A refused extrinsic is treated alike, so that a
    /// worker that cannot send does not try at every block.
    fn take_guard(now: BlockNumber, public: &WorkerId, nonce: Nonce) -> Option<Guard> {
        let key = guard_key(public);
        let next = |found: Result<Option<Guard>, StorageRetrievalError>| match found {
            Ok(Some(guard)) if guard.holds::<T>(now, nonce) => Err(()),
            Ok(Some(guard)) if guard.nonce == nonce => {
                let retries = guard.retries.saturating_add(1);
                Ok(Guard { nonce, sent_at: now, retries })
            }
            _ => Ok(Guard { nonce, sent_at: now, retries: 0 }),
        };
        match StorageValueRef::persistent(&key).mutate(next) {
            Ok(guard) => Some(guard),
            // Another run of this worker was faster.
            Err(MutateStorageError::ConcurrentModification(_))
            | Err(MutateStorageError::ValueFunctionFailed(())) => None,
        }
    }
}
