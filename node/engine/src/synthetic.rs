// SPDX-License-Identifier: Apache-2.0
//! Small models with random weights, for tests and benchmarks. The same seed yields the same bytes.

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

/// The window of a synthetic model of the family [`Family::Gemma3`], in positions. It is not a multiple of the 16
/// positions of a page.
pub const GEMMA3_WINDOW: u32 = 40;

/// The architecture of a synthetic model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `llama`.
    Llama,
    /// `llama` with a factor for the frequency of each pair of dimensions, as in Llama 3.
    Llama3,
    /// `qwen2`.
    Qwen2,
    /// `qwen3`.
    Qwen3,
    /// `gemma3` with a window of [`GEMMA3_WINDOW`] positions. From six layers on one sees all positions.
    Gemma3,
}

impl Family {
    /// Returns the base of the frequencies; in Gemma 3 that of the layers that see all positions.
    fn rope_base(self) -> f32 {
        if self == Self::Gemma3 {
            1e6
        } else {
            10_000.0
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Llama | Self::Llama3 => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
        }
    }
}

/// The vocabulary of a synthetic model: the same 259 tokens under two names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// `assay-bytes`.
    Bytes,
    /// Pieces of SentencePiece, for programs that do not know `assay-bytes`.
    Pieces,
}

impl Vocabulary {
    /// Returns the metadata that describes it.
    pub fn metadata(self) -> Vec<(&'static str, Value)> {
        let mut metadata = vec![
            ("tokenizer.ggml.bos_token_id", Value::U32(256)),
            ("tokenizer.ggml.eos_token_id", Value::U32(257)),
            ("tokenizer.ggml.add_bos_token", Value::Bool(true)),
        ];
        match self {
            Self::Bytes => {
                metadata.insert(0, ("tokenizer.ggml.model", Value::String("assay-bytes".into())));
            }
            Self::Pieces => {
                let bytes = (0..256).map(|byte| format!("<0x{byte:02X}>"));
                let texts = bytes.chain(["<s>", "</s>", "<pad>"].map(String::from));
                let kinds = (0..259).map(|id| Value::I32(if id < 256 { 6 } else { 3 }));
                metadata.extend([
                    ("tokenizer.ggml.model", Value::String("llama".into())),
                    ("tokenizer.ggml.tokens", Value::Array(texts.map(Value::String).collect())),
                    ("tokenizer.ggml.scores", Value::Array(vec![Value::F32(0.0); 259])),
                    ("tokenizer.ggml.token_type", Value::Array(kinds.collect())),
                    ("tokenizer.ggml.add_space_prefix", Value::Bool(false)),
                ]);
            }
        }
        metadata
    }
}

/// The shape of a synthetic model.
#[derive(Clone, Copy, Debug)]
pub struct Synthetic {
    /// The architecture.
    pub family: Family,
    /// The vocabulary.
    pub vocabulary: Vocabulary,
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
    /// Dimensions of a head, if it is not `dim / heads`.
    pub head_dim: Option<usize>,
    /// Context length.
    pub context: u32,
    /// Whether the output matrix is the embedding.
    pub tied: bool,
}

impl Default for Synthetic {
    /// Returns a shape of two layers of width 64 in Q8_0, with four heads on two key heads, tied,
    /// and a context of 512 tokens.
    fn default() -> Self {
        Self {
            family: Family::Llama,
            vocabulary: Vocabulary::Bytes,
            seed: 1,
            dtype: GgmlDType::Q8_0,
            dim: 64,
            hidden: 160,
            layers: 2,
            heads: 4,
            kv_heads: 2,
            head_dim: None,
            context: 512,
            tied: true,
        }
    }
}

impl Synthetic {
    fn head_dim(&self) -> usize {
        self.head_dim.unwrap_or(self.dim / self.heads)
    }

    /// Returns the metadata of the file, in order.
    pub fn metadata(&self) -> Vec<(String, Value)> {
        let family = self.family.name();
        let number = |n: usize| Value::U32(n as u32);
        let mut metadata = vec![
            ("general.architecture".to_string(), Value::String(family.into())),
            ("general.name".to_string(), Value::String(format!("synthetic-{}", self.seed))),
        ];
        let mut own = vec![
            ("context_length", Value::U32(self.context)),
            ("embedding_length", number(self.dim)),
            ("block_count", number(self.layers)),
            ("feed_forward_length", number(self.hidden)),
            ("attention.head_count", number(self.heads)),
            ("attention.head_count_kv", number(self.kv_heads)),
            ("attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
            ("rope.dimension_count", number(self.head_dim())),
            ("rope.freq_base", Value::F32(self.family.rope_base())),
        ];
        if let Some(head_dim) = self.head_dim {
            own.push(("attention.key_length", number(head_dim)));
            own.push(("attention.value_length", number(head_dim)));
        }
        if self.family == Family::Gemma3 {
            own.push(("attention.sliding_window", Value::U32(GEMMA3_WINDOW)));
        }
        metadata.extend(own.into_iter().map(|(key, value)| (format!("{family}.{key}"), value)));
        let vocabulary = self.vocabulary.metadata();
        metadata.extend(vocabulary.into_iter().map(|(key, value)| (key.to_string(), value)));
        metadata
    }

    /// Returns the names and shapes of the tensors, in order.
    fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        let (dim, hidden, head_dim) = (self.dim, self.hidden, self.head_dim());
        let (width, kv) = (head_dim * self.heads, head_dim * self.kv_heads);
        let mut shapes = vec![("token_embd.weight".to_string(), vec![259, dim])];
        if self.family == Family::Llama3 {
            shapes.push(("rope_freqs.weight".to_string(), vec![head_dim / 2]));
        }
        for i in 0..self.layers {
            let mut parts = vec![
                ("attn_norm.weight", vec![dim]),
                ("attn_q.weight", vec![width, dim]),
                ("attn_k.weight", vec![kv, dim]),
                ("attn_v.weight", vec![kv, dim]),
                ("attn_output.weight", vec![dim, width]),
                ("ffn_norm.weight", vec![dim]),
                ("ffn_gate.weight", vec![hidden, dim]),
                ("ffn_up.weight", vec![hidden, dim]),
                ("ffn_down.weight", vec![dim, hidden]),
            ];
            match self.family {
                Family::Llama | Family::Llama3 => (),
                Family::Qwen2 => parts.extend([
                    ("attn_q.bias", vec![width]),
                    ("attn_k.bias", vec![kv]),
                    ("attn_v.bias", vec![kv]),
                ]),
                Family::Qwen3 => parts.extend([
                    ("attn_q_norm.weight", vec![head_dim]),
                    ("attn_k_norm.weight", vec![head_dim]),
                ]),
                Family::Gemma3 => parts.extend([
                    ("attn_q_norm.weight", vec![head_dim]),
                    ("attn_k_norm.weight", vec![head_dim]),
                    ("post_attention_norm.weight", vec![dim]),
                    ("post_ffw_norm.weight", vec![dim]),
                ]),
            }
            shapes
                .extend(parts.into_iter().map(|(part, shape)| (format!("blk.{i}.{part}"), shape)));
        }
        shapes.push(("output_norm.weight".to_string(), vec![dim]));
        if !self.tied {
            shapes.push(("output.weight".to_string(), vec![259, dim]));
        }
        shapes
    }

    /// Returns the tensors of the file, in order: matrices are uniform in ±sqrt(3 / columns), norms
    /// are near 1, biases near 0, and factors of the frequencies from 1 to 8.
    ///
    /// # Errors
    /// Returns candle's error if the shape is not one of whole blocks or the type is neither Q8_0
    /// nor Q4_0.
    pub fn tensors(&self) -> candle_core::Result<Vec<(String, QTensor)>> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        self.shapes()
            .into_iter()
            .map(|(name, shape)| {
                let centre = if name.ends_with("bias") { 0.0 } else { 1.0 };
                let tensor = match name.as_str() {
                    "rope_freqs.weight" => factors(shape[0])?,
                    _ => self.tensor(&mut rng, &shape, centre)?,
                };
                Ok((name, tensor))
            })
            .collect()
    }

    fn tensor(
        &self,
        rng: &mut ChaCha8Rng,
        shape: &[usize],
        centre: f32,
    ) -> candle_core::Result<QTensor> {
        let mut uniform = || (f64::from(rng.next_u32()) / 2f64.powi(31) - 1.0) as f32;
        let (dtype, raw) = match *shape {
            [n] => {
                let norm = (0..n).flat_map(|_| (centre + 0.2 * uniform()).to_le_bytes()).collect();
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

    /// Returns the file.
    ///
    /// # Errors
    /// Returns the errors of [`Synthetic::tensors`].
    pub fn file(&self) -> candle_core::Result<Vec<u8>> {
        write(&self.metadata(), &self.tensors()?)
    }

    /// Returns the file with a chat template.
    ///
    /// # Errors
    /// Returns the errors of [`Synthetic::tensors`].
    pub fn file_with_template(&self, template: &str) -> candle_core::Result<Vec<u8>> {
        let mut metadata = self.metadata();
        metadata.push(("tokenizer.chat_template".into(), Value::String(template.into())));
        write(&metadata, &self.tensors()?)
    }
}

/// Returns factors like Llama 3's: high frequencies stay, low ones are divided by up to eight, and
/// those between by less.
fn factors(pairs: usize) -> candle_core::Result<QTensor> {
    let factor = |j: usize| 1.0 + 7.0 * j as f32 / pairs.max(1) as f32;
    let bytes: Vec<u8> = (0..pairs).flat_map(|j| factor(j).to_le_bytes()).collect();
    qtensor_from_ggml(GgmlDType::F32, &bytes, vec![pairs], &Device::Cpu)
}

/// Returns a GGUF file of these keys and tensors, in this order.
///
/// # Errors
/// Returns candle's error.
pub fn write(
    metadata: &[(String, Value)],
    tensors: &[(String, QTensor)],
) -> candle_core::Result<Vec<u8>> {
    let metadata: Vec<_> = metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut out = Cursor::new(Vec::new());
    gguf_file::write(&mut out, &metadata, &tensors)?;
    Ok(out.into_inner())
}
