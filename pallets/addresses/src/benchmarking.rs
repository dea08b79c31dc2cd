// SPDX-License-Identifier: Apache-2.0
//! Benchmarks of pallet-addresses.

use crate::pallet::*;
use assay_primitives::AssayAddress;
use frame_benchmarking::{v2::*, whitelist_account};
use frame_support::traits::{
    fungible::{Inspect, InspectHold, Mutate},
    Get,
};
use frame_system::RawOrigin;
use sp_core::ecdsa;
use sp_runtime::{
    traits::{IdentifyAccount, StaticLookup},
    MultiAddress,
};

/// The generator of secp256k1: the public key of the secret 1.
const PUBLIC: [u8; 33] = [
    0x02, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b,
    0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17,
    0x98,
];

#[benchmarks(where T::Currency: Mutate<T::AccountId>)]
mod benchmarks {
    use super::*;

    /// Returns the account of the key, with enough money for a deposit. Its balance counts as
    /// already read, as every caller's does.
    fn caller<T: Config>() -> Result<(T::AccountId, ecdsa::Public), BenchmarkError>
    where
        T::Currency: Mutate<T::AccountId>,
    {
        let public = ecdsa::Public::from_raw(PUBLIC);
        let who = T::Signer::from(public).into_account();
        let enough =
            T::Currency::minimum_balance().saturating_add(T::Deposit::get().saturating_mul(2));
        T::Currency::mint_into(&who, enough)?;
        whitelist_account!(who);
        Ok((who, public))
    }

    /// Registers the caller's address.
    fn register<T: Config>() -> Result<(T::AccountId, [u8; 20]), BenchmarkError>
    where
        T::Currency: Mutate<T::AccountId>,
    {
        let (who, public) = caller::<T>()?;
        Pallet::<T>::register_address(RawOrigin::Signed(who.clone()).into(), public)?;
        Ok((who, AssayAddress::of(&public).0))
    }

    #[benchmark]
    fn register_address() -> Result<(), BenchmarkError> {
        let (who, public) = caller::<T>()?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), public);

        assert_eq!(Pallet::<T>::account_of(&AssayAddress::of(&public).0), Some(who));
        Ok(())
    }

    #[benchmark]
    fn unregister_address() -> Result<(), BenchmarkError> {
        let (who, address) = register::<T>()?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert_eq!(Pallet::<T>::account_of(&address), None);
        assert_eq!(T::Currency::total_balance_on_hold(&who), 0);
        Ok(())
    }

    /// Measures the cost that looking a hash up adds to a call.
    #[benchmark]
    fn lookup() -> Result<(), BenchmarkError> {
        let (who, address) = register::<T>()?;
        let found;

        #[block]
        {
            found = Pallet::<T>::lookup(MultiAddress::Address20(address));
        }

        assert_eq!(found.ok(), Some(who));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
