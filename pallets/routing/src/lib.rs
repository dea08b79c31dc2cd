// SPDX-License-Identifier: Apache-2.0
//! Routing: the draws of the operator of a job and of the members of a committee.
//!
//! Each operator has a score per model ([`score`]), from its uptime, its speed and its stake. The
//! operator of a job is drawn in proportion to score: two operators are drawn, and the second takes
//! the job if it is less busy. Committees are drawn by stake. Both kinds of draws use trees of sums
//! ([`tree`]), so that a draw among 16,384 operators reads a dozen storage items, as does a change
//! of one operator.
//!
//! ## Epochs
//!
//! The draws of an epoch use a snapshot of scores that was made in the previous epoch. There is no
//! pass over all operators at the end of an epoch. Instead, each operator is visited once per
//! epoch, in an order that is known when the epoch begins, and a bounded number of operators per
//! block. A visit closes the operator's records since its last visit, folds them into its uptime
//! and speeds, adds them to the tallies of its models, and writes its scores into the tree of the
//! next epoch. At the end of the epoch the trees change places. The tallies yield the terms of the
//! scores that the next visits compute: sums, medians, and weights that react to the medians
//! ([`weighting`]).
//!
//! Only members have non-zero leaves, in both trees, and each visit rewrites its leaves, so nothing
//! ever has to be cleared. Changes that operators make themselves (register, change their stake,
//! drain, leave) count at once, in both trees. Changes of a stake through pay and duties count from
//! the next visit on.
//!
//! ## Heartbeats
//!
//! Each operator has a turn before its visit: its worker answers the epoch's challenge in a report
//! that names a recent block. A missed heartbeat lowers the uptime. An operator falls silent if it
//! has answered nothing at all since its turn, or has missed several requests in a row. Its scores
//! are then zero at once. It returns with its next heartbeat, which it may send at any time. A dead
//! operator therefore gets no more jobs after at most an epoch.
//!
//! ## Neighbours
//!
//! The pallet has no calls and holds no money. Operators enter through
//! [`OperatorChanged`](assay_primitives::traits::OperatorChanged), measurements through
//! [`Performance`](assay_primitives::traits::Performance), and heartbeats through
//! [`Duties`](assay_primitives::traits::Duties). Other pallets draw through
//! [`Routing`](assay_primitives::traits::Routing). [`fixed`], [`tree`], [`histogram`], [`measure`],
//! [`weighting`] and [`score`] do not depend on storage, and simulations use them as they are.

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
pub mod lowest;
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

/// The target of this pallet's log messages.
const LOG_TARGET: &str = "runtime::routing";

#[frame_support::pallet]
#[allow(unused_qualifications, reason = "the pallet macros write paths in full")]
pub mod pallet {
    use super::*;
    use crate::{
        lowest::LowestPrices,
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

    /// The configuration of the pallet.
    #[pallet::config(with_default)]
    pub trait Config: frame_system::Config<Hash = H256, RuntimeEvent: From<Event<Self>>> {
        /// The source of randomness for challenges.
        type Randomness: BlockRandomness;

        /// The source of operators' standings.
        #[pallet::no_default]
        type Operators: Standings<Self::AccountId>;

        /// The parameters of scores.
        type Parameters: Get<Params>;

        /// The number of blocks of an epoch. An epoch is longer if this is too short to visit all
        /// operators.
        type EpochLength: Get<BlockNumber>;

        /// The number of blocks from an operator's turn in which it can send its heartbeat. It is
        /// shorter than an epoch, and shorter than the time for which block hashes are kept.
        type HeartbeatWindow: Get<BlockNumber>;

        /// The number of requests in a row that an operator can miss until it falls silent.
        type MaxMisses: Get<u32>;

        /// The largest fraction of a model's jobs in an epoch that one operator is assigned, or
        /// twice an even share if that is more.
        type CapShare: Get<Permill>;

        /// The number of jobs that an operator can be assigned in an epoch regardless of
        /// [`Config::CapShare`].
        type CapMinimum: Get<u32>;

        /// The duration of a block in milliseconds.
        #[pallet::constant]
        type BlockMillis: Get<u32>;

        /// The most operators, itself at most [`tree::CAPACITY`].
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

    /// The current epoch.
    #[pallet::storage]
    pub type CurrentEpoch<T: Config> = StorageValue<_, Epoch, ValueQuery>;

    /// The operators' records, by stash.
    #[pallet::storage]
    pub type Members<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, MemberOf<T>>;

    /// The owner of each place in the trees.
    #[pallet::storage]
    pub type Slots<T: Config> = StorageMap<_, Twox64Concat, u32, Slot<T::AccountId>>;

    /// The number of places ever given out.
    #[pallet::storage]
    pub type SlotCount<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// The first place in the list of free ones.
    #[pallet::storage]
    pub type FirstFree<T: Config> = StorageValue<_, u32>;

    /// The models that operators serve, by their identifier.
    #[pallet::storage]
    pub type Markets<T: Config> = StorageMap<_, Blake2_128Concat, ModelId, Market>;

    /// The lowest prices of the models that operators who take duties serve.
    #[pallet::storage]
    pub type Lowest<T: Config> = StorageMap<_, Blake2_128Concat, ModelId, LowestPrices>;

    /// The stake of all operators that can be drawn, whatever they serve, as fractions of the cap.
    #[pallet::storage]
    pub type TotalStake<T: Config> = StorageValue<_, u64, ValueQuery>;

    /// The measurements of a model's operators in the epoch.
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

    /// The pallet's events.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An epoch began.
        EpochStarted {
            /// The epoch's number.
            index: u32,
            /// The challenge that heartbeats answer in this epoch.
            challenge: H256,
            /// The earliest block in which the next epoch begins.
            ends: BlockNumber,
        },
        /// The weights of a model's scores changed.
        WeightsChanged {
            /// The model.
            model: ModelId,
            /// The new weights.
            weights: Weights,
        },
        /// An operator answered its heartbeat.
        HeartbeatReceived {
            /// The operator's stash.
            operator: T::AccountId,
        },
        /// An operator fell silent: it did not answer, and is not drawn until it does.
        OperatorSilent {
            /// The operator's stash.
            operator: T::AccountId,
        },
        /// A silent operator answered and is drawn again.
        OperatorBack {
            /// The operator's stash.
            operator: T::AccountId,
        },
    }

    /// The reasons for which a heartbeat is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The account is not an operator. Register it first.
        NotOperator,
        /// The operator owes no heartbeat now: it is not its turn, it was not asked in this epoch,
        /// or it has already answered.
        NotAsked,
        /// The named block is not an earlier block whose hash is kept. Name a recent block.
        BlockUnknown,
        /// The answer does not match the epoch's challenge, the operator and the named block. Check
        /// that the node is in sync.
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
        /// Returns an operator's part of a model's jobs with each factor; `None` where the operator
        /// does not serve the model.
        pub fn allocation(
            model: ModelId,
            operator: T::AccountId,
        ) -> Option<Allocation<T::AccountId>> {
            Self::allocation_of(&model, operator)
        }

        /// Returns a page of the allocations of the model's operators, at most `limit` of them and at
        /// most [`MAX_PAGE`](assay_primitives::api::MAX_PAGE). It begins after the operator with that
        /// stash, or with the first.
        pub fn allocations(
            model: ModelId,
            start_after: Option<T::AccountId>,
            limit: u32,
        ) -> Vec<Allocation<T::AccountId>> {
            Self::allocations_of(&model, start_after.as_ref(), limit)
        }

        /// Returns a page of the models that operators offer, at most `limit` of them and at most
        /// [`MAX_PAGE`](assay_primitives::api::MAX_PAGE). It begins after that model, or with the first.
        pub fn models(start_after: Option<ModelId>, limit: u32) -> Vec<ModelId> {
            Self::models_after(start_after.as_ref(), limit)
        }
    }

    impl<T: Config> Pallet<T> {
        /// Returns the number of the block being built.
        pub(crate) fn now() -> BlockNumber {
            frame_system::Pallet::<T>::block_number().saturated_into()
        }
    }
}
