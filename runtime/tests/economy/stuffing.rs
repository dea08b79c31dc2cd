// SPDX-License-Identifier: Apache-2.0
//! A client fills blocks with extrinsics of its own, so that the reports of workers are not included
//! and their operators are late.

use crate::{blockspace::*, scene::*};
use assay_runtime::{
    presets,
    reporters::{CheckReporter, REPORTS_FAIL},
    AccountId, Runtime, RuntimeCall, RuntimeOrigin, System, TransactionPayment,
};
use codec::Encode;
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    traits::Hooks,
};
use sp_runtime::{
    traits::{DispatchTransaction, Dispatchable, One},
    transaction_validity::{InvalidTransaction, TransactionSource},
    FixedU128,
};

fn other_call() -> RuntimeCall {
    frame_system::Call::remark { remark: vec![] }.into()
}

#[test]
fn reports_fit_into_a_block_that_is_full_of_other_extrinsics() {
    on_chain(|| {
        assert!(fits(&other_call()));
        fill_block(DispatchClass::Normal);
        assert!(!fits(&other_call()));
        assert!(fits(&report_call(1)));
    });
}

#[test]
fn room_for_reports_is_for_workers_alone() {
    on_chain(|| {
        let batch =
            |calls: Vec<RuntimeCall>| pallet_utility::Call::<Runtime>::batch { calls }.into();
        let accepts = |who: AccountId, call: &RuntimeCall| {
            let (info, len) = (call.get_dispatch_info(), call.encoded_size());
            let origin = RuntimeOrigin::signed(who);
            CheckReporter.validate_only(origin, call, &info, len, TransactionSource::External, 0)
        };
        let worker = presets::worker_of(presets::DEVELOPMENT_OPERATORS[0]);
        let refused = Some(InvalidTransaction::BadSigner.into());
        assert!(accepts(worker.clone(), &report_call(1)).is_ok());
        assert_eq!(accepts(client(), &report_call(1)).err(), refused);
        let of_root: RuntimeCall = frame_system::Call::set_storage { items: vec![] }.into();
        let by_sudo = pallet_sudo::Call::sudo { call: Box::new(of_root.clone()) }.into();
        let batches = [&report_call(1), &of_root].map(|call| batch(vec![call.clone(); 2]));
        let sudo = pallet_sudo::Key::<Runtime>::get().unwrap();
        for call in batches.into_iter().chain([of_root, by_sudo]) {
            assert_eq!(call.get_dispatch_info().class, DispatchClass::Operational);
            assert_eq!(accepts(client(), &call).err(), refused, "{call:?}");
            assert_eq!(accepts(worker.clone(), &call).err(), refused, "{call:?}");
            assert!(accepts(sudo.clone(), &call).is_ok(), "{call:?}");
        }
        for call in [other_call(), batch(vec![other_call(), report_call(1)])] {
            assert_eq!(call.get_dispatch_info().class, DispatchClass::Normal);
            assert!(accepts(client(), &call).is_ok());
        }
    });
}

#[test]
fn fees_rise_while_blocks_are_full_and_fall_to_what_they_were() {
    for class in [DispatchClass::Normal, DispatchClass::Operational] {
        on_chain(|| fees_follow(class));
    }
}

/// Fills blocks with extrinsics of the class, and empties them again.
fn fees_follow(class: DispatchClass) {
    let multiplier = || TransactionPayment::next_fee_multiplier();
    let end_block = |full: bool| {
        let next = System::block_number() + 1;
        System::initialize(&next, &Default::default(), &Default::default());
        if full {
            fill_block(class);
        }
        TransactionPayment::on_finalize(System::block_number());
    };
    assert_eq!(multiplier(), FixedU128::one());
    for _ in 0..1_000 {
        end_block(true);
    }
    // About 50 minutes.
    assert!(multiplier() > FixedU128::from_rational(15, 10), "{:?}", multiplier());
    for _ in 0..5_000 {
        end_block(false);
    }
    assert_eq!(multiplier(), FixedU128::one());
}

/// Lets the worker send extrinsics with so many reports that fail, as long as the runtime admits them to the
/// block; returns how many it did.
fn stuff(worker: &AccountId, reports: usize) -> usize {
    let call = report_call(reports);
    let (info, len) = (call.get_dispatch_info(), call.encoded_size());
    for sent in 0..1_000 {
        let origin = RuntimeOrigin::signed(worker.clone());
        let source = TransactionSource::InBlock;
        match CheckReporter.validate_only(origin.clone(), &call, &info, len, source, 0) {
            Ok(_) => assert!(call.clone().dispatch(origin).is_ok()),
            Err(error) => {
                assert_eq!(error, InvalidTransaction::Custom(REPORTS_FAIL).into());
                return sent;
            }
        }
    }
    panic!("the worker fills the block");
}

#[test]
fn extrinsic_without_reports_gets_no_room() {
    on_chain(|| {
        let call = report_call(0);
        let origin = RuntimeOrigin::signed(presets::worker_of(presets::DEVELOPMENT_OPERATORS[0]));
        let (info, len) = (call.get_dispatch_info(), call.encoded_size());
        let source = TransactionSource::External;
        let checked = CheckReporter.validate_only(origin, &call, &info, len, source, 0);
        assert_eq!(checked.err(), Some(InvalidTransaction::Call.into()));
    });
}

#[test]
fn worker_whose_reports_fail_does_not_fill_the_room_for_reports() {
    on_chain(|| {
        let [own, other] = [0, 1].map(|n| presets::worker_of(presets::DEVELOPMENT_OPERATORS[n]));
        assert_eq!(stuff(&own, 16), 1);
        // No other worker is kept from reporting, and the next block has room again.
        assert_eq!(stuff(&other, 1), 16);
        next_block();
        assert_eq!(stuff(&own, 9), 2);
    });
}
