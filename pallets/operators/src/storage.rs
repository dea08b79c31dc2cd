// SPDX-License-Identifier: Apache-2.0
//! What the pallet stores.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod storage {
    /// The operators, by their stash.
    #[pallet::storage]
    pub type Operators<T: Config> =
        CountedStorageMap<_, Blake2_128Concat, T::AccountId, OperatorOf<T>>;

    /// The stash of each worker.
    #[pallet::storage]
    pub type Workers<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, T::AccountId>;

    /// What duties reserve of an operator's stake.
    #[pallet::storage]
    pub type Reservations<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        Blake2_128Concat,
        Duty,
        Reservation,
        OptionQuery,
    >;

    /// What accounts have delegated, by operator and delegator.
    #[pallet::storage]
    pub type Delegations<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        Blake2_128Concat,
        T::AccountId,
        DelegationOf<T>,
        OptionQuery,
    >;

    /// What is delegated to operators that are gone, until its owners have withdrawn it.
    #[pallet::storage]
    pub type Orphans<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Delegated>;

    /// Where the nodes of operators are reached.
    #[pallet::storage]
    pub type Contacts<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Contact>;

    /// The slashes that are not yet applied.
    #[pallet::storage]
    pub type Slashes<T: Config> = StorageMap<_, Twox64Concat, SlashId, SlashOf<T>>;

    /// What fraction of the stake offences of a session cost, by session and operator, until they can
    /// no longer be reported.
    #[pallet::storage]
    pub type Offences<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        SessionIndex,
        Blake2_128Concat,
        T::AccountId,
        Perbill,
        ValueQuery,
    >;

    /// Number of the next slash.
    #[pallet::storage]
    pub type NextSlash<T: Config> = StorageValue<_, SlashId, ValueQuery>;

    /// Number of the oldest slash that may not be applied yet.
    #[pallet::storage]
    pub type OldestSlash<T: Config> = StorageValue<_, SlashId, ValueQuery>;

    /// The operators with the most stake, in order.
    #[pallet::storage]
    pub type Ranking<T: Config> =
        StorageValue<_, BoundedVec<Ranked<T::AccountId>, T::MaxCandidates>, ValueQuery>;

    /// The validators of genesis, which make blocks while there are fewer operators that do.
    #[pallet::storage]
    pub type GenesisValidators<T: Config> =
        StorageValue<_, BoundedVec<T::AccountId, T::MaxValidators>, ValueQuery>;

    /// Reports of this block that paid no fee.
    #[pallet::storage]
    pub type FreeReports<T: Config> = StorageValue<_, u32, ValueQuery>;
}
