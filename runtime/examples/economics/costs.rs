// SPDX-License-Identifier: Apache-2.0
//! Costs that are not part of a job: full blocks, and a record of accepted jobs.

use crate::{
    assumptions::PRICES,
    blockspace::{fill_block, fits, report_call},
    stage::{self, Led},
    strategy::{Client, Conduct, Order},
};
use assay_primitives::Balance;
use assay_runtime::{
    configs::BlockWeights, parameters::Deposit, Runtime, TransactionPayment, MICRO_UNIT, UNIT,
};
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
        asy(i128::from(stuffers()) * (stage::fee(&call) + TIP) as i128)
    })
}

/// Returns the number of operators whose workers it takes to fill a block with reports that fail: each has
/// room for one full extrinsic of them.
pub fn stuffers() -> u64 {
    let class = DispatchClass::Operational;
    let limits = BlockWeights::get();
    let most = limits.get(class).max_total.unwrap_or(limits.max_block).ref_time();
    let base = limits.get(class).base_extrinsic.ref_time();
    most / (report_call(16).get_dispatch_info().total_weight().ref_time() + base)
}

/// The orders for each job for which an operator is drawn itself, if it has the hundredth part of the stake
/// and half of the others could have it.
const ORDERS: f64 = 50.5;

/// Returns what it costs to create a job, and to cancel it when another operator was drawn for it and has
/// declined, because it did not get the prompt: fees, and the deposit.
pub fn withdrawn() -> f64 {
    stage::on_chain(|| {
        let cancel = pallet_jobs::Call::<Runtime>::cancel { job: Default::default() };
        let fees = stage::creation_fee(&crate::scene::spec(1, 1)) + stage::fee(&cancel.into());
        let deposit: Balance = Deposit::get();
        asy((fees + deposit) as i128)
    })
}

/// Returns the cost of a record with which an operator is audited at the floor: jobs for itself that count
/// whole, at the price of the market, as many as that takes, audited at the rates on the way. Those for which
/// others are drawn are cancelled.
pub fn record() -> f64 {
    let whole = stage::on_chain(<Runtime as pallet_verification::Config>::RecordFee::get);
    let tokens = u32::try_from(whole / PRICES.output).expect("a job that counts whole is short");
    let order = Order { input: 1, most: tokens, tokens, ..Order::REFERENCE };
    let own = Conduct { order, client: Client::InGroup, ..Conduct::HONEST };
    let cost = |path: &[u32]| match stage::play(&own, path) {
        Led::Over(ended) => -asy(ended.gain),
        Led::To(chance) => panic!("{chance:?} is open after {path:?}"),
    };
    let (unaudited, audited) = (cost(&[0]), cost(&[1, 0, 0]));
    let withdrawn = withdrawn();
    let (all, floor) = stage::on_chain(|| {
        let all: u32 = <Runtime as pallet_verification::Config>::AuditAllFirst::get();
        (f64::from(all), stage::audit_floor())
    });
    (0..)
        .map(|record| if f64::from(record) < all { 1.0 } else { all / f64::from(record) })
        .take_while(|rate| *rate > floor)
        // An output that is not audited does not count.
        .map(|rate| audited + (1.0 / rate - 1.0) * unaudited + (ORDERS - 1.0) / rate * withdrawn)
        .sum()
}
