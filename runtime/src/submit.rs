// SPDX-License-Identifier: Apache-2.0
//! The signing of reports by the off-chain worker.

use crate::{
    AccountId, Balance, Nonce, Runtime, RuntimeCall, Signature, SignedPayload, System, TxExtension,
    UncheckedExtrinsic,
};
use assay_primitives::{
    publication::Chunk,
    worker::{sr25519::WorkerId, KEY_TYPE},
    Report,
};
use codec::Encode;
use frame_support::{traits::Get, BoundedVec};
use sp_runtime::{
    generic::Era,
    traits::{IdentifyAccount, SaturatedConversion},
    MultiSigner,
};

/// The number of blocks in which a report can be included before it has to be signed again.
const LIFETIME: u64 = 32;

/// The submitter that signs with the worker key in the node's keystore and hands the extrinsic to
/// the node's pool.
pub struct SignedReports;

impl<MaxReports: Get<u32>> pallet_operators::SubmitReports<AccountId, MaxReports> for SignedReports
where
    RuntimeCall: From<pallet_operators::Call<Runtime>>,
    BoundedVec<Report, MaxReports>:
        Into<BoundedVec<Report, <Runtime as pallet_operators::Config>::MaxReports>>,
{
    fn submit(
        worker: &AccountId,
        public: &WorkerId,
        reports: BoundedVec<Report, MaxReports>,
        nonce: Nonce,
        tip: Balance,
    ) -> Result<(), ()> {
        let call = pallet_operators::Call::<Runtime>::report { reports: reports.into() };
        send(call.into(), worker, public, nonce, tip)
    }

    fn publish(
        worker: &AccountId,
        public: &WorkerId,
        chunk: Chunk,
        nonce: Nonce,
        tip: Balance,
    ) -> Result<(), ()> {
        let Chunk { job, part, index, last, bytes } = chunk;
        let call = pallet_verification::Call::<Runtime>::publish { job, part, index, last, bytes };
        send(call.into(), worker, public, nonce, tip)
    }

    fn worker_account(public: &WorkerId) -> AccountId {
        MultiSigner::Sr25519(public.clone().into()).into_account()
    }
}

/// Signs a call with the worker's key and hands it to the node's pool.
fn send(
    call: RuntimeCall,
    worker: &AccountId,
    public: &WorkerId,
    nonce: Nonce,
    tip: Balance,
) -> Result<(), ()> {
    // The current block is not yet in the history when an off-chain worker runs.
    let current = System::block_number().saturated_into::<u64>().saturating_sub(1);
    let payload = SignedPayload::new(call, extension(nonce, tip, Era::mortal(LIFETIME, current)))
        .map_err(|_| ())?;
    let signature = payload
        .using_encoded(|bytes| sp_io::crypto::sr25519_sign(KEY_TYPE, public.as_ref(), bytes))
        .ok_or(())?;
    let (call, extension, _) = payload.deconstruct();
    let extrinsic = UncheckedExtrinsic::new_signed(
        call,
        worker.clone().into(),
        Signature::Sr25519(signature),
        extension,
    );
    sp_io::offchain::submit_transaction(extrinsic.encode())
}

/// Returns the extensions that an extrinsic of this runtime carries in addition to its call.
pub fn extension(nonce: Nonce, tip: Balance, era: Era) -> TxExtension {
    (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(era),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(tip),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        crate::reporters::CheckReporter,
        frame_system::WeightReclaim::new(),
    )
}
