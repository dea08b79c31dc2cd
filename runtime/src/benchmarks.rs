// SPDX-License-Identifier: Apache-2.0
//! The list of benchmarked pallets, for `frame-omni-bencher`.

use crate::{
    AccountId, Addresses, AllPalletsWithSystem, Balances, Beacon, Escrow, Jobs, Operators, Routing,
    Runtime, RuntimeOrigin, Settings, System, Verification, UNIT,
};
use alloc::{string::String, vec::Vec};
use assay_primitives::{traits::BlockRandomness, Balance, ModelId};
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::{
    fungible::Mutate, Get, StorageInfo, StorageInfoTrait, WhitelistedStorageKeys,
};
use sp_core::H256;

frame_benchmarking::define_benchmarks!(
    [pallet_addresses, Addresses]
    [pallet_beacon, Beacon]
    [pallet_escrow, Escrow]
    [pallet_jobs, Jobs]
    [pallet_operators, Operators]
    [pallet_routing, Routing]
    [pallet_settings, Settings]
    [pallet_verification, Verification]
);

/// Returns the benchmarks that can be run.
pub fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
    let mut list = Vec::<BenchmarkList>::new();
    list_benchmarks!(list, extra);
    (list, AllPalletsWithSystem::storage_info())
}

/// Runs a benchmark.
pub fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
    let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
    let mut batches = Vec::<BenchmarkBatch>::new();
    let params = (&config, &whitelist);
    add_benchmarks!(params, batches);
    Ok(batches)
}

/// The setup for the benchmarks of jobs and verification.
pub struct Scene;

impl assay_primitives::benchmarking::BenchmarkHelper<AccountId> for Scene {
    fn client(index: u32) -> AccountId {
        funded("client", index)
    }

    fn operators(model: &ModelId, price: Balance, count: u32) -> Vec<AccountId> {
        // The operators of genesis would take places and draws.
        let _ = pallet_operators::Operators::<Runtime>::clear(u32::MAX, None);
        pallet_operators::Ranking::<Runtime>::kill();
        (0..count)
            .map(|index| {
                let stash = funded("operator", index);
                let worker = frame_benchmarking::account("worker", index, 0);
                let prices = assay_primitives::Prices { input: price, output: price };
                let offer = pallet_operators::Offer::unlimited(*model, prices, u32::MAX);
                let offers = alloc::vec![offer].try_into().expect("one fits");
                let slots = <Runtime as pallet_operators::Config>::MaxConcurrency::get();
                let genesis = System::block_hash(0);
                let contact = assay_primitives::benchmarking::signed_contact(&genesis, &stash)
                    .expect("the keystore of the benchmarks signs");
                Operators::register(
                    RuntimeOrigin::signed(stash.clone()),
                    worker,
                    contact,
                    offers,
                    slots,
                    1_000_000_000 * UNIT,
                )
                .expect("there is room for an operator");
                stash
            })
            .collect()
    }

    fn set_randomness(randomness: H256) {
        <Runtime as pallet_beacon::Config>::Source::set_of_parent(randomness);
        // Benchmarks set the number of the block without running its hooks.
        for block in 0..System::block_number().saturating_add(200) {
            pallet_beacon::Outputs::<Runtime>::insert(block, randomness);
        }
    }
}

/// Returns an account with more money than anything costs.
fn funded(name: &'static str, index: u32) -> AccountId {
    let who = frame_benchmarking::account(name, index, 0);
    let _ = <Balances as Mutate<AccountId>>::mint_into(&who, 2_000_000_000 * UNIT);
    who
}
