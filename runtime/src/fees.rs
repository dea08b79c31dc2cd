// SPDX-License-Identifier: Apache-2.0
//! The multiplier of fees, which follows the demand for blocks.

use crate::{Runtime, System};
use core::marker::PhantomData;
use frame_support::{dispatch::DispatchClass, traits::Get};
use pallet_transaction_payment::{Multiplier, MultiplierUpdate};
use sp_runtime::{
    traits::{Convert, Saturating},
    FixedPointNumber, Perquintill,
};

/// Raises fees while blocks are fuller than a target, and lowers them while they are emptier, as
/// `TargetedFeeAdjustment` does. That one looks at normal extrinsics alone; here the operational ones
/// count as well, so that extrinsics with reports that fail become dearer too. Blocks are limited by their
/// time, so the size of proofs does not count.
///
/// `Target` is the fullness, as a part of what normal extrinsics may fill; `Speed`, `Least` and `Most` are
/// the speed of the adjustment and its limits.
pub struct FeesFollowDemand<Target, Speed, Least, Most>(PhantomData<(Target, Speed, Least, Most)>);

impl<
        Target: Get<Perquintill>,
        Speed: Get<Multiplier>,
        Least: Get<Multiplier>,
        Most: Get<Multiplier>,
    > MultiplierUpdate for FeesFollowDemand<Target, Speed, Least, Most>
{
    fn min() -> Multiplier {
        Least::get()
    }

    fn max() -> Multiplier {
        Most::get()
    }

    fn target() -> Perquintill {
        Target::get()
    }

    fn variability() -> Multiplier {
        Speed::get()
    }
}

impl<
        Target: Get<Perquintill>,
        Speed: Get<Multiplier>,
        Least: Get<Multiplier>,
        Most: Get<Multiplier>,
    > Convert<Multiplier, Multiplier> for FeesFollowDemand<Target, Speed, Least, Most>
{
    fn convert(previous: Multiplier) -> Multiplier {
        let (least, most) = (Least::get(), Most::get());
        // A limit that was raised counts at once.
        let previous = previous.max(least);
        let limits = <Runtime as frame_system::Config>::BlockWeights::get();
        let room = limits.get(DispatchClass::Normal).max_total.unwrap_or(limits.max_block);
        let used = System::block_weight();
        let used = used
            .get(DispatchClass::Normal)
            .saturating_add(*used.get(DispatchClass::Operational))
            .ref_time()
            .min(room.ref_time());
        let target = Target::get() * room.ref_time();
        let distance =
            Multiplier::saturating_from_rational(used.abs_diff(target), room.ref_time().max(1));
        // The first two terms of the exponential function.
        let step = Speed::get().saturating_mul(distance);
        let half = step.saturating_mul(step) / Multiplier::saturating_from_integer(2);
        if used >= target {
            let excess = step.saturating_add(half).saturating_mul(previous);
            previous.saturating_add(excess).clamp(least, most)
        } else {
            let lack = step.saturating_sub(half).saturating_mul(previous);
            previous.saturating_sub(lack).clamp(least, most)
        }
    }
}
