// SPDX-License-Identifier: Apache-2.0
//! The window of positions that most layers of Gemma 3 see.

use crate::{gguf::Gguf, n1::Rope, EngineError};

/// One of how many layers sees all positions, where the file does not say it: in Gemma 3 every sixth.
const PERIOD: usize = 6;
/// The longest period. A longer one is wrong, because no model has as many layers.
const PERIOD_MAX: usize = 1 << 10;
/// The base of the frequencies in layers that see a window, where the file does not say it.
const BASE: f32 = 10_000.0;

/// The layers that see a window of positions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Number of positions that a token sees, itself included.
    pub positions: usize,
    /// The rotation in these layers.
    pub rope: Rope,
    /// One of so many layers, the last, sees all positions.
    period: usize,
}

impl Window {
    /// Returns whether a layer sees the window and not all positions.
    pub(crate) fn is_of(&self, layer: usize) -> bool {
        layer % self.period != self.period - 1
    }
}

/// Reads the window. Its layers have the rotation `rope` except for the base, and without scaling, because a
/// window never exceeds the positions that the model was first trained on.
pub(super) fn window(
    gguf: &Gguf,
    key: &dyn Fn(&str) -> String,
    rope: &Rope,
) -> Result<Window, EngineError> {
    let base = gguf.float(&key("rope.freq_base_swa"))?.unwrap_or(BASE);
    Ok(Window {
        positions: gguf.count(&key("attention.sliding_window"), u32::MAX as usize)?,
        rope: Rope { base, scale: 1.0, ..*rope },
        period: gguf.count_or(&key("attention.sliding_window_pattern"), PERIOD_MAX, PERIOD)?,
    })
}
