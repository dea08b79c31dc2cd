// SPDX-License-Identifier: Apache-2.0
//! The chains that the node knows by name. Their genesis is part of the runtime.

use assay_engine::Model;
use assay_runtime::{presets, WASM_BINARY};
use sc_service::{ChainType, GenericChainSpec, Properties};

/// The specification of a chain.
pub type ChainSpec = GenericChainSpec;

/// Returns the chain of that name, or reads it from the file of that path.
pub fn load(id: &str) -> Result<ChainSpec, String> {
    match id {
        "dev" => build(
            "Assay Development",
            "assay-dev",
            ChainType::Development,
            Genesis::Preset(sp_genesis_builder::DEV_RUNTIME_PRESET),
        ),
        "" | "local" => build(
            "Assay Local",
            "assay-local",
            ChainType::Local,
            Genesis::Preset(sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET),
        ),
        path => ChainSpec::from_json_file(path.into()).map_err(|error| {
            format!(
                "'{path}' is neither a known chain (dev, local) nor a readable specification: {error}"
            )
        }),
    }
}

/// Returns a development chain whose operators serve these models. Each choice of models is a chain of
/// its own.
pub fn development(models: &[Model]) -> Result<ChainSpec, String> {
    let offers: Vec<_> = models
        .iter()
        .map(|model| (model.root().into(), presets::TINY_PRICES, model.info().context_length))
        .collect();
    let roots: Vec<u8> = models.iter().flat_map(Model::root).collect();
    let id = format!("assay-dev-{}", &hex::encode(sp_crypto_hashing::blake2_256(&roots))[..8]);
    let genesis = Genesis::Patch(presets::development_with(&offers));
    build("Assay Development", &id, ChainType::Development, genesis)
}

/// The genesis of a chain.
enum Genesis {
    Preset(&'static str),
    Patch(serde_json::Value),
}

fn build(name: &str, id: &str, kind: ChainType, genesis: Genesis) -> Result<ChainSpec, String> {
    let code = WASM_BINARY
        .ok_or("this node was built without its runtime; build it again without SKIP_WASM_BUILD")?;
    let builder = ChainSpec::builder(code, Default::default())
        .with_name(name)
        .with_id(id)
        .with_protocol_id(id)
        .with_chain_type(kind)
        .with_properties(properties());
    Ok(match genesis {
        Genesis::Preset(name) => builder.with_genesis_config_preset_name(name),
        Genesis::Patch(patch) => builder.with_genesis_config_patch(patch),
    }
    .build())
}

/// Returns the properties with which wallets show amounts and addresses.
fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "ASY".into());
    properties.insert("tokenDecimals".into(), 12.into());
    properties.insert("ss58Format".into(), 42.into());
    properties
}
