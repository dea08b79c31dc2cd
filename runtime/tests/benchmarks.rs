// SPDX-License-Identifier: Apache-2.0
//! Each benchmark runs on this runtime with the genesis for which the weights are measured. The mocks of the
//! pallets run them as well, with limits and prices that hide what only this runtime refuses.

#![cfg(feature = "runtime-benchmarks")]
#![allow(missing_docs)]

mod chain;

use assay_runtime::{presets, Runtime};
use frame_benchmarking::{
    runtime_decl_for_benchmark::BenchmarkV2, BenchmarkConfig, BenchmarkMetadata,
};
use sc_client_db::bench::BenchmarkingState;
use sp_externalities::{set_and_run_with_externalities, Extensions};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{Ext, OverlayedChanges};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Runs `f` on a state that benchmarks can commit and reset, with the development genesis.
fn with_state<R>(f: impl FnOnce() -> R) -> R {
    let genesis = chain::genesis(presets::development());
    let state = BenchmarkingState::<BlakeTwo256>::new(genesis, None, false, true).unwrap();
    let mut changes = OverlayedChanges::default();
    let mut extensions = Extensions::new();
    extensions.register(KeystoreExt::new(MemoryKeystore::new()));
    let mut ext = Ext::new(&mut changes, &state, Some(&mut extensions));
    set_and_run_with_externalities(&mut ext, f)
}

/// Runs the benchmark once with the least and once with the most of each component, and checks what it
/// did.
fn run(pallet: &[u8], instance: &[u8], benchmark: &BenchmarkMetadata) -> Result<(), String> {
    let least = benchmark.components.iter().map(|(name, least, _)| (*name, *least)).collect();
    let most = benchmark.components.iter().map(|(name, _, most)| (*name, *most)).collect();
    for selected_components in [least, most] {
        let config = BenchmarkConfig {
            pallet: pallet.to_vec(),
            instance: instance.to_vec(),
            benchmark: benchmark.name.clone(),
            selected_components,
            verify: true,
            internal_repeats: 1,
        };
        let run = AssertUnwindSafe(|| with_state(|| Runtime::dispatch_benchmark(config)));
        let batches = catch_unwind(run).map_err(|_| String::from("it panicked"))??;
        if batches.is_empty() {
            return Err("it did not run".into());
        }
    }
    Ok(())
}

#[test]
fn benchmarks_run_on_this_runtime() {
    let (pallets, _) = with_state(|| Runtime::benchmark_metadata(true));
    let mut failed = vec![];
    for list in pallets {
        for benchmark in list.benchmarks {
            let name = [list.pallet.as_slice(), b"::", &benchmark.name].concat();
            let name = String::from_utf8(name).unwrap();
            if let Err(error) = run(&list.pallet, &list.instance, &benchmark) {
                failed.push(format!("{name}: {error}"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
