// SPDX-License-Identifier: Apache-2.0
//! The check that the room for operational extrinsics goes to workers.

use crate::{Operators, RuntimeCall, RuntimeOrigin};
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
    dispatch::{DispatchClass, DispatchInfo},
    traits::OriginTrait,
    weights::{constants::ParityDbWeight, Weight},
};
use scale_info::TypeInfo;
use sp_runtime::{
    impl_tx_ext_default,
    traits::{TransactionExtension, ValidateResult},
    transaction_validity::{InvalidTransaction, TransactionSource},
};

/// Refuses reports, and batches of them, of accounts that are not workers.
///
/// Reports are operational, so that a block full of other extrinsics never makes an operator late.
/// Without this check anyone could fill that room too, with reports that fail.
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
        // The worker, and the operator whose worker it was before.
        ParityDbWeight::get().reads(2)
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
        let reports = match call {
            RuntimeCall::Operators(pallet_operators::Call::report { .. }) => true,
            // A batch is operational if all of its calls are.
            RuntimeCall::Utility(_) => info.class == DispatchClass::Operational,
            _ => false,
        };
        let signer = origin.as_signer().filter(|_| reports);
        if signer.is_some_and(|signer| Operators::stash_of(signer).is_none()) {
            return Err(InvalidTransaction::BadSigner.into());
        }
        Ok((Default::default(), (), origin))
    }

    impl_tx_ext_default!(RuntimeCall; prepare);
}
