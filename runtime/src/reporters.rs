// SPDX-License-Identifier: Apache-2.0
//! The check that the room for operational extrinsics goes to workers whose reports are taken.

use crate::{AccountId, Operators, Runtime, RuntimeCall, RuntimeOrigin};
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
    dispatch::{DispatchClass, DispatchInfo},
    ensure,
    traits::OriginTrait,
    weights::{constants::ParityDbWeight, Weight},
};
use scale_info::TypeInfo;
use sp_runtime::{
    impl_tx_ext_default,
    traits::{TransactionExtension, ValidateResult},
    transaction_validity::{InvalidTransaction, TransactionSource},
};

/// The reason for which a report is not admitted to a block in which too many of its operator failed.
pub const REPORTS_FAIL: u8 = 1;

/// Refuses operational extrinsics, but for reports of workers and what the sudo key signs.
///
/// Reports are operational, so that a block full of other extrinsics never makes an operator late.
/// Without this check anyone could fill that room too: with reports that fail, with calls of root, which
/// are operational and fail after they are paid for, or with batches of either. A worker is refused for the
/// rest of a block once too many reports for its operator failed in it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo,
)]
pub struct CheckReporter;

impl TransactionExtension<RuntimeCall> for CheckReporter {
    const IDENTIFIER: &'static str = "CheckReporter";
    type Implicit = ();
    type Pre = ();
    type Val = ();

    fn weight(&self, _: &RuntimeCall) -> Weight {
        // The worker, the operator whose worker it was before and its refused reports; or the sudo key.
        ParityDbWeight::get().reads(3)
    }

    fn validate(
        &self,
        origin: RuntimeOrigin,
        call: &RuntimeCall,
        info: &DispatchInfo,
        _len: usize,
        _implicit: (),
        _inherited: &impl Encode,
        _source: TransactionSource,
    ) -> ValidateResult<(), RuntimeCall> {
        let operational = info.class == DispatchClass::Operational;
        if let Some(signer) = origin.as_signer().filter(|_| operational) {
            ensure_admitted(signer, call)?;
        }
        Ok((Default::default(), (), origin))
    }

    impl_tx_ext_default!(RuntimeCall; prepare);
}

/// Refuses an operational call that is neither a report of a worker nor signed by the sudo key.
fn ensure_admitted(signer: &AccountId, call: &RuntimeCall) -> Result<(), InvalidTransaction> {
    match call {
        RuntimeCall::Operators(pallet_operators::Call::report { reports }) => {
            // It fails whoever sends it, and no refused report is counted.
            ensure!(!reports.is_empty(), InvalidTransaction::Call);
            let operator = Operators::stash_of(signer).ok_or(InvalidTransaction::BadSigner)?;
            let failing = InvalidTransaction::Custom(REPORTS_FAIL);
            ensure!(Operators::can_report(&operator), failing);
        }
        _ => {
            let root = pallet_sudo::Key::<Runtime>::get().as_ref() == Some(signer);
            ensure!(root, InvalidTransaction::BadSigner);
        }
    }
    Ok(())
}
