// SPDX-License-Identifier: Apache-2.0
//! How reports get into the transaction pool.

use assay_primitives::{worker::sr25519::WorkerId, Balance, Report};
use frame_support::{traits::Get, BoundedVec};

/// Number of the next extrinsic of an account.
pub type Nonce = u32;

/// Builds, signs and sends an extrinsic with reports. The runtime implements it, which alone knows
/// the form of its extrinsics.
pub trait SubmitReports<AccountId, MaxReports: Get<u32>> {
    /// Sends [`report`](crate::Pallet::report) with these reports, signed by the worker's key.
    /// `Err(())` where the key is not in the keystore or the pool does not take the extrinsic; the
    /// pool does not say why.
    #[allow(clippy::result_unit_err)]
    fn submit(
        worker: &AccountId,
        public: &WorkerId,
        reports: BoundedVec<Report, MaxReports>,
        nonce: Nonce,
        tip: Balance,
    ) -> Result<(), ()>;

    /// The account of a worker's key.
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

    fn worker_account(_: &WorkerId) -> AccountId {
        AccountId::default()
    }
}
