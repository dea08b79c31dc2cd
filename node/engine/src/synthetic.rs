// SPDX-License-Identifier: Apache-2.0
//! Small models with random weights, for tests and benchmarks: the same bytes for the same seed.

use crate::quantise;
use candle_core::{
    quantized::{
        ggml_file::qtensor_from_ggml,
        gguf_file::{self, Value},
        GgmlDType, QTensor,
    },
    Device,
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::io::Cursor;

/// The shape of a synthetic model.
#[derive(Clone, Copy, Debug)]
pub struct Synthetic {
    /// Seed of the weights.
    pub seed: u64,
    /// Type of the matrices: `Q8_0` or `Q4_0`.
    pub dtype: GgmlDType,
    /// Width, a multiple of 32.
    pub dim: usize,
    /// Width of the feed-forward network, a multiple of 32.
    pub hidden: usize,
    /// Layers.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key heads, a divisor of `heads`.
    pub kv_heads: usize,
    /// Context length.
    pub context: u32,
    /// Whether the output matrix is the embedding.
    pub tied: bool,
}

impl Default for Synthetic {
    /// Two layers of width 64, Q8_0, four heads on two key heads, tied, 512 tokens.
    fn default() -> Self {
        Self {
            seed: 1,
            dtype: GgmlDType::Q8_0,
            dim: 64,
            hidden: 160,
            layers: 2,
            heads: 4,
            kv_heads: 2,
            context: 512,
            tied: true,
        }
    }
}

impl Synthetic {
    /// The metadata of the file, in order.
    pub fn metadata(&self) -> Vec<(&'static str, Value)> {
        let head_dim = (self.dim / self.heads) as u32;
        vec![
            ("general.architecture", Value::String("llama".into())),
            ("general.name", Value::String(format!("synthetic-{}", self.seed))),
            ("llama.context_length", Value::U32(self.context)),
            ("llama.embedding_length", Value::U32(self.dim as u32)),
            ("llama.block_count", Value::U32(self.layers as u32)),
            ("llama.feed_forward_length", Value::U32(self.hidden as u32)),
            ("llama.attention.head_count", Value::U32(self.heads as u32)),
            ("llama.attention.head_count_kv", Value::U32(self.kv_heads as u32)),
            ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
            ("llama.rope.dimension_count", Value::U32(head_dim)),
            ("llama.rope.freq_base", Value::F32(10_000.0)),
            ("tokenizer.ggml.model", Value::String("assay-bytes".into())),
            ("tokenizer.ggml.bos_token_id", Value::U32(256)),
            ("tokenizer.ggml.eos_token_id", Value::U32(257)),
            ("tokenizer.ggml.add_bos_token", Value::Bool(true)),
        ]
    }

    /// The tensors of the file, in order, with values uniform in ±sqrt(3 / columns), norms near 1.
    ///
    /// # Errors
    /// candle's, if the shape is not one of whole blocks or the type is neither Q8_0 nor Q4_0.
    pub fn tensors(&self) -> candle_core::Result<Vec<(String, QTensor)>> {
        let kv = self.dim / self.heads * self.kv_heads;
        let (dim, hidden) = (self.dim, self.hidden);
        let mut shapes = vec![("token_embd.weight".to_string(), vec![259, dim])];
        for i in 0..self.layers {
            for (part, shape) in [
                ("attn_norm", vec![dim]),
                ("attn_q", vec![dim, dim]),
                ("attn_k", vec![kv, dim]),
                ("attn_v", vec![kv, dim]),
                ("attn_output", vec![dim, dim]),
                ("ffn_norm", vec![dim]),
                ("ffn_gate", vec![hidden, dim]),
                ("ffn_up", vec![hidden, dim]),
                ("ffn_down", vec![dim, hidden]),
            ] {
                shapes.push((format!("blk.{i}.{part}.weight"), shape));
            }
        }
        shapes.push(("output_norm.weight".to_string(), vec![dim]));
        if !self.tied {
            shapes.push(("output.weight".to_string(), vec![259, dim]));
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        shapes
            .into_iter()
            .map(|(name, shape)| {
                let tensor = self.tensor(&mut rng, &shape)?;
                Ok((name, tensor))
            })
            .collect()
    }

    fn tensor(&self, rng: &mut ChaCha8Rng, shape: &[usize]) -> candle_core::Result<QTensor> {
        let mut uniform = || (f64::from(rng.next_u32()) / 2f64.powi(31) - 1.0) as f32;
        let (dtype, raw) = match *shape {
            [n] => {
                let norm = (0..n).flat_map(|_| (1.0 + 0.2 * uniform()).to_le_bytes()).collect();
                (GgmlDType::F32, Some(norm))
            }
            _ => {
                let columns = shape.last().copied().unwrap_or(1);
                let bound = (3.0 / columns as f32).sqrt();
                let count = shape.iter().product();
                let values: Vec<f32> = (0..count).map(|_| bound * uniform()).collect();
                let raw = match self.dtype {
                    GgmlDType::Q4_0 => quantise::q4_0(&values),
                    GgmlDType::Q8_0 => quantise::q8_0(&values),
                    _ => None,
                };
                (self.dtype, raw)
            }
        };
        let Some(raw) = raw else { candle_core::bail!("{dtype:?} {shape:?}: use Q8_0 or Q4_0") };
        qtensor_from_ggml(dtype, &raw, shape.to_vec(), &Device::Cpu)
    }

    /// The file.
    ///
    /// # Errors
    /// Those of [`Synthetic::tensors`].
    pub fn file(&self) -> candle_core::Result<Vec<u8>> {
        write(&self.metadata(), &self.tensors()?)
    }
}

/// A GGUF file of these keys and tensors, in this order.
///
/// # Errors
/// candle's.
pub fn write(
    metadata: &[(&str, Value)],
    tensors: &[(String, QTensor)],
) -> candle_core::Result<Vec<u8>> {
    let metadata: Vec<_> = metadata.iter().map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut out = Cursor::new(Vec::new());
    gguf_file::write(&mut out, &metadata, &tensors)?;
    Ok(out.into_inner())
}
