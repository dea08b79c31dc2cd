// SPDX-License-Identifier: Apache-2.0
//! Builds the WASM blob, where the feature `wasm-builder` asks for it.

fn main() {
    #[cfg(all(feature = "wasm-builder", not(feature = "metadata-hash")))]
    substrate_wasm_builder::WasmBuilder::init_with_defaults().build();
    #[cfg(all(feature = "wasm-builder", feature = "metadata-hash"))]
    substrate_wasm_builder::WasmBuilder::init_with_defaults()
        .enable_metadata_hash("ASY", 12)
        .build();
}
