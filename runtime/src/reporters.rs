// SPDX-License-Identifier: Apache-2.0
//! The check that the room for operational extrinsics goes to workers.

use crate::{Operators, Runtime, RuntimeCall, RuntimeOrigin};
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

/// Refuses operational extrinsics, but for reports of workers and what the sudo key signs.
///
/// Reports are operational, so that a block full of other extrinsics never makes an operator late.
/// Without this check anyone could fill that room too: with reports that fail, with calls of root, which
/// are operational and fail after they are paid for, or with batches of either.
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
        // The worker and the operator whose worker it was before, or the sudo key.
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
        let operational = info.class == DispatchClass::Operational;
        if let Some(signer) = origin.as_signer().filter(|_| operational) {
            let allowed = match call {
                RuntimeCall::Operators(pallet_operators::Call::report { .. }) => {
                    Operators::stash_of(signer).is_some()
                }
                _ => pallet_sudo::Key::<Runtime>::get().as_ref() == Some(signer),
            };
            if !allowed {
                return Err(InvalidTransaction::BadSigner.into());
            }
        }
        Ok((Default::default(), (), origin))
    }

    impl_tx_ext_default!(RuntimeCall; prepare);
}
