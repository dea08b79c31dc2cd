// SPDX-License-Identifier: Apache-2.0
//! The room of a block, and the extrinsics that fill it.

use assay_primitives::Report;
use assay_runtime::{configs::BlockWeights, Runtime, RuntimeCall, System};
use codec::Encode;
use frame_support::dispatch::{DispatchClass, GetDispatchInfo};
use frame_system::CheckWeight;

/// Fills what extrinsics of the class can fill of the block.
pub fn fill_block(class: DispatchClass) {
    let limits = BlockWeights::get();
    let most = limits.get(class).max_total.unwrap_or(limits.max_block);
    System::register_extra_weight_unchecked(most, class);
}

/// Returns whether the call still fits into the block.
pub fn fits(call: &RuntimeCall) -> bool {
    let (info, len) = (call.get_dispatch_info(), call.encoded_size());
    let next = CheckWeight::<Runtime>::do_validate(&info, len);
    next.is_ok_and(|(_, next)| CheckWeight::<Runtime>::do_prepare(&info, len, next).is_ok())
}

/// Returns an extrinsic with so many reports, of a job that does not exist.
pub fn report_call(reports: usize) -> RuntimeCall {
    let reports = vec![Report::Accept { job: Default::default() }; reports];
    pallet_operators::Call::report { reports: reports.try_into().unwrap() }.into()
}
