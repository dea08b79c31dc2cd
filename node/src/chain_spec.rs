// SPDX-License-Identifier: Apache-2.0
//! The chains that the node knows by name. What they begin with is the runtime's matter.

use assay_runtime::WASM_BINARY;
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
            sp_genesis_builder::DEV_RUNTIME_PRESET,
        ),
        "" | "local" => build(
            "Assay Local",
            "assay-local",
            ChainType::Local,
            sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
        ),
        path => ChainSpec::from_json_file(path.into()).map_err(|error| {
            format!("no chain is named '{path}' (there are dev and local), and as a file: {error}")
        }),
    }
}

fn build(name: &str, id: &str, kind: ChainType, preset: &str) -> Result<ChainSpec, String> {
    let code = WASM_BINARY.ok_or(
        "this node was built without its runtime (SKIP_WASM_BUILD); build it again without that",
    )?;
    Ok(ChainSpec::builder(code, Default::default())
        .with_name(name)
        .with_id(id)
        .with_protocol_id(id)
        .with_chain_type(kind)
        .with_genesis_config_preset_name(preset)
        .with_properties(properties())
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
