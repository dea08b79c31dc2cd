// SPDX-License-Identifier: Apache-2.0
//! A job as the pallet stores it.

use assay_primitives::{
    engine::Task,
    job::{JobId, JobSpec, JobState, Payment},
    BlockNumber,
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// The most operators that can be drawn for one job: the bound of `MaxAttempts`.
pub const MAX_ATTEMPTS: u32 = 16;

/// A job.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Job<AccountId> {
    /// The client that bought it.
    pub client: AccountId,
    /// The order.
    pub spec: JobSpec<AccountId>,
    /// The payment that was put on hold. It outlives the escrow.
    pub payment: Payment,
    /// Block in which it was created.
    pub created: BlockNumber,
    /// Block from which an operator is sought: that one, or that in which the last one was late.
    pub since: BlockNumber,
    /// The operators that were drawn for it, the latest last. None is drawn twice.
    pub drawn: BoundedVec<AccountId, ConstU32<MAX_ATTEMPTS>>,
    /// The number of operators that declined it because the client's node does not serve the prompt
    /// that the job promises.
    pub unserved: u8,
    /// The operators that declined it in time, for whatever reason, until another accepts it.
    pub declined: BoundedVec<AccountId, ConstU32<MAX_ATTEMPTS>>,
    /// Whether the operator that was drawn last was drawn among enough others: only then the job tells of
    /// it how good it is.
    pub routed: bool,
    /// Where it is.
    pub state: JobState<AccountId>,
}

impl<AccountId: PartialEq + Encode> Job<AccountId> {
    /// The earliest block in which it can be assigned, but for the one that it is sought from.
    pub fn opens(&self) -> BlockNumber {
        self.since.max(self.spec.not_before)
    }

    /// The last block in which it can be assigned.
    pub fn open_until(&self) -> BlockNumber {
        self.opens().saturating_add(self.spec.deadline)
    }

    /// Returns the number of operators that were drawn for it.
    pub fn attempts(&self) -> u8 {
        u8::try_from(self.drawn.len()).unwrap_or(u8::MAX)
    }

    /// Whether the operator can be drawn for it.
    pub fn admits(&self, operator: &AccountId) -> bool {
        let allowed = &self.spec.allowed;
        *operator != self.client
            && (allowed.is_empty() || allowed.contains(operator))
            && !self.drawn.contains(operator)
    }

    /// Whether its client names no operators.
    pub fn is_open_to_all(&self) -> bool {
        self.spec.allowed.is_empty()
    }

    /// Returns the task of the operator that runs it.
    pub fn task(&self, id: &JobId, operator: &AccountId) -> Task {
        Task::new(id, operator, &self.spec)
    }
}
