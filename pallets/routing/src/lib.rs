// SPDX-License-Identifier: Apache-2.0
//! Routing: which operator gets a job, and who sits on a committee.
//!
//! Each operator has a score per model ([`score`]), from its uptime, its speed and its stake. An
//! operator of a job is drawn in proportion to score: two are, and the second takes it if it is less
//! busy.
//! Committees are drawn by stake. Both are drawn from trees of sums ([`tree`]), so that a draw among
//! 16,384 operators reads a dozen storage items, as does a change of one operator.
//!
//! ## Epochs
//!
//! Draws of an epoch go by a snapshot of scores that was made in the epoch before. There is no pass
//! over all operators at an epoch's end: each operator is visited once per epoch, in an order that is
//! known when it begins, a bounded number per block. A visit closes what the operator did since the
//! last one, folds it into its uptime and speeds, adds it to the tallies of its models, and writes its
//! scores into the tree of the next epoch. At the end of the epoch the trees change places, and the
//! tallies give the terms of the scores that the next visits reckon: sums, medians, and weights that
//! react to the medians ([`weighting`]).
//!
//! Leaves of both trees are non-zero for members alone, and each is written anew at each visit, so
//! nothing is ever to be cleared. What operators do of their own accord (register, change their
//! stake, drain, leave) counts at once, in both. What pay adds to a stake and duties take off it
//! counts from the next visit on.
//!
//! ## Heartbeats
//!
//! Before its visit each operator has a turn: it answers the epoch's challenge, with a block that it
//! has seen, in a report of its worker. Missed, it lowers the uptime; and who has answered nothing at
//! all since its turn, or missed several times in a row, is silent: its scores are zero at once, and
//! it comes back by its next heartbeat, which it may then send at any time. So within an epoch of its
//! end a dead operator gets nothing more.
//!
//! ## Neighbours
//!
//! The pallet has no calls and holds no money. Operators come in through
//! [`OperatorChanged`](assay_primitives::traits::OperatorChanged), measurements through
//! [`Performance`](assay_primitives::traits::Performance), heartbeats through
//! [`Duties`](assay_primitives::traits::Duties); draws go out through
//! [`Routing`](assay_primitives::traits::Routing). [`fixed`], [`tree`], [`histogram`], [`measure`],
//! [`weighting`] and [`score`] know nothing of storage: simulations use them as they are.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "std")]
pub mod config_preludes;
pub mod contexts;
mod draws;
mod epochs;
pub mod fixed;
mod heartbeats;
pub mod histogram;
mod markets;
pub mod measure;
mod members;
mod mode;
mod performance;
mod query;
pub mod score;
pub mod tree;
pub mod types;
pub mod weighting;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;

pub use mode::Mode;
pub use pallet::*;
pub use score::Params;
pub use types::{Epoch, Market, Member, MemberOf, Slot};
pub use weights::WeightInfo;

/// The target of this pallet's log lines.
const LOG_TARGET: &str = "runtime::routing";

#[frame_support::pallet]
#[allow(unused_qualifications, reason = "the pallet macros write paths in full")]
pub mod pallet {
    use super::*;
    use crate::{
        score::{Params, Tally},
        tree::Node,
        types::{Epoch, Kind, Market, MemberOf, Slot},
        weighting::Weights,
    };
    use alloc::vec::Vec;
    use assay_primitives::{
        api::Allocation,
        traits::{BlockRandomness, Standings},
        BlockNumber, ModelId,
    };
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use sp_core::H256;
    use sp_runtime::{Permill, SaturatedConversion};

    /// What the pallet needs of the runtime.
    #[pallet::config(with_default)]
    pub trait Config: frame_system::Config<Hash = H256, RuntimeEvent: From<Event<Self>>> {
        /// What challenges are made of.
        type Randomness: BlockRandomness;

        /// Who knows how the operators stand.
        #[pallet::no_default]
        type Operators: Standings<Self::AccountId>;

        /// What scores are reckoned with.
        type Parameters: Get<Params>;

        /// Blocks of an epoch. It is longer where that is too short to visit all operators.
        type EpochLength: Get<BlockNumber>;

        /// Blocks from an operator's turn in which it can send its heartbeat. Shorter than an epoch,
        /// and than block hashes are kept.
        type HeartbeatWindow: Get<BlockNumber>;

        /// How often in a row an operator can miss until it counts as silent.
        type MaxMisses: Get<u32>;

        /// No operator is given more of a model's jobs in an epoch than this part of them, or twice
        /// an even share where that is more.
        type CapShare: Get<Permill>;

        /// As many jobs an operator can be given whatever the others are.
        type CapMinimum: Get<u32>;

        /// Milliseconds of a block.
        #[pallet::constant]
        type BlockMillis: Get<u32>;

        /// The most operators; at most [`tree::CAPACITY`].
        #[pallet::constant]
        type MaxOperators: Get<u32>;

        /// The most models that an operator serves.
        #[pallet::constant]
        type MaxModels: Get<u32>;

        /// The most operators visited in one block.
        #[pallet::constant]
        type MaxVisits: Get<u32>;

        /// The most operators that are looked at for one job.
        #[pallet::constant]
        type MaxTries: Get<u32>;

        /// Weights of hooks, reports, draws and changes.
        type WeightInfo: WeightInfo;
    }

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The epoch.
    #[pallet::storage]
    pub type CurrentEpoch<T: Config> = StorageValue<_, Epoch, ValueQuery>;

    /// The operators.
    #[pallet::storage]
    pub type Members<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, MemberOf<T>>;

    /// Who has which place in the trees.
    #[pallet::storage]
    pub type Slots<T: Config> = StorageMap<_, Twox64Concat, u32, Slot<T::AccountId>>;

    /// Places that were ever given.
    #[pallet::storage]
    pub type SlotCount<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// The first of those that are nobody's now.
    #[pallet::storage]
    pub type FirstFree<T: Config> = StorageValue<_, u32>;

    /// The models that operators serve.
    #[pallet::storage]
    pub type Markets<T: Config> = StorageMap<_, Blake2_128Concat, ModelId, Market>;

    /// What was measured of a model's operators in the epoch.
    #[pallet::storage]
    pub type Tallies<T: Config> = StorageMap<_, Blake2_128Concat, ModelId, Tally>;

    /// The nodes of the trees that are not all zero, by model, tree, level and index.
    #[pallet::storage]
    pub type TreeNodes<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, ModelId>,
            NMapKey<Twox64Concat, Kind>,
            NMapKey<Twox64Concat, (u8, u32)>,
        ),
        Node,
        ValueQuery,
    >;

    /// What has happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An epoch began.
        EpochStarted {
            /// Its number.
            index: u32,
            /// What heartbeats answer in it.
            challenge: H256,
            /// The block in which the next begins at the earliest.
            ends: BlockNumber,
        },
        /// The weights of a model's scores were reckoned anew.
        WeightsChanged {
            /// The model.
            model: ModelId,
            /// Its weights.
            weights: Weights,
        },
        /// An operator answered its heartbeat.
        HeartbeatReceived {
            /// Its stash.
            operator: T::AccountId,
        },
        /// An operator did not answer, and is not drawn until it does.
        OperatorSilent {
            /// Its stash.
            operator: T::AccountId,
        },
        /// An operator that was silent answered.
        OperatorBack {
            /// Its stash.
            operator: T::AccountId,
        },
    }

    /// Why a heartbeat was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The account is no operator.
        NotOperator,
        /// It is not the operator's turn, it was not asked in this epoch, or it has answered.
        NotAsked,
        /// The block is not a block before this one whose hash is kept.
        BlockUnknown,
        /// The answer is to another challenge, of another operator, or of another block.
        AnswerWrong,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            Self::move_on(now.saturated_into())
        }

        fn integrity_test() {
            let params = T::Parameters::get();
            assert!(params.check().is_ok(), "{:?}", params.check());
            let window = T::HeartbeatWindow::get();
            assert!(window >= 3, "a heartbeat that names a block must be able to arrive");
            assert!(
                T::EpochLength::get() > window.saturating_add(1),
                "an epoch must have time for heartbeats and visits"
            );
            assert!(
                T::BlockHashCount::get() > window.into(),
                "hashes of blocks that heartbeats name must be kept"
            );
            assert!(T::MaxMisses::get() > 0, "an operator must be able to miss");
            assert!(T::CapMinimum::get() > 0, "an operator must be able to get a job");
            assert!(T::BlockMillis::get() > 0, "a block must take time");
            assert!(T::MaxOperators::get() <= tree::CAPACITY, "operators must fit the trees");
            assert!(T::MaxVisits::get() > 0, "operators must be visited");
            assert!(T::MaxTries::get() >= 2, "two operators must be drawn");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// What an operator gets of a model's jobs, with each factor; `None` where it does not serve
        /// the model.
        pub fn allocation(
            model: ModelId,
            operator: T::AccountId,
        ) -> Option<Allocation<T::AccountId>> {
            Self::allocation_of(&model, operator)
        }

        /// The same of all operators of the model, in ascending order of their stashes.
        pub fn allocations(model: ModelId) -> Vec<Allocation<T::AccountId>> {
            Self::allocations_of(&model)
        }
    }

    impl<T: Config> Pallet<T> {
        /// The block being built.
        pub(crate) fn now() -> BlockNumber {
            frame_system::Pallet::<T>::block_number().saturated_into()
        }
    }
}
