// SPDX-License-Identifier: Apache-2.0
//! The reference for N1: a model evaluated in f32 by candle's tensors on dequantised weights.

use candle_core::{
    quantized::gguf_file::{Content, Value},
    DType, Device, Result, Tensor, D,
};
use half::f16;
use std::{collections::HashMap, io::Cursor};

/// The treatment of activations before each product with a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activations {
    /// No change: the model itself.
    Floats,
    /// Blocks of 32 integers with a scale in f32, as in N1.
    Blocks,
    /// Blocks of 32 integers with a scale that is rounded to f16, as in llama.cpp.
    HalfScales,
}

impl Activations {
    fn round(self, x: &Tensor) -> Result<Tensor> {
        if self == Self::Floats {
            return Ok(x.clone());
        }
        let mut values: Vec<f32> = x.flatten_all()?.to_vec1()?;
        for block in values.chunks_mut(32) {
            let d = block.iter().fold(0f32, |m, x| m.max(x.abs())) / 127.0;
            let inverse = if d > 0.0 { 1.0 / d } else { 0.0 };
            let scale = if self == Self::HalfScales { f16::from_f32(d).to_f32() } else { d };
            block.iter_mut().for_each(|x| *x = (*x * inverse).round() * scale);
        }
        Tensor::from_vec(values, x.shape(), x.device())
    }
}

/// A model's metadata and its weights in f32.
pub struct Reference {
    metadata: HashMap<String, Value>,
    weights: HashMap<String, Tensor>,
    activations: Activations,
}

impl Reference {
    pub fn new(file: &[u8], activations: Activations) -> Result<Self> {
        let (device, mut reader) = (Device::Cpu, Cursor::new(file));
        let content = Content::read(&mut reader)?;
        let mut weights = HashMap::new();
        for name in content.tensor_infos.keys() {
            let tensor = content.tensor(&mut reader, name, &device)?.dequantize(&device)?;
            weights.insert(name.clone(), tensor);
        }
        Ok(Self { metadata: content.metadata, weights, activations })
    }

    fn architecture(&self) -> &str {
        self.metadata["general.architecture"].to_string().expect("a string")
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.metadata.get(&format!("{}.{key}", self.architecture()))
    }

    fn number(&self, key: &str) -> usize {
        self.value(key).expect(key).to_u32().expect("a u32") as usize
    }

    fn norm(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let epsilon = self.value("attention.layer_norm_rms_epsilon").expect("a key").to_f32()?;
        let scale = (x.sqr()?.mean_keepdim(D::Minus1)? + f64::from(epsilon))?.sqrt()?;
        x.broadcast_div(&scale)?.broadcast_mul(weight)
    }

    /// Computes gelu. llama.cpp looks it up in a table by the argument in f16, whose values are f16.
    fn gelu(&self, x: &Tensor) -> Result<Tensor> {
        if self.activations != Activations::HalfScales {
            return x.gelu();
        }
        let half = |x: &Tensor| x.to_dtype(DType::F16)?.to_dtype(DType::F32);
        half(&half(x)?.gelu()?)
    }

    /// Normalises a result that is to be added to the stream, where the model does.
    fn post(&self, x: Tensor, norm: &str) -> Result<Tensor> {
        self.weights.get(norm).map_or(Ok(x.clone()), |norm| self.norm(&x, norm))
    }

    fn product(&self, x: &Tensor, matrix: &str) -> Result<Tensor> {
        self.activations.round(x)?.matmul(&self.weights[matrix].t()?)
    }

    /// Returns whether a layer sees a window of positions and not all.
    fn is_local(&self, layer: usize) -> bool {
        self.architecture() == "gemma3" && layer % 6 != 5
    }

    /// Returns cosines and sines of a layer for `n` positions.
    fn angles(&self, layer: usize, n: usize, head_dim: usize) -> Result<(Tensor, Tensor)> {
        let factors = match self.weights.get("rope_freqs.weight") {
            Some(factors) => factors.to_vec1()?,
            None => vec![1f32; head_dim / 2],
        };
        let (linear, base) = match self.is_local(layer) {
            true => (1.0, 10_000.0),
            false => (
                self.value("rope.scaling.factor").map_or(Ok(1.0), Value::to_f32)?,
                self.value("rope.freq_base").expect("a key").to_f32()?,
            ),
        };
        let speed = |j: usize| {
            f64::from(base).powf(-((2 * j) as f64) / head_dim as f64)
                / f64::from(factors[j])
                / f64::from(linear)
        };
        let angles: Vec<f32> = (0..n * head_dim / 2)
            .map(|i| (i / (head_dim / 2)) as f64 * speed(i % (head_dim / 2)))
            .map(|angle| angle as f32)
            .collect();
        let angles = Tensor::from_vec(angles, (n, head_dim / 2), &Device::Cpu)?;
        Ok((angles.cos()?, angles.sin()?))
    }

    /// Returns queries or keys of a layer, `[heads, tokens, dimensions]`, rotated.
    fn turned(
        &self,
        h: &Tensor,
        layer: usize,
        part: &str,
        (heads, head_dim): (usize, usize),
        (cos, sin): &(Tensor, Tensor),
    ) -> Result<Tensor> {
        let mut y = self.split(h, layer, part, (heads, head_dim))?;
        if let Some(norm) = self.weights.get(&format!("blk.{layer}.{part}_norm.weight")) {
            y = self.norm(&y, norm)?;
        }
        let y = y.transpose(0, 1)?.contiguous()?.unsqueeze(0)?;
        match self.architecture() {
            "llama" => candle_nn::rotary_emb::rope_i(&y, cos, sin)?.squeeze(0),
            _ => candle_nn::rotary_emb::rope(&y, cos, sin)?.squeeze(0),
        }
    }

    /// Reshapes to `[tokens, heads, dimensions]`.
    fn split(
        &self,
        h: &Tensor,
        layer: usize,
        part: &str,
        (heads, head_dim): (usize, usize),
    ) -> Result<Tensor> {
        let mut y = self.product(h, &format!("blk.{layer}.{part}.weight"))?;
        if let Some(bias) = self.weights.get(&format!("blk.{layer}.{part}.bias")) {
            y = y.broadcast_add(bias)?;
        }
        y.reshape((h.dim(0)?, heads, head_dim))
    }

    fn attention(&self, h: &Tensor, layer: usize) -> Result<Tensor> {
        let (heads, kv_heads) =
            (self.number("attention.head_count"), self.number("attention.head_count_kv"));
        let head_dim = match self.value("attention.key_length") {
            Some(n) => n.to_u32()? as usize,
            None => self.number("embedding_length") / heads,
        };
        let n = h.dim(0)?;
        let angles = self.angles(layer, n, head_dim)?;
        let repeat = |x: Tensor| {
            let group = heads / kv_heads;
            x.unsqueeze(1)?.repeat((1, group, 1, 1))?.reshape((heads, n, head_dim))
        };
        let q = self.turned(h, layer, "attn_q", (heads, head_dim), &angles)?;
        let k = repeat(self.turned(h, layer, "attn_k", (kv_heads, head_dim), &angles)?)?;
        let v = self.split(h, layer, "attn_v", (kv_heads, head_dim))?;
        let v = repeat(v.transpose(0, 1)?.contiguous()?)?;
        let window = if self.is_local(layer) { self.number("attention.sliding_window") } else { n };
        let sees = |query: usize, key: usize| key <= query && query < key + window;
        let mask: Vec<f32> =
            (0..n * n).map(|i| if sees(i / n, i % n) { 0.0 } else { f32::NEG_INFINITY }).collect();
        let mask = Tensor::from_vec(mask, (n, n), &Device::Cpu)?;
        let scores = (q.matmul(&k.t()?.contiguous()?)? * (head_dim as f64).powf(-0.5))?;
        let weights = candle_nn::ops::softmax_last_dim(&scores.broadcast_add(&mask)?)?;
        let mixed = weights.matmul(&v)?.transpose(0, 1)?.contiguous()?.reshape((n, ()))?;
        self.product(&mixed, &format!("blk.{layer}.attn_output.weight"))
    }

    /// Returns all rows of logits, computed by the first `layers` layers, or by all of them.
    pub fn rows(&self, tokens: &[u32], layers: Option<usize>) -> Result<Vec<Vec<f32>>> {
        let ids = Tensor::from_vec(tokens.to_vec(), tokens.len(), &Device::Cpu)?;
        let mut x = self.weights["token_embd.weight"].index_select(&ids, 0)?;
        let is_gemma = self.architecture() == "gemma3";
        if is_gemma {
            x = (x * (self.number("embedding_length") as f64).sqrt())?;
        }
        for i in 0..layers.unwrap_or_else(|| self.number("block_count")) {
            let name = |part: &str| format!("blk.{i}.{part}.weight");
            let h = self.norm(&x, &self.weights[&name("attn_norm")])?;
            x = (x + self.post(self.attention(&h, i)?, &name("post_attention_norm"))?)?;
            let h = self.norm(&x, &self.weights[&name("ffn_norm")])?;
            let gate = self.product(&h, &name("ffn_gate"))?;
            let gate = if is_gemma { self.gelu(&gate)? } else { gate.silu()? };
            let up = self.product(&h, &name("ffn_up"))?;
            let down = self.product(&(gate * up)?, &name("ffn_down"))?;
            x = (x + self.post(down, &name("post_ffw_norm"))?)?;
        }
        let output = match self.weights.contains_key("output.weight") {
            true => "output.weight",
            false => "token_embd.weight",
        };
        self.product(&self.norm(&x, &self.weights["output_norm.weight"])?, output)?.to_vec2()
    }
}

/// Returns the relative L2 error of each row.
pub fn errors(found: &[Vec<f32>], expected: &[Vec<f32>]) -> Vec<f32> {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    pairs
        .map(|(found, expected)| {
            let length: f32 = expected.iter().map(|x| x * x).sum();
            let apart: f32 = found.iter().zip(expected).map(|(a, b)| (a - b).powi(2)).sum();
            (apart / length).sqrt()
        })
        .collect()
}

/// Returns the mean and the largest error.
pub fn mean_and_worst(errors: &[f32]) -> (f32, f32) {
    let mean = errors.iter().sum::<f32>() / errors.len() as f32;
    (mean, errors.iter().copied().fold(0f32, f32::max))
}
