// SPDX-License-Identifier: Apache-2.0
//! The invariants between this pallet's records and the balances.

use crate::{
    pallet::{Claims, Config, Escrows, Pallet},
    types::job_hold,
};
use alloc::collections::BTreeMap;
use assay_primitives::Balance;
use frame_support::{
    ensure,
    traits::fungible::{Inspect, InspectHold},
};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks that the escrows of each client are what it has on hold, that no escrow has more left
    /// than was put in, that the pot covers the claims beside its existential deposit, and that the
    /// fund of juries always keeps one.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut held = BTreeMap::<T::AccountId, Balance>::new();
        for (_, record) in Escrows::<T>::iter() {
            let left = record.left.total().ok_or("what is left of an escrow overflows")?;
            let put_in = record.put_in();
            ensure!(put_in.is_some_and(|sum| left <= sum), "an escrow has more than was put in");
            let sum = held.entry(record.client).or_default();
            *sum = sum.checked_add(left).ok_or("the escrows of a client overflow")?;
        }
        // Of all accounts: money on hold without an escrow would never come back.
        for account in frame_system::Account::<T>::iter_keys() {
            ensure!(
                T::Currency::balance_on_hold(&job_hold::<T>(), &account)
                    == held.remove(&account).unwrap_or_default(),
                "what an account has on hold is not the sum of its escrows"
            );
        }
        ensure!(held.is_empty(), "an escrow is of an account that does not exist");
        let mut claims: Balance = 0;
        for claim in Claims::<T>::iter_values() {
            ensure!(claim > 0, "a claim of nothing is stored");
            claims = claims.checked_add(claim).ok_or("the claims overflow")?;
        }
        if claims > 0 {
            // Anyone may send the pot more than that.
            let kept = claims.checked_add(T::Currency::minimum_balance());
            ensure!(
                kept.is_some_and(|kept| T::Currency::balance(&Self::pot()) >= kept),
                "the pot does not cover the claims"
            );
        }
        // Anyone may send the fund more than the most that it keeps.
        let in_fund = T::Currency::balance(&Self::fund());
        ensure!(in_fund >= T::Currency::minimum_balance(), "the fund has paid with its deposit");
        Ok(())
    }
}
