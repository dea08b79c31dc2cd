// SPDX-License-Identifier: Apache-2.0
//! Operators and validators that are there from the first block on.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod genesis {
    /// An operator of genesis: stash, worker, offers as (model, price, context), concurrency, bond.
    pub type GenesisOperator<AccountId> =
        (AccountId, AccountId, Vec<(ModelId, Balance, u32)>, u32, Balance);

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The operators: stash, worker, offers as (model, price, context), concurrency, bond.
        pub operators: Vec<GenesisOperator<T::AccountId>>,
        /// The validators that make blocks while there are fewer operators that do.
        pub validators: Vec<T::AccountId>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let vault = Pallet::<T>::vault();
            let missing =
                T::Currency::minimum_balance().saturating_sub(T::Currency::balance(&vault));
            if missing > 0 {
                let minted = T::Currency::mint_into(&vault, missing);
                assert!(minted.is_ok(), "the vault of pallet-operators has no deposit: {minted:?}");
            }
            for operator in &self.operators {
                let registered = Pallet::<T>::register_genesis(operator);
                assert!(registered.is_ok(), "operator {:?} of genesis: {registered:?}", operator.0);
            }
            let validators = BoundedVec::try_from(self.validators.clone());
            assert!(validators.is_ok(), "more than MaxValidators validators of genesis");
            GenesisValidators::<T>::put(validators.unwrap_or_default());
        }
    }
}
