// SPDX-License-Identifier: Apache-2.0
//! Builds the WASM blob if the feature `wasm-builder` asks for it.

#[cfg(feature = "wasm-builder")]
fn main() {
    // The builder passes every feature but `std` on to the blob's own build, which must not build
    // the builder again.
    std::env::remove_var("CARGO_FEATURE_WASM_BUILDER");
    let builder = substrate_wasm_builder::WasmBuilder::init_with_defaults();
    #[cfg(feature = "metadata-hash")]
    let builder = builder.enable_metadata_hash("ASY", 12);
    builder.build();
}

#[cfg(not(feature = "wasm-builder"))]
fn main() {}
