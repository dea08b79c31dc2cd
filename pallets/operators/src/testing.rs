// SPDX-License-Identifier: Apache-2.0
//! Operators for the mocks of other pallets, where accounts are `u64`.

use crate::{Config, Offer, Pallet};
use assay_primitives::{testing::signed_contact, Balance, ModelId, Prices};
use frame_support::assert_ok;
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::H256;
use sp_runtime::traits::Zero;

/// Registers an operator of 16 slots that serves one model at `price` per token of the output and
/// reads prompts for nothing, with the worker `stash + 100_000`.
///
/// # Panics
/// Panics if the pallet refuses it.
pub fn serve<T>(stash: u64, model: ModelId, price: Balance, context: u32, bond: Balance)
where
    T: Config + frame_system::Config<AccountId = u64, Hash = H256>,
{
    let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
    let contact = signed_contact(&genesis, &stash);
    let offers = [Offer::unlimited(model, Prices { input: 0, output: price }, context)]
        .into_iter()
        .collect::<Vec<_>>();
    let offers = frame_support::BoundedVec::truncate_from(offers);
    let stash_origin = RawOrigin::Signed(stash).into();
    assert_ok!(Pallet::<T>::register(stash_origin, stash + 100_000, contact, offers, 16, bond));
}

/// The scene of the benchmarks of jobs and verification, in their mocks.
#[cfg(feature = "runtime-benchmarks")]
pub struct Scene<T>(core::marker::PhantomData<T>);

#[cfg(feature = "runtime-benchmarks")]
impl<T> assay_primitives::benchmarking::BenchmarkHelper<u64> for Scene<T>
where
    T: Config + frame_system::Config<AccountId = u64, Hash = H256>,
{
    fn client(index: u32) -> u64 {
        funded::<T>(1_000, index)
    }

    fn operators(model: &ModelId, price: Balance, count: u32) -> Vec<u64> {
        let operators = (0..count).map(|index| funded::<T>(2_000, index));
        operators.inspect(|stash| serve::<T>(*stash, *model, price, u32::MAX, BOND)).collect()
    }

    fn set_randomness(randomness: H256) {
        assay_primitives::testing::ParentRandomness::set(Some(randomness));
    }
}

/// The bond of an operator in that scene: enough for many duties.
#[cfg(feature = "runtime-benchmarks")]
const BOND: Balance = 100_000_000;

/// Returns account `first + index`, with ten times that.
#[cfg(feature = "runtime-benchmarks")]
fn funded<T: Config<AccountId = u64>>(first: u64, index: u32) -> u64 {
    use frame_support::traits::fungible::Mutate;
    let who = first + u64::from(index);
    T::Currency::set_balance(&who, 10 * BOND);
    who
}
