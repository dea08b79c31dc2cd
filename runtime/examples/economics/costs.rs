// SPDX-License-Identifier: Apache-2.0
//! Costs that are not part of a job: full blocks, and a record of accepted jobs.

use crate::{
    blockspace::{fill_block, fits, report_call},
    stage::{self, Led},
    strategy::{Client, Conduct, Order},
};
use assay_primitives::Balance;
use assay_runtime::{configs::BlockWeights, Runtime, TransactionPayment, MICRO_UNIT, UNIT};
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    traits::Get,
    weights::Weight,
};

/// The blocks that must be full for a job with the shortest deadline to be late.
pub const FULL_BLOCKS: u32 = 5;

/// The tip with which a report is included before those of honest workers, which tip only after four
/// blocks.
const TIP: Balance = 10 * MICRO_UNIT;

/// Returns an amount in ASY.
pub fn asy(amount: i128) -> f64 {
    amount as f64 / UNIT as f64
}

/// Returns the fees of a block that is filled in quiet times, so that no other normal extrinsic fits into
/// it, or no other report.
///
/// # Panics
///
/// If a report fits into the block that is filled with reports, or none into the other.
pub fn full_block(with_reports: bool) -> f64 {
    stage::on_chain(|| {
        let (class, call) = if with_reports {
            (DispatchClass::Operational, report_call(16))
        } else {
            // The cheapest call for its weight: no bytes, and nothing but weight.
            (DispatchClass::Normal, frame_system::Call::remark { remark: vec![] }.into())
        };
        fill_block(class);
        assert_eq!(fits(&report_call(1)), !with_reports, "the room for reports is not as expected");
        let limits = BlockWeights::get();
        let most = limits.get(class).max_total.unwrap_or(limits.max_block).ref_time();
        if !with_reports {
            let weight = Weight::from_parts(most, 0);
            return asy(TransactionPayment::weight_to_fee(weight) as i128);
        }
        // Reports of jobs that do not exist are refused, and pay.
        let base = limits.get(class).base_extrinsic.ref_time();
        let each = call.get_dispatch_info().total_weight().ref_time() + base;
        asy((most / each) as i128 * (stage::fee(&call) + TIP) as i128)
    })
}

/// Returns the cost of a record with which an operator is audited at the floor: jobs for itself of a
/// token each, at the lowest price, as many as that takes, audited at the rates on the way.
pub fn record() -> f64 {
    let own = Conduct { order: Order::TINY, client: Client::InGroup, ..Conduct::HONEST };
    let cost = |path: &[u32]| match stage::play(&own, path) {
        Led::Over(ended) => -asy(ended.gain),
        Led::To(chance) => panic!("{chance:?} is open after {path:?}"),
    };
    let (unaudited, audited) = (cost(&[0]), cost(&[1, 0, 0]));
    let (all, floor) = stage::on_chain(|| {
        let all: u32 = <Runtime as pallet_verification::Config>::AuditAllFirst::get();
        (f64::from(all), stage::audit_floor())
    });
    (0..)
        .map(|record| if f64::from(record) < all { 1.0 } else { all / f64::from(record) })
        .take_while(|rate| *rate > floor)
        .map(|rate| rate * audited + (1.0 - rate) * unaudited)
        .sum()
}
