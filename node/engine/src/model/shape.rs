// SPDX-License-Identifier: Apache-2.0
//! The shape of a model, from the metadata of its file.

use super::{
    architecture::{Architecture, Gating},
    window::{window, Window},
};
use crate::{
    gguf::{invalid, Gguf},
    n1::{Rope, LANES},
    quantise::BLOCK,
    EngineError,
};

/// The longest context. A file that claims more is wrong, or needs more than this engine has.
const CONTEXT_MAX: usize = 1 << 20;
/// The widest vector of a model.
const WIDTH_MAX: usize = 1 << 17;
/// The most layers.
const LAYERS_MAX: usize = 1 << 10;
/// Keys, after the architecture's name, that change the computation in a way that the engine does
/// not support.
const UNSUPPORTED: [&str; 12] = [
    "expert_count",
    "attention.causal",
    "attention.clamp_kqv",
    "attention.scale",
    "attention.key_length_swa",
    "attention.value_length_swa",
    "attn_logit_softcapping",
    "final_logit_softcapping",
    "embedding_scale",
    "logit_scale",
    "rope.dimension_count_swa",
    "rope.scaling.attn_factor",
];

/// The shape of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub vocab: usize,
    pub context: usize,
    pub dim: usize,
    pub hidden: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    pub rope: Rope,
    pub epsilon: f32,
    /// The factor of each product of a query and a key.
    pub score_scale: f32,
    pub gating: Gating,
    /// The window of the layers that see one, if there are such layers.
    pub window: Option<Window>,
}

impl Shape {
    pub(crate) fn kv_dim(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Returns the window of a layer, if it sees one.
    pub(crate) fn window_of(&self, layer: usize) -> Option<&Window> {
        self.window.as_ref().filter(|window| window.is_of(layer))
    }
}

/// Reads the shape, in which everything is checked against everything else.
pub(super) fn shape(gguf: &Gguf, architecture: Architecture) -> Result<Shape, EngineError> {
    let key = |part: &str| format!("{}.{part}", architecture.name());
    if let Some(key) = UNSUPPORTED.iter().map(|part| key(part)).find(|k| gguf.get(k).is_some()) {
        return Err(invalid(&key, "the engine does not support it"));
    }
    let dim = gguf.count(&key("embedding_length"), WIDTH_MAX)?;
    let hidden = gguf.count(&key("feed_forward_length"), WIDTH_MAX)?;
    for (part, n) in [("embedding_length", dim), ("feed_forward_length", hidden)] {
        if !n.is_multiple_of(BLOCK) {
            return Err(invalid(&key(part), format!("{n} is not a multiple of {BLOCK}")));
        }
    }
    let (heads, kv_heads, head_dim) = heads(gguf, architecture, &key, dim)?;
    let layers = gguf.count(&key("block_count"), LAYERS_MAX)?;
    let rope = rope(gguf, architecture, &key, head_dim)?;
    let (context, window) = match architecture {
        Architecture::Gemma3 => {
            let context = gguf.count(&key("context_length"), CONTEXT_MAX)?;
            (context, Some(window(gguf, &key, &rope)?))
        }
        _ => (context(gguf, &key)?, None),
    };
    Ok(Shape {
        vocab: vocabulary(gguf, &key("vocab_size"))?,
        context,
        dim,
        hidden,
        layers,
        heads,
        kv_heads,
        head_dim,
        rope,
        epsilon: gguf.required_float(&key("attention.layer_norm_rms_epsilon"))?,
        score_scale: score_scale(architecture, layers, dim, heads, head_dim),
        gating: architecture.gating(),
        window,
    })
}

/// Reads the numbers of query heads and of key heads, and the dimensions of each head.
fn heads(
    gguf: &Gguf,
    architecture: Architecture,
    key: &dyn Fn(&str) -> String,
    dim: usize,
) -> Result<(usize, usize, usize), EngineError> {
    let heads = gguf.count(&key("attention.head_count"), WIDTH_MAX)?;
    let given = gguf.get(&key("attention.key_length")).is_some();
    if !given && architecture == Architecture::Gemma3 {
        // Its heads are never the width divided by their number.
        return Err(EngineError::MissingKey { key: key("attention.key_length") });
    }
    if !given && !dim.is_multiple_of(heads) {
        let problem = format!("{heads} does not divide embedding_length {dim}");
        return Err(invalid(&key("attention.head_count"), problem));
    }
    let kv_heads = gguf.count_or(&key("attention.head_count_kv"), WIDTH_MAX, heads)?;
    if !heads.is_multiple_of(kv_heads) {
        let problem = format!("{kv_heads} does not divide head_count {heads}");
        return Err(invalid(&key("attention.head_count_kv"), problem));
    }
    let head_dim = gguf.count_or(&key("attention.key_length"), WIDTH_MAX, dim / heads)?;
    let value_dim = gguf.count_or(&key("attention.value_length"), WIDTH_MAX, head_dim)?;
    if value_dim != head_dim {
        let problem = format!("{value_dim}, but the keys have {head_dim}");
        return Err(invalid(&key("attention.value_length"), problem));
    }
    let width = head_dim.checked_mul(heads).filter(|w| *w <= WIDTH_MAX && w.is_multiple_of(BLOCK));
    if width.is_none() || !head_dim.is_multiple_of(LANES) || head_dim == 0 {
        let problem = format!(
            "{heads} heads of {head_dim}: one must be a multiple of {LANES}, and all a multiple of {BLOCK}"
        );
        let part = if given { "key_length" } else { "head_count" };
        return Err(invalid(&key(&format!("attention.{part}")), problem));
    }
    Ok((heads, kv_heads, head_dim))
}

/// Returns `1 / sqrt(head_dim)`. In Gemma 3 27B, which is known by its 62 layers as in llama.cpp, the width of the
/// stream divided by the number of heads takes the place of `head_dim`.
fn score_scale(
    architecture: Architecture,
    layers: usize,
    dim: usize,
    heads: usize,
    head_dim: usize,
) -> f32 {
    let divisor = match (architecture, layers) {
        (Architecture::Gemma3, 62) => dim / heads,
        _ => head_dim,
    };
    1.0 / (divisor as f32).sqrt()
}

/// Reads the longest input and output together. A model whose tokens see only a window computes the
/// same as long as everything is in the window, so the window bounds the context. Gemma 3's does not.
fn context(gguf: &Gguf, key: &dyn Fn(&str) -> String) -> Result<usize, EngineError> {
    let context = gguf.count(&key("context_length"), CONTEXT_MAX)?;
    let window = key("attention.sliding_window");
    match gguf.number(&window)? {
        // As in llama.cpp, 0 means no window.
        None | Some(0) => Ok(context),
        Some(_) => Ok(context.min(gguf.count(&window, u32::MAX as usize)?)),
    }
}

fn rope(
    gguf: &Gguf,
    architecture: Architecture,
    key: &dyn Fn(&str) -> String,
    head_dim: usize,
) -> Result<Rope, EngineError> {
    let dimensions = gguf.count_or(&key("rope.dimension_count"), head_dim, head_dim)?;
    if !dimensions.is_multiple_of(2) {
        return Err(invalid(&key("rope.dimension_count"), format!("{dimensions} is odd")));
    }
    let factor = match gguf.float(&key("rope.scaling.factor"))? {
        Some(factor) => factor,
        // This is the older name.
        None => gguf.float(&key("rope.scale_linear"))?.unwrap_or(1.0),
    };
    let kind = key("rope.scaling.type");
    let scale = match gguf.text(&kind)? {
        Some("none") => 1.0,
        None | Some("linear") => factor,
        Some(other) => return Err(invalid(&kind, format!("{other:?} is not supported"))),
    };
    let base = gguf.float(&key("rope.freq_base"))?.unwrap_or(10_000.0);
    Ok(Rope { pairs: architecture.rope_pairs(), dimensions, base, scale })
}

/// Returns the number of rows in the embedding, which must be the one in the metadata, if it has
/// one.
fn vocabulary(gguf: &Gguf, key: &str) -> Result<usize, EngineError> {
    let rows = gguf.tensor("token_embd.weight")?.shape.first().copied().unwrap_or_default();
    match gguf.number(key)? {
        Some(n) if n != rows as u64 => {
            Err(invalid(key, format!("{n}, but the embedding has {rows} rows")))
        }
        _ => Ok(rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_scale_is_that_of_the_head_except_in_gemma_3_27b() {
        let scale = |architecture, layers| score_scale(architecture, layers, 5376, 32, 128);
        assert_eq!(scale(Architecture::Gemma3, 62), 1.0 / 168f32.sqrt());
        assert_eq!(scale(Architecture::Gemma3, 48), 1.0 / 128f32.sqrt());
        assert_eq!(scale(Architecture::Llama, 62), 1.0 / 128f32.sqrt());
        assert_eq!(score_scale(Architecture::Gemma3, 18, 640, 4, 256), 1.0 / 16.0);
    }
}
