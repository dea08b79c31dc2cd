// SPDX-License-Identifier: Apache-2.0
//! Benchmarks of hooks, reports, draws and changes, each on its most expensive path.

use crate::{pallet::*, types::Epoch};
use alloc::vec::Vec;
use assay_primitives::{
    report::heartbeat_answer,
    traits::{
        BlockRandomness, Duties, Eligible, Offered, OperatorChanged, Performance, Routing, Standing,
    },
    Balance, BlockNumber, ModelId, Prices, Report,
};
use frame_benchmarking::v2::*;
use frame_support::traits::Get;
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    SaturatedConversion,
};

/// The prices of each offer.
const PRICES: Prices = Prices { input: 1, output: 1 };

/// Returns an identifier for each number.
fn model(n: u32) -> ModelId {
    BlakeTwo256::hash_of(&n)
}

fn stake<T: Config>() -> Balance {
    T::Parameters::get().stake_cap
}

fn offered(n: u32) -> Offered {
    Offered { model: model(n), context: 4_096, prices: PRICES }
}

fn standing<T: Config>(models: u32) -> Standing {
    Standing { stake: stake::<T>(), models: (0..models).map(offered).collect(), active: true }
}

fn operator<T: Config>(index: u32) -> T::AccountId {
    account("operator", index, 0)
}

/// Returns operators that serve `models` models. Each operator has its leaves in separate nodes for
/// as long as there are enough.
fn operators<T: Config>(count: u32, models: u32) -> Vec<T::AccountId> {
    let apart = T::MaxOperators::get().checked_div(count).unwrap_or(1).max(1);
    (0..count)
        .map(|index| {
            SlotCount::<T>::put(index.saturating_mul(apart));
            let operator = operator::<T>(index);
            Pallet::<T>::changed(&operator, Some(standing::<T>(models)));
            assert!(Members::<T>::contains_key(&operator), "there is no place for the operator");
            operator
        })
        .collect()
}

/// Begins a block with the hash of the one before.
fn begin_block<T: Config>(now: BlockNumber) {
    let parent = now.saturating_sub(1);
    frame_system::BlockHash::<T>::insert(
        frame_system::pallet_prelude::BlockNumberFor::<T>::from(parent),
        H256::repeat_byte(1),
    );
    frame_system::Pallet::<T>::set_block_number(now.saturated_into());
}

/// Begins an epoch in block 1 in which all places have their turn.
fn begin_epoch<T: Config>() -> Epoch {
    begin_block::<T>(1);
    let epoch = Epoch {
        index: 1,
        started: 1,
        ends: u32::MAX,
        slots: SlotCount::<T>::get(),
        pace: T::MaxOperators::get(),
        visited: 0,
        challenge: H256::repeat_byte(2),
    };
    CurrentEpoch::<T>::put(epoch);
    epoch
}

fn anyone(busy: u32) -> Eligible {
    Eligible { prices: PRICES, running: busy }
}

fn is_silent<T: Config>(operator: &T::AccountId) -> bool {
    Members::<T>::get(operator).is_some_and(|member| member.silent)
}

/// Silences the operator, so that its leaves are zero.
fn silence<T: Config>(operator: &T::AccountId) {
    while !is_silent::<T>(operator) {
        Pallet::<T>::missed(operator);
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn start_epoch() {
        operators::<T>(1, 1);
        T::Randomness::set_of_parent(H256::repeat_byte(1));

        #[block]
        {
            Pallet::<T>::move_on(1);
        }

        assert_eq!(CurrentEpoch::<T>::get().index, 1);
    }

    /// Measures visits to `v` operators that have missed their heartbeats and fall silent, in
    /// markets whose epoch is to be closed. The operators serve `m` models together.
    #[benchmark]
    fn visit(v: Linear<1, { T::MaxVisits::get() }>, m: Linear<1, { T::MaxModels::get() }>) {
        SlotCount::<T>::put(0);
        for index in 0..v {
            // The first operator serves all models, so that their number does not depend on `v`.
            let models = if index == 0 { m } else { 0 };
            Pallet::<T>::changed(&operator::<T>(index), Some(standing::<T>(models)));
        }
        for index in 0..m {
            Pallet::<T>::delivered(&operator::<T>(0), &model(index), 1_000, 1, 1_000);
        }
        let epoch = begin_epoch::<T>();
        // The block lies after the operators' turn, but before the next visits.
        let due = epoch.started.saturating_add(T::HeartbeatWindow::get()).saturating_add(1);
        for index in 0..v {
            Members::<T>::mutate(operator::<T>(index), |member| {
                if let Some(member) = member {
                    member.answered_at = 0;
                    member.owes = 1;
                }
            });
        }

        #[block]
        {
            Pallet::<T>::move_on(due);
        }

        assert_eq!(CurrentEpoch::<T>::get().visited, v);
        assert!(is_silent::<T>(&operator::<T>(0)));
    }

    /// Measures the return of a silent operator that serves as many models as it can.
    #[benchmark]
    fn heartbeat() {
        let operators = operators::<T>(2, T::MaxModels::get());
        let operator = operators.first().expect("there are two");
        let epoch = begin_epoch::<T>();
        silence::<T>(operator);
        begin_block::<T>(2);
        let answer = heartbeat_answer(&epoch.challenge, operator, 1, &H256::repeat_byte(1));
        begin_block::<T>(3);
        frame_system::BlockHash::<T>::insert(
            frame_system::pallet_prelude::BlockNumberFor::<T>::from(1u32),
            H256::repeat_byte(1),
        );

        #[block]
        {
            Pallet::<T>::handle(operator, &Report::Heartbeat { at: 1, answer })
                .expect("of this pallet")
                .expect("in order");
        }

        assert!(!is_silent::<T>(operator));
    }

    /// Measures a draw in which only the last operators looked at can take the job.
    #[benchmark]
    fn draw(t: Linear<2, { T::MaxTries::get() }>) {
        operators::<T>(t, 1);
        begin_epoch::<T>();
        let asked = core::cell::Cell::new(0u32);
        let drawn;

        #[block]
        {
            drawn = Pallet::<T>::draw(&model(0), H256::repeat_byte(3), &[], |_| {
                asked.set(asked.get().saturating_add(1));
                (asked.get().saturating_add(2) > t).then(|| anyone(asked.get()))
            });
        }

        assert_eq!(asked.get(), t);
        assert!(drawn.is_some());
    }

    /// Measures the same among the operators that a job allows.
    #[benchmark]
    fn draw_allowed(t: Linear<2, { T::MaxTries::get().min(16) }>) {
        let allowed = operators::<T>(t, 1);
        begin_epoch::<T>();
        let asked = core::cell::Cell::new(0u32);
        let drawn;

        #[block]
        {
            drawn = Pallet::<T>::draw(&model(0), H256::repeat_byte(3), &allowed, |_| {
                asked.set(asked.get().saturating_add(1));
                (asked.get().saturating_add(2) > t).then(|| anyone(asked.get()))
            });
        }

        assert_eq!(asked.get(), t);
        assert!(drawn.is_some());
    }

    #[benchmark]
    fn assigned() {
        let operators = operators::<T>(2, T::MaxModels::get());
        let operator = operators.last().expect("there are two");
        begin_epoch::<T>();

        #[block]
        {
            Pallet::<T>::assigned(&model(0), operator);
        }

        assert_eq!(Markets::<T>::get(model(0)).map(|market| market.assigned.of(1)), Some(1));
    }

    /// Measures a committee's draw in which all operators looked at are taken.
    #[benchmark]
    fn committee(t: Linear<1, { T::MaxTries::get() }>) {
        operators::<T>(t, 1);
        let drawn;

        #[block]
        {
            drawn = Pallet::<T>::committee(&model(0), H256::repeat_byte(3), t, |_| true);
        }

        assert_eq!(drawn.len() as u32, t);
    }

    /// Measures a sample of which nobody is left out.
    #[benchmark]
    fn sample(t: Linear<1, { T::MaxTries::get() }>) {
        operators::<T>(t, 1);
        let drawn;

        #[block]
        {
            drawn = Pallet::<T>::sample(&model(0), H256::repeat_byte(3), &operator::<T>(t));
        }

        assert_eq!(drawn.drawn.len() as u32, t);
    }

    /// Measures an operator that falls silent.
    #[benchmark]
    fn missed() {
        let operators = operators::<T>(2, T::MaxModels::get());
        let operator = operators.first().expect("there are two");
        begin_epoch::<T>();
        Members::<T>::mutate(operator, |member| {
            if let Some(member) = member {
                member.misses = T::MaxMisses::get().saturating_sub(1);
            }
        });

        #[block]
        {
            Pallet::<T>::missed(operator);
        }

        assert!(is_silent::<T>(operator));
    }

    /// Measures an operator that takes up models which others serve. An operator without models
    /// takes only a place.
    #[benchmark]
    fn changed(m: Linear<0, { T::MaxModels::get() }>) {
        operators::<T>(2, T::MaxModels::get());
        let newcomer = operator::<T>(9);

        #[block]
        {
            Pallet::<T>::changed(&newcomer, Some(standing::<T>(m)));
        }

        assert_eq!(Members::<T>::get(&newcomer).map(|member| member.served.len() as u32), Some(m));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
