// SPDX-License-Identifier: Apache-2.0
//! Submission of reports and of chunks to the transaction pool.

use assay_primitives::{publication::Chunk, worker::sr25519::WorkerId, Balance, Report};
use frame_support::{traits::Get, BoundedVec};

/// The number of an account's extrinsic.
pub type Nonce = u32;

/// A component that builds, signs and sends an extrinsic with reports or with a chunk. The runtime implements it,
/// since only the runtime knows the form of its extrinsics.
pub trait SubmitReports<AccountId, MaxReports: Get<u32>> {
    /// Sends [`report`](crate::Pallet::report) with these reports, signed by the worker's key.
    /// Returns `Err(())` if the key is not in the keystore or the pool does not take the extrinsic;
    /// the pool does not say why.
    #[allow(clippy::result_unit_err)]
    fn submit(
        worker: &AccountId,
        public: &WorkerId,
        reports: BoundedVec<Report, MaxReports>,
        nonce: Nonce,
        tip: Balance,
    ) -> Result<(), ()>;

    /// Sends a chunk that the operator publishes, signed by the worker's key. Fails as [`submit`] does.
    ///
    /// [`submit`]: Self::submit
    #[allow(clippy::result_unit_err)]
    fn publish(
        worker: &AccountId,
        public: &WorkerId,
        chunk: Chunk,
        nonce: Nonce,
        tip: Balance,
    ) -> Result<(), ()>;

    /// Returns the account of a worker's key.
    fn worker_account(public: &WorkerId) -> AccountId;
}

/// No pool takes anything. Without a meaning for accounts that have no default, and so for those of
/// a real chain.
impl<AccountId: Default, MaxReports: Get<u32>> SubmitReports<AccountId, MaxReports> for () {
    fn submit(
        _: &AccountId,
        _: &WorkerId,
        _: BoundedVec<Report, MaxReports>,
        _: Nonce,
        _: Balance,
    ) -> Result<(), ()> {
        Err(())
    }

    fn publish(_: &AccountId, _: &WorkerId, _: Chunk, _: Nonce, _: Balance) -> Result<(), ()> {
        Err(())
    }

    fn worker_account(_: &WorkerId) -> AccountId {
        AccountId::default()
    }
}
