// SPDX-License-Identifier: Apache-2.0
//! The genesis of each kind of network.

use crate::{
    parameters::genesis::Windows, AccountId, BabeConfig, Balance, BalancesConfig,
    GenesisParametersConfig, OperatorsConfig, RuntimeGenesisConfig, SessionConfig, SessionKeys,
    SudoConfig, BABE_GENESIS_EPOCH_CONFIG, MINUTES, UNIT,
};
use alloc::{format, string::String, vec, vec::Vec};
use assay_primitives::{ModelId, Prices};
use frame_support::build_struct_json_patch;
use serde_json::Value;
use sp_core::{ed25519, sr25519, Pair};
use sp_genesis_builder::PresetId;
use sp_keyring::Sr25519Keyring;
use sp_runtime::traits::{IdentifyAccount, Verify};

/// The model that every node carries: the BLAKE3 hash of the engine's `models/tiny.gguf`.
pub const TINY_MODEL: ModelId = sp_core::H256([
    0x1a, 0x7b, 0x99, 0xaa, 0x3b, 0xc2, 0xf7, 0xb5, 0x4e, 0x48, 0xa7, 0xeb, 0x4a, 0xaa, 0x32, 0x75,
    0x96, 0x55, 0xf4, 0x2e, 0x56, 0x6d, 0xd1, 0x72, 0x91, 0xcd, 0x6e, 0x11, 0x0d, 0xae, 0x35, 0x07,
]);

/// The context of the tiny model in tokens.
pub const TINY_CONTEXT: u32 = 2_048;

/// The prices of a token of the tiny model on the development networks.
pub const TINY_PRICES: Prices = Prices { input: UNIT / 1_000, output: UNIT / 100 };

/// The tiny model as the operators of the development networks offer it.
const TINY_OFFER: (ModelId, Prices, u32) = (TINY_MODEL, TINY_PRICES, TINY_CONTEXT);

/// The path from an account's development key to its worker key.
pub const WORKER_PATH: &str = "//worker";

/// The operators of the development networks: enough for a committee, a jury and seats that are drawn
/// again. Eve and Ferdie are none of them, so that there are clients that have nothing to do with any audit.
pub const DEVELOPMENT_OPERATORS: [Sr25519Keyring; 12] = [
    Sr25519Keyring::Alice,
    Sr25519Keyring::Bob,
    Sr25519Keyring::Charlie,
    Sr25519Keyring::Dave,
    Sr25519Keyring::AliceStash,
    Sr25519Keyring::BobStash,
    Sr25519Keyring::CharlieStash,
    Sr25519Keyring::DaveStash,
    Sr25519Keyring::EveStash,
    Sr25519Keyring::FerdieStash,
    Sr25519Keyring::One,
    Sr25519Keyring::Two,
];

/// The endowment of each account of a development network.
const ENDOWMENT: Balance = 1_000_000 * UNIT;
/// The bond of each operator of a development network.
const BOND: Balance = 100_000 * UNIT;
/// The balance of a worker key, from which it advances fees that its reports get back.
const WORKER_FLOAT: Balance = 10 * UNIT;

/// Windows of a few blocks, with which a whole job takes less than a minute. Every job is audited. Stake is
/// free long before an offence cannot be reported any more, which a network with money cannot have.
const SHORT: Windows = Windows {
    accept: 5,
    challenge: 5,
    retention: 60 * MINUTES,
    commit: 10,
    reveal: 10,
    draw: 2,
    audit_floor: 1_000_000,
    produce: 40,
    unbonding: MINUTES,
    slash: MINUTES,
    epoch: MINUTES,
    heartbeat: 8,
};

fn account(seed: &str) -> AccountId {
    let pair = sr25519::Pair::from_string(seed, None);
    // Only development seeds are passed here, and these are well-formed.
    pair.map(|pair| <crate::Signature as Verify>::Signer::from(pair.public()).into_account())
        .unwrap_or_else(|_| AccountId::new([0; 32]))
}

/// Returns the account of an operator's worker key on the development networks.
pub fn worker_of(operator: Sr25519Keyring) -> AccountId {
    account(&format!("{}{WORKER_PATH}", operator.to_seed()))
}

fn session_keys(validator: Sr25519Keyring) -> Option<SessionKeys> {
    let seed = validator.to_seed();
    Some(SessionKeys {
        babe: sr25519::Pair::from_string(&seed, None).ok()?.public().into(),
        grandpa: ed25519::Pair::from_string(&seed, None).ok()?.public().into(),
    })
}

fn genesis(
    validators: &[Sr25519Keyring],
    models: &[(ModelId, Prices, u32)],
    windows: Option<Windows>,
    sudo: Option<AccountId>,
) -> Value {
    let known: Vec<_> = Sr25519Keyring::well_known().collect();
    let others = DEVELOPMENT_OPERATORS.into_iter().filter(|who| !known.contains(who));
    let mut balances: Vec<(AccountId, Balance)> =
        known.iter().copied().chain(others).map(|who| (who.to_account_id(), ENDOWMENT)).collect();
    balances.extend(DEVELOPMENT_OPERATORS.iter().map(|who| (worker_of(*who), WORKER_FLOAT)));
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig { balances },
        babe: BabeConfig { epoch_config: BABE_GENESIS_EPOCH_CONFIG },
        session: SessionConfig {
            keys: validators
                .iter()
                .filter_map(|who| {
                    Some((who.to_account_id(), who.to_account_id(), session_keys(*who)?))
                })
                .collect::<Vec<_>>(),
        },
        operators: OperatorsConfig {
            operators: DEVELOPMENT_OPERATORS
                .iter()
                .map(|who| { (who.to_account_id(), worker_of(*who), models.to_vec(), 4, BOND,) })
                .collect::<Vec<_>>(),
            validators: validators.iter().map(|who| who.to_account_id()).collect::<Vec<_>>(),
        },
        genesis_parameters: GenesisParametersConfig { windows },
        sudo: SudoConfig { key: sudo },
    })
}

/// Returns the genesis of a network with one process: Alice authors the blocks, the operators
/// share one keystore, every window is short, and Alice has sudo.
pub fn development() -> Value {
    development_with(&[TINY_OFFER])
}

/// Returns the development genesis with operators that serve `models`, each with its prices and
/// its context.
pub fn development_with(models: &[(ModelId, Prices, u32)]) -> Value {
    let sudo = Sr25519Keyring::Alice.to_account_id();
    genesis(&[Sr25519Keyring::Alice], models, Some(SHORT), Some(sudo))
}

/// Returns the genesis of a network with three validators, each a process of its own, and the same
/// operators. Nobody has sudo.
pub fn local() -> Value {
    genesis(
        &[Sr25519Keyring::Alice, Sr25519Keyring::Bob, Sr25519Keyring::Charlie],
        &[TINY_OFFER],
        Some(SHORT),
        None,
    )
}

/// Returns the preset of that name.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
    let preset = match id.as_ref() {
        sp_genesis_builder::DEV_RUNTIME_PRESET => development(),
        sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET => local(),
        _ => return None,
    };
    Some(String::into_bytes(serde_json::to_string(&preset).ok()?))
}

/// Returns the names of the presets.
pub fn preset_names() -> Vec<PresetId> {
    vec![
        PresetId::from(sp_genesis_builder::DEV_RUNTIME_PRESET),
        PresetId::from(sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET),
    ]
}
