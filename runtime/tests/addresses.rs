// SPDX-License-Identifier: Apache-2.0
//! Assay addresses in the real runtime, with signed extrinsics.

use assay_primitives::{api::runtime_decl_for_assay_api::AssayApi, AssayAddress};
use assay_runtime::{
    configs::AddressDeposit, submit::extension, AccountId, Address, Addresses, Balance, Balances,
    BalancesConfig, Executive, Nonce, Runtime, RuntimeCall, RuntimeEvent, RuntimeGenesisConfig,
    Signature, SignedPayload, System, UncheckedExtrinsic, EXISTENTIAL_DEPOSIT, UNIT,
};
use codec::Encode;
use frame_support::{
    dispatch::GetDispatchInfo,
    traits::fungible::{Inspect, InspectHold},
};
use sp_core::{ecdsa, sr25519, Pair};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    generic::Era,
    traits::IdentifyAccount,
    transaction_validity::{InvalidTransaction, TransactionValidityError, UnknownTransaction},
    ApplyExtrinsicResult, BuildStorage, DispatchError, MultiAddress, MultiSigner,
};

/// The initial balance of each account.
const ENDOWMENT: Balance = 1_000 * UNIT;

/// Returns the key of the secret 1, whose address everybody knows.
fn first() -> ecdsa::Pair {
    let mut secret = [0; 32];
    secret[31] = 1;
    ecdsa::Pair::from_seed(&secret)
}

const FIRST: &str = "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH";

fn account(pair: &ecdsa::Pair) -> AccountId {
    MultiSigner::from(pair.public()).into_account()
}

fn ferdie() -> (AccountId, sr25519::Pair) {
    (Sr25519Keyring::Ferdie.to_account_id(), Sr25519Keyring::Ferdie.pair())
}

/// Runs the test on a chain on which the first key and Ferdie have money.
fn with_chain(test: impl FnOnce()) {
    let balances = vec![(account(&first()), ENDOWMENT), (ferdie().0, ENDOWMENT)];
    let genesis = RuntimeGenesisConfig {
        balances: BalancesConfig { balances, ..Default::default() },
        ..Default::default()
    };
    let mut chain = sp_io::TestExternalities::new(genesis.build_storage().unwrap());
    chain.execute_with(|| {
        System::set_block_number(1);
        test();
    });
}

/// Signs a call as `signer` and passes it to the runtime as a block would.
fn apply(
    signer: impl Into<Address>,
    nonce: Nonce,
    call: RuntimeCall,
    sign: impl FnOnce(&[u8]) -> Signature,
) -> ApplyExtrinsicResult {
    let payload = SignedPayload::new(call, extension(nonce, 0, Era::Immortal)).unwrap();
    let signature = payload.using_encoded(sign);
    let (call, extension, _) = payload.deconstruct();
    let extrinsic = UncheckedExtrinsic::new_signed(call, signer.into(), signature, extension);
    Executive::apply_extrinsic(extrinsic)
}

fn by_first(nonce: Nonce, call: RuntimeCall) -> ApplyExtrinsicResult {
    apply(account(&first()), nonce, call, |bytes| first().sign(bytes).into())
}

fn by_ferdie(nonce: Nonce, call: RuntimeCall) -> ApplyExtrinsicResult {
    let (who, pair) = ferdie();
    apply(who, nonce, call, |bytes| pair.sign(bytes).into())
}

fn register(public: ecdsa::Public) -> RuntimeCall {
    RuntimeCall::Addresses(pallet_addresses::Call::register_address { public })
}

fn transfer(dest: Address, value: Balance) -> RuntimeCall {
    RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest, value })
}

fn free(who: &AccountId) -> Balance {
    <Balances as Inspect<AccountId>>::balance(who)
}

fn held(who: &AccountId) -> Balance {
    <Balances as InspectHold<AccountId>>::total_balance_on_hold(who)
}

/// Returns the fees that the account has paid.
fn fees(of: &AccountId) -> Balance {
    let fee = |event| match event {
        RuntimeEvent::TransactionPayment(
            pallet_transaction_payment::Event::TransactionFeePaid { who, actual_fee, .. },
        ) if who == *of => Some(actual_fee),
        _ => None,
    };
    System::events().into_iter().filter_map(|record| fee(record.event)).sum()
}

#[test]
fn ecdsa_key_registers_and_is_paid_at_its_address() {
    with_chain(|| {
        let address: AssayAddress = FIRST.parse().unwrap();
        let who = account(&first());
        assert_eq!(by_first(0, register(first().public())), Ok(Ok(())));
        assert_eq!(held(&who), AddressDeposit::get());
        let before = free(&who);
        assert_eq!(before, ENDOWMENT - AddressDeposit::get() - fees(&who));

        assert_eq!(by_ferdie(0, transfer(MultiAddress::Address20(address.0), UNIT)), Ok(Ok(())));
        assert_eq!(free(&who), before + UNIT);
        let (sender, _) = ferdie();
        assert_eq!(free(&sender), ENDOWMENT - UNIT - fees(&sender));
    });
}

#[test]
fn unknown_hash_costs_the_fee_and_moves_nothing_else() {
    with_chain(|| {
        let address: AssayAddress = FIRST.parse().unwrap();
        let issuance = Balances::total_issuance();
        assert_eq!(
            by_ferdie(0, transfer(MultiAddress::Address20(address.0), UNIT)),
            Ok(Err(DispatchError::CannotLookup))
        );
        let (sender, _) = ferdie();
        assert!(fees(&sender) > 0);
        assert_eq!(free(&sender), ENDOWMENT - fees(&sender));
        assert_eq!(free(&account(&first())), ENDOWMENT);
        assert_eq!(Balances::total_issuance(), issuance - fees(&sender));
    });
}

#[test]
fn unregistered_hash_is_unknown_again() {
    with_chain(|| {
        let address = AssayAddress::of(&first().public());
        assert_eq!(by_first(0, register(first().public())), Ok(Ok(())));
        let unregister = RuntimeCall::Addresses(pallet_addresses::Call::unregister_address {});
        assert_eq!(by_first(1, unregister), Ok(Ok(())));
        assert_eq!(held(&account(&first())), 0);
        assert_eq!(
            by_ferdie(0, transfer(MultiAddress::Address20(address.0), UNIT)),
            Ok(Err(DispatchError::CannotLookup))
        );
    });
}

#[test]
fn key_of_another_cannot_be_registered() {
    with_chain(|| {
        let error = pallet_addresses::Error::<Runtime>::NotTheKeysAccount;
        assert_eq!(by_ferdie(0, register(first().public())), Ok(Err(error.into())));
        assert_eq!(Addresses::account_of(&AssayAddress::of(&first().public()).0), None);
    });
}

#[test]
fn signature_of_another_key_is_refused() {
    with_chain(|| {
        let other = ecdsa::Pair::from_seed(&[2; 32]);
        let call = register(first().public());
        assert_eq!(
            apply(account(&first()), 0, call, |bytes| other.sign(bytes).into()),
            Err(TransactionValidityError::Invalid(InvalidTransaction::BadProof))
        );
    });
}

#[test]
fn signer_can_be_named_by_its_registered_hash() {
    with_chain(|| {
        let address = AssayAddress::of(&first().public());
        let hash = || Address::Address20(address.0);
        let remark = || RuntimeCall::System(frame_system::Call::remark { remark: vec![1] });
        let sign = |bytes: &[u8]| Signature::from(first().sign(bytes));
        assert_eq!(
            apply(hash(), 0, remark(), sign),
            Err(TransactionValidityError::Unknown(UnknownTransaction::CannotLookup))
        );
        assert_eq!(by_first(0, register(first().public())), Ok(Ok(())));
        assert_eq!(apply(hash(), 1, remark(), sign), Ok(Ok(())));
    });
}

#[test]
fn runtime_api_knows_account_and_address_of_each_other() {
    with_chain(|| {
        let address = AssayAddress::of(&first().public());
        let who = account(&first());
        assert_eq!(Runtime::account_of(address.0), None);
        assert_eq!(Runtime::address_of(who.clone()), None);
        assert_eq!(by_first(0, register(first().public())), Ok(Ok(())));
        assert_eq!(Runtime::account_of(address.0), Some(who.clone()));
        assert_eq!(Runtime::address_of(who), Some(address.0));
    });
}

#[test]
fn transfer_weighs_its_lookup() {
    use pallet_balances::WeightInfo as _;
    type Measured = pallet_balances::weights::SubstrateWeight<Runtime>;
    let call = transfer(MultiAddress::Address20([0; 20]), UNIT);
    let weight = call.get_dispatch_info().call_weight;
    let read = <Runtime as frame_system::Config>::DbWeight::get().reads(1);
    assert!(weight.all_gte(Measured::transfer_keep_alive().saturating_add(read)), "{weight:?}");
}

#[test]
fn deposit_can_be_held_from_an_account_that_exists() {
    assert!(AddressDeposit::get() >= EXISTENTIAL_DEPOSIT);
}
