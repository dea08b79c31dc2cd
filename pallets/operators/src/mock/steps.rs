// SPDX-License-Identifier: Apache-2.0
//! Steps of operators, delegators and offenders, and their visible results.

use super::*;
use crate::{Offer, OffersOf};
use assay_primitives::{contact::SignedContact, traits::Operators as _, JobId, Prices};
use frame_support::{
    parameter_types,
    traits::{fungible::Balanced, Imbalance},
    BoundedVec,
};
use sp_runtime::Perbill;
use sp_staking::{
    offence::{OffenceDetails, OnOffenceHandler},
    SessionIndex,
};

parameter_types! {
    /// The session of the last offence.
    pub static NextOffence: SessionIndex = 6;
}

/// Returns what running the job reserves of the operator's stake.
pub fn reservation(operator: AccountId, job: JobId) -> Option<Balance> {
    reserved_for::<Test>(operator, job)
}

/// Returns offers of models, each given by its number, price and context.
pub fn offers(offers: &[(u64, Balance, u32)]) -> OffersOf<Test> {
    let offer = |&(n, output, context): &(u64, Balance, u32)| {
        let prices = Prices { input: 0, output };
        Offer::unlimited(model(n), prices, context)
    };
    offers.iter().map(offer).collect::<Vec<_>>().try_into().unwrap()
}

/// Registers the stash with the worker `stash + 100`, model 1 at the price 5 with a context of 100,
/// and two jobs at a time.
pub fn register(stash: AccountId, bond: Balance) {
    let offers = offers(&[(1, 5, 100)]);
    let contact = contact(stash, b"");
    Operators::register(signed(stash), stash + 100, contact, offers, 2, bond).unwrap();
}

/// Returns the contact of [`network_key`] for the stash, with `address` unless it is empty.
pub fn contact(stash: AccountId, address: &[u8]) -> SignedContact {
    let addresses = if address.is_empty() { vec![] } else { vec![address.to_vec()] };
    let addresses = addresses.into_iter().map(BoundedVec::truncate_from).collect::<Vec<_>>();
    let addresses = BoundedVec::truncate_from(addresses);
    SignedContact::new(&network_key(), addresses, &System::block_hash(0), &stash)
}

pub fn operator(stash: AccountId) -> pallet_operators::OperatorOf<Test> {
    pallet_operators::Operators::<Test>::get(stash).expect("the stash is an operator's")
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub fn delegate(who: AccountId, operator: AccountId, amount: Balance) {
    Operators::delegate(signed(who), operator, amount).unwrap();
}

/// Returns what the account's delegation to the operator is worth, without what it takes back.
pub fn worth(who: AccountId, operator: AccountId) -> Balance {
    let all = Operators::delegations(&who);
    all.into_iter().find(|next| next.operator == operator).map_or(0, |next| next.worth)
}

/// Pays the operator newly issued money.
pub fn reward(operator: AccountId, amount: Balance) {
    Operators::reward(&operator, Balances::issue(amount));
}

/// Takes that fraction of all that is at stake for the operator at once; returns what was burnt.
pub fn slash(stash: AccountId, fraction: Perbill) -> Balance {
    let mut record = operator(stash);
    let cut = Operators::pro_rata_cut(&record, fraction.mul_ceil(record.at_stake()));
    let burnt = Operators::slash(&stash, &mut record, cut).peek();
    Operators::rank(&stash, Some(&record));
    pallet_operators::Operators::<Test>::insert(stash, record);
    burnt
}

/// Reports an offence of the operator, each in a session of its own, from 7 on.
pub fn offend(offender: AccountId, fraction: Perbill, reporters: Vec<AccountId>) {
    let session = NextOffence::mutate(|next| {
        *next += 1;
        *next
    });
    offend_in(session, offender, fraction, reporters);
}

/// Reports an offence of the operator in that session.
pub fn offend_in(
    session: SessionIndex,
    offender: AccountId,
    fraction: Perbill,
    reporters: Vec<AccountId>,
) {
    let details = OffenceDetails { offender: (offender, ()), reporters };
    Operators::on_offence(&[details], &[fraction], session);
}

pub fn skip(blocks: u64) {
    System::set_block_number(System::block_number() + blocks);
}

pub fn burnt(action: impl FnOnce()) -> Balance {
    let before = Balances::total_issuance();
    action();
    before - Balances::total_issuance()
}

/// Returns the money of the account that is not on hold.
pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who)
}

pub fn held(who: AccountId) -> Balance {
    Balances::reserved_balance(who)
}

pub fn events() -> Vec<pallet_operators::Event<Test>> {
    System::read_events_for_pallet()
}

pub fn last_event() -> pallet_operators::Event<Test> {
    events().pop().expect("this pallet has deposited an event")
}
