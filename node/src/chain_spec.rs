// SPDX-License-Identifier: Apache-2.0
//! The chains that the node knows by name. What they begin with is the runtime's matter.

use assay_engine::Model;
use assay_runtime::{presets, WASM_BINARY};
use sc_service::{ChainType, GenericChainSpec, Properties};

/// A chain's specification.
pub type ChainSpec = GenericChainSpec;

/// The chain of that name, or the one in the file of that path.
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
            format!("no chain is named '{path}' (there are dev and local), and as a file: {error}")
        }),
    }
}

/// A development chain whose operators serve these models. It is a chain of its own for each choice
/// of models.
pub fn development(models: &[Model]) -> Result<ChainSpec, String> {
    let offers: Vec<_> = models
        .iter()
        .map(|model| (model.root().into(), presets::TINY_PRICE, model.info().context_length))
        .collect();
    let roots: Vec<u8> = models.iter().flat_map(Model::root).collect();
    let id = format!("assay-dev-{}", &hex::encode(sp_crypto_hashing::blake2_256(&roots))[..8]);
    let genesis = Genesis::Patch(presets::development_with(&offers));
    build("Assay Development", &id, ChainType::Development, genesis)
}

/// What a chain begins with.
enum Genesis {
    Preset(&'static str),
    Patch(serde_json::Value),
}

fn build(name: &str, id: &str, kind: ChainType, genesis: Genesis) -> Result<ChainSpec, String> {
    let code = WASM_BINARY.ok_or(
        "this node was built without its runtime (SKIP_WASM_BUILD); build it again without that",
    )?;
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

/// What wallets show amounts with.
fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "ASY".into());
    properties.insert("tokenDecimals".into(), 12.into());
    properties.insert("ss58Format".into(), 42.into());
    properties
}
