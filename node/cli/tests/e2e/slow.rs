// SPDX-License-Identifier: Apache-2.0
//! A model that writes slowly enough for something to happen meanwhile.

use assay_engine::synthetic::Synthetic;

/// Returns the file of a model whose job of 4,000 tokens takes some seconds on an idle machine, and can be
/// promised on a busy one.
pub fn slow_model() -> Vec<u8> {
    let slow = Synthetic {
        dim: 256,
        hidden: 1_024,
        heads: 4,
        kv_heads: 4,
        layers: 8,
        context: 8_192,
        ..Synthetic::default()
    };
    slow.file().unwrap()
}
