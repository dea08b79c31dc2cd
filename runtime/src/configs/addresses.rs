// SPDX-License-Identifier: Apache-2.0
//! Assay addresses, and the weight that looking them up adds to the calls that take one.

use crate::{Balance, Balances, Runtime, RuntimeHoldReason, Signature, MILLI_UNIT};
use core::marker::PhantomData;
use frame_support::{parameter_types, weights::Weight};
use pallet_addresses::{weights::SubstrateWeight, WeightInfo};
use sp_runtime::traits::Verify;

parameter_types! {
    /// The deposit for some 150 bytes of state.
    pub const AddressDeposit: Balance = 100 * MILLI_UNIT;
}

impl pallet_addresses::Config for Runtime {
    type Currency = Balances;
    type Deposit = AddressDeposit;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Signer = <Signature as Verify>::Signer;
    type WeightInfo = SubstrateWeight<Runtime>;
}

/// The weights of calls that name accounts: those of `W`, which are measured with the accounts
/// themselves, plus the lookup of each account.
pub struct WithLookups<W>(PhantomData<W>);

fn lookups(count: u64) -> Weight {
    SubstrateWeight::<Runtime>::lookup().saturating_mul(count)
}

impl<W: pallet_balances::WeightInfo> pallet_balances::WeightInfo for WithLookups<W> {
    fn transfer_allow_death() -> Weight {
        W::transfer_allow_death().saturating_add(lookups(1))
    }

    fn transfer_keep_alive() -> Weight {
        W::transfer_keep_alive().saturating_add(lookups(1))
    }

    fn force_set_balance_creating() -> Weight {
        W::force_set_balance_creating().saturating_add(lookups(1))
    }

    fn force_set_balance_killing() -> Weight {
        W::force_set_balance_killing().saturating_add(lookups(1))
    }

    fn force_transfer() -> Weight {
        W::force_transfer().saturating_add(lookups(2))
    }

    fn transfer_all() -> Weight {
        W::transfer_all().saturating_add(lookups(1))
    }

    fn force_unreserve() -> Weight {
        W::force_unreserve().saturating_add(lookups(1))
    }

    fn upgrade_accounts(accounts: u32) -> Weight {
        W::upgrade_accounts(accounts)
    }

    fn force_adjust_total_issuance() -> Weight {
        W::force_adjust_total_issuance()
    }

    fn burn_allow_death() -> Weight {
        W::burn_allow_death()
    }

    fn burn_keep_alive() -> Weight {
        W::burn_keep_alive()
    }
}

impl<W: pallet_sudo::WeightInfo> pallet_sudo::WeightInfo for WithLookups<W> {
    fn set_key() -> Weight {
        W::set_key().saturating_add(lookups(1))
    }

    fn sudo() -> Weight {
        W::sudo()
    }

    fn sudo_as() -> Weight {
        W::sudo_as().saturating_add(lookups(1))
    }

    fn remove_key() -> Weight {
        W::remove_key()
    }

    fn check_only_sudo_account() -> Weight {
        W::check_only_sudo_account()
    }
}
