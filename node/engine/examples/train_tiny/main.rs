// SPDX-License-Identifier: Apache-2.0
//! Trains the byte-level model that the repository ships, from fixed seeds, on the King James Bible
//! as Debian's `bible-kjv-text` carries it (public domain), and writes it as a Q8_0 GGUF file.
//!
//! Every operation is in its differentiable form: candle-nn's fused RmsNorm, softmax and rope cut
//! gradients silently, so the first step asserts that every variable has one.
#![allow(clippy::print_stdout, reason = "a program's progress goes to its standard output")]

mod kjv;

use anyhow::{ensure, Context, Result};
use assay_engine::quantise;
use candle_core::quantized::{ggml_file::qtensor_from_ggml, gguf_file, GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor, Var, D};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use clap::Parser;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

const VOCAB: usize = 259;
const CONTEXT: u32 = 2048;
const ROPE_BASE: f32 = 10_000.0;
const NORM_EPSILON: f64 = 1e-5;

#[derive(Parser)]
#[command(about = "Train the tiny model of the repository and write it as GGUF")]
struct Options {
    /// Debian's compressed text, or a plain text of lines "Book1:1 verse".
    #[arg(long, default_value = "/usr/lib/bible.data")]
    text: PathBuf,
    /// The GGUF file to write.
    #[arg(long)]
    out: PathBuf,
    /// Number of optimiser steps.
    #[arg(long, default_value_t = 3000)]
    steps: usize,
    /// Windows per step at first; whenever their length doubles, their number is halved.
    #[arg(long, default_value_t = 16)]
    batch: usize,
    /// Tokens per window; twice as many from 60 % of the steps on, four times as many from 85 % on.
    #[arg(long, default_value_t = 128)]
    sequence: usize,
    /// Width of the model, a multiple of 64.
    #[arg(long, default_value_t = 128)]
    dim: usize,
    /// Number of layers.
    #[arg(long, default_value_t = 6)]
    layers: usize,
    /// Peak learning rate.
    #[arg(long, default_value_t = 3e-3)]
    rate: f64,
    /// Number of steps between checkpoints and evaluations on the held-out chapters.
    #[arg(long, default_value_t = 150)]
    every: usize,
    /// Number of threads in candle's pools. They wait by spinning: on a busy machine one is the
    /// fastest.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

struct Shape {
    dim: usize,
    layers: usize,
    heads: usize,
    kv_heads: usize,
    hidden: usize,
}

const HEAD_DIM: usize = 32;

impl Shape {
    fn new(dim: usize, layers: usize) -> Result<Self> {
        ensure!(dim > 0 && dim.is_multiple_of(2 * HEAD_DIM), "--dim {dim}: use a multiple of 64");
        let heads = dim / HEAD_DIM;
        let hidden = (dim * 11 / 4).next_multiple_of(quantise::BLOCK);
        Ok(Self { dim, layers, heads, kv_heads: heads / 2, hidden })
    }
}

struct Layer {
    attn_norm: Var,
    q: Var,
    k: Var,
    v: Var,
    o: Var,
    ffn_norm: Var,
    gate: Var,
    up: Var,
    down: Var,
}

struct Net {
    shape: Shape,
    embedding: Var,
    layers: Vec<Layer>,
    output_norm: Var,
}

/// Returns a matrix uniform in ±sqrt(3)·std, from the given stream.
fn matrix(rng: &mut ChaCha8Rng, rows: usize, columns: usize, std: f64) -> Result<Var> {
    let bound = 3f64.sqrt() * std;
    let data: Vec<f32> = (0..rows * columns)
        .map(|_| ((f64::from(rng.next_u32()) / 2f64.powi(31) - 1.0) * bound) as f32)
        .collect();
    Ok(Var::from_vec(data, (rows, columns), &Device::Cpu)?)
}

fn ones(n: usize) -> Result<Var> {
    Ok(Var::from_vec(vec![1f32; n], n, &Device::Cpu)?)
}

impl Net {
    fn new(shape: Shape, seed: u64) -> Result<Self> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let (dim, kv, hidden) = (shape.dim, shape.kv_heads * HEAD_DIM, shape.hidden);
        let into = (dim as f64).powf(-0.5);
        let back = into / (2.0 * shape.layers as f64).sqrt();
        let embedding = matrix(rng, VOCAB, dim, 0.04)?;
        let layers = (0..shape.layers)
            .map(|_| {
                Ok(Layer {
                    attn_norm: ones(dim)?,
                    q: matrix(rng, dim, dim, into)?,
                    k: matrix(rng, kv, dim, into)?,
                    v: matrix(rng, kv, dim, into)?,
                    o: matrix(rng, dim, dim, back)?,
                    ffn_norm: ones(dim)?,
                    gate: matrix(rng, hidden, dim, into)?,
                    up: matrix(rng, hidden, dim, into)?,
                    down: matrix(rng, dim, hidden, back)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self { shape, embedding, layers, output_norm: ones(dim)? })
    }

    /// Returns every variable with its GGUF name, in the order of the file.
    fn named(&self) -> Vec<(String, &Var)> {
        let mut all = vec![("token_embd.weight".to_string(), &self.embedding)];
        for (i, layer) in self.layers.iter().enumerate() {
            for (name, var) in [
                ("attn_norm", &layer.attn_norm),
                ("attn_q", &layer.q),
                ("attn_k", &layer.k),
                ("attn_v", &layer.v),
                ("attn_output", &layer.o),
                ("ffn_norm", &layer.ffn_norm),
                ("ffn_gate", &layer.gate),
                ("ffn_up", &layer.up),
                ("ffn_down", &layer.down),
            ] {
                all.push((format!("blk.{i}.{name}.weight"), var));
            }
        }
        all.push(("output_norm.weight".to_string(), &self.output_norm));
        all
    }

    /// Returns the mean negative log-likelihood in nats of `targets` after `inputs`, both `[batch,
    /// time]`.
    fn loss(&self, inputs: &Tensor, targets: &Tensor) -> Result<Tensor> {
        let (b, t) = inputs.dims2()?;
        let Shape { dim, heads, kv_heads, .. } = self.shape;
        let group = heads / kv_heads;
        let (cos, sin) = rope_tables(t)?;
        let mask = causal_mask(t, group)?;
        let flat = inputs.flatten_all()?;
        let mut x = self.embedding.index_select(&flat, 0)?;
        for layer in &self.layers {
            let h = norm(&x, &layer.attn_norm)?;
            let split = |w: &Var, n: usize| -> Result<Tensor> {
                let y = h.matmul(&w.t()?)?;
                Ok(y.reshape((b, t, n, HEAD_DIM))?.transpose(1, 2)?.contiguous()?)
            };
            let q = rope(&split(&layer.q, heads)?, &cos, &sin)?;
            let k = rope(&split(&layer.k, kv_heads)?, &cos, &sin)?;
            let v = split(&layer.v, kv_heads)?;
            // The query heads that share a key head are stacked over time, so that nothing is
            // repeated.
            let q =
                (q.reshape((b, kv_heads, group * t, HEAD_DIM))? * (HEAD_DIM as f64).powf(-0.5))?;
            let scores = q.matmul(&k.transpose(2, 3)?.contiguous()?)?.broadcast_add(&mask)?;
            let top = scores.detach().max_keepdim(D::Minus1)?;
            let e = scores.broadcast_sub(&top)?.exp()?;
            let mixed = e.matmul(&v)?.broadcast_div(&e.sum_keepdim(D::Minus1)?)?;
            let mixed = mixed.reshape((b, heads, t, HEAD_DIM))?.transpose(1, 2)?;
            let mixed = mixed.contiguous()?.reshape((b * t, dim))?;
            x = (x + mixed.matmul(&layer.o.t()?)?)?;
            let h = norm(&x, &layer.ffn_norm)?;
            let gate = h.matmul(&layer.gate.t()?)?;
            let act = (gate.silu()? * h.matmul(&layer.up.t()?)?)?;
            x = (x + act.matmul(&layer.down.t()?)?)?;
        }
        let logits = norm(&x, &self.output_norm)?.matmul(&self.embedding.t()?)?;
        let top = logits.detach().max_keepdim(1)?;
        let shifted = logits.broadcast_sub(&top)?;
        let log_sum = shifted.exp()?.sum_keepdim(1)?.log()?;
        let picked = shifted.gather(&targets.flatten_all()?.unsqueeze(1)?, 1)?;
        Ok((log_sum - picked)?.mean_all()?)
    }

    /// Writes the file next to `path` and renames it into place, so that a reader never sees a
    /// part.
    fn save(&self, path: &Path) -> Result<u64> {
        use gguf_file::Value;
        let metadata = [
            ("general.architecture", Value::String("llama".into())),
            ("general.name", Value::String("assay-tiny".into())),
            ("general.license", Value::String("Apache-2.0".into())),
            ("general.file_type", Value::U32(7)),
            ("llama.context_length", Value::U32(CONTEXT)),
            ("llama.embedding_length", Value::U32(self.shape.dim as u32)),
            ("llama.block_count", Value::U32(self.shape.layers as u32)),
            ("llama.feed_forward_length", Value::U32(self.shape.hidden as u32)),
            ("llama.attention.head_count", Value::U32(self.shape.heads as u32)),
            ("llama.attention.head_count_kv", Value::U32(self.shape.kv_heads as u32)),
            ("llama.attention.layer_norm_rms_epsilon", Value::F32(NORM_EPSILON as f32)),
            ("llama.rope.dimension_count", Value::U32(HEAD_DIM as u32)),
            ("llama.rope.freq_base", Value::F32(ROPE_BASE)),
            ("llama.vocab_size", Value::U32(VOCAB as u32)),
            ("tokenizer.ggml.model", Value::String("assay-bytes".into())),
            ("tokenizer.ggml.bos_token_id", Value::U32(kjv::BOS)),
            ("tokenizer.ggml.eos_token_id", Value::U32(kjv::EOS)),
            ("tokenizer.ggml.padding_token_id", Value::U32(258)),
            ("tokenizer.ggml.add_bos_token", Value::Bool(true)),
        ];
        let mut tensors: Vec<(String, QTensor)> = Vec::new();
        for (name, var) in self.named() {
            let dims = var.dims().to_vec();
            let values = var.flatten_all()?.to_vec1::<f32>()?;
            let tensor = if dims.len() == 2 {
                let raw =
                    quantise::q8_0(&values).with_context(|| format!("{name} is not finite"))?;
                qtensor_from_ggml(GgmlDType::Q8_0, &raw, dims, &Device::Cpu)?
            } else {
                QTensor::quantize(var, GgmlDType::F32)?
            };
            tensors.push((name, tensor));
        }
        let metadata: Vec<_> = metadata.iter().map(|(k, v)| (*k, v)).collect();
        let tensors: Vec<_> = tensors.iter().map(|(n, t)| (n.as_str(), t)).collect();
        let part = path.with_extension("part");
        let mut file = std::fs::File::create(&part)?;
        gguf_file::write(&mut file, &metadata, &tensors)?;
        file.sync_all()?;
        std::fs::rename(&part, path)?;
        Ok(std::fs::metadata(path)?.len())
    }
}

fn norm(x: &Tensor, weight: &Var) -> Result<Tensor> {
    let scale = (x.sqr()?.mean_keepdim(D::Minus1)? + NORM_EPSILON)?.sqrt()?.recip()?;
    Ok(x.broadcast_mul(&scale)?.broadcast_mul(weight)?)
}

fn rope_tables(t: usize) -> Result<(Tensor, Tensor)> {
    let half = HEAD_DIM / 2;
    let mut tables = [Vec::new(), Vec::new()];
    for position in 0..t {
        for j in 0..half {
            let power = -((2 * j) as f64) / HEAD_DIM as f64;
            let angle = position as f64 * libm::pow(f64::from(ROPE_BASE), power);
            tables[0].push(libm::cos(angle) as f32);
            tables[1].push(libm::sin(angle) as f32);
        }
    }
    let [cos, sin] = tables.map(|v| Tensor::from_vec(v, (t, half, 1), &Device::Cpu));
    Ok((cos?, sin?))
}

/// Rotates by GGUF's convention for llama, in which dimensions 2j and 2j + 1 are a pair.
fn rope(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let (b, h, t, d) = x.dims4()?;
    let pairs = x.reshape((b, h, t, d / 2, 2))?;
    let even = pairs.narrow(4, 0, 1)?.contiguous()?;
    let odd = pairs.narrow(4, 1, 1)?.contiguous()?;
    let first = (even.broadcast_mul(cos)? - odd.broadcast_mul(sin)?)?;
    let second = (even.broadcast_mul(sin)? + odd.broadcast_mul(cos)?)?;
    Ok(Tensor::cat(&[first, second], 4)?.reshape((b, h, t, d))?)
}

fn causal_mask(t: usize, group: usize) -> Result<Tensor> {
    let mut mask = Vec::with_capacity(group * t * t);
    for row in 0..group * t {
        mask.extend((0..t).map(|key| if key <= row % t { 0f32 } else { -1e9 }));
    }
    Ok(Tensor::from_vec(mask, (group * t, t), &Device::Cpu)?)
}

/// Stacks windows of `t + 1` tokens into inputs and targets.
fn windows(stream: &[u32], starts: &[usize], t: usize) -> Result<(Tensor, Tensor)> {
    let pick = |shift: usize| -> Result<Tensor> {
        let tokens: Vec<u32> =
            starts.iter().flat_map(|&s| stream[s + shift..s + shift + t].iter().copied()).collect();
        Ok(Tensor::from_vec(tokens, (starts.len(), t), &Device::Cpu)?)
    };
    Ok((pick(0)?, pick(1)?))
}

/// Returns the bits per byte of text on held-out documents; the tokens that begin and end them
/// count as cost.
fn bits_per_byte(net: &Net, held_out: &kjv::Corpus, t: usize) -> Result<f64> {
    let starts: Vec<usize> = (0..(held_out.stream.len() - 1) / t).map(|i| i * t).collect();
    let (mut nats, mut bytes) = (0f64, 0usize);
    for group in starts.chunks(8) {
        let (inputs, targets) = windows(&held_out.stream, group, t)?;
        let loss = net.loss(&inputs, &targets)?.to_scalar::<f32>()?;
        nats += f64::from(loss) * (group.len() * t) as f64;
        let targets = targets.flatten_all()?.to_vec1::<u32>()?;
        bytes += targets.iter().filter(|&&x| x < 256).count();
    }
    Ok(nats / std::f64::consts::LN_2 / bytes as f64)
}

/// Returns the learning rate: linear warm-up over the first twentieth, then half a cosine down to a
/// fiftieth of the peak.
fn rate(step: usize, steps: usize, peak: f64) -> f64 {
    let warm = (steps / 20).max(1);
    if step < warm {
        return peak * (step + 1) as f64 / warm as f64;
    }
    let part = (step - warm) as f64 / (steps - warm).max(1) as f64;
    peak * (0.02 + 0.98 * 0.5 * (1.0 + (std::f64::consts::PI * part).cos()))
}

fn main() -> Result<()> {
    let options = Options::parse();
    for variable in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        std::env::set_var(variable, options.threads.to_string());
    }
    let text = kjv::read(&options.text)?;
    let (train, held_out) = kjv::corpora(&text)?;
    println!("text: {} tokens to train on, {} held out", train.stream.len(), held_out.stream.len());
    let net = Net::new(Shape::new(options.dim, options.layers)?, 1611)?;
    let named = net.named();
    let parameters: usize = named.iter().map(|(_, v)| v.elem_count()).sum();
    println!("model: {parameters} parameters");
    let mut adam = AdamW::new(
        named.iter().map(|(_, v)| (*v).clone()).collect(),
        ParamsAdamW { lr: 0.0, beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.02 },
    )?;
    let mut rng = ChaCha8Rng::seed_from_u64(1769);
    let begun = Instant::now();
    let (mut seen, mut smooth, mut best) = (0usize, f64::NAN, f64::INFINITY);
    for step in 0..options.steps {
        let longer = match step * 100 / options.steps {
            0..60 => 1,
            60..85 => 2,
            _ => 4,
        };
        let (b, t) = ((options.batch / longer).max(1), options.sequence * longer);
        let usable = train.starts.partition_point(|&s| s + t < train.stream.len());
        let starts: Vec<usize> =
            (0..b).map(|_| train.starts[rng.next_u64() as usize % usable]).collect();
        let (inputs, targets) = windows(&train.stream, &starts, t)?;
        let loss = net.loss(&inputs, &targets)?;
        let mut grads = loss.backward()?;
        let mut squares = 0f64;
        for (name, var) in &named {
            let grad = grads.get(var).with_context(|| format!("{name} has no gradient"))?;
            let sum = f64::from(grad.sqr()?.sum_all()?.to_dtype(DType::F32)?.to_scalar::<f32>()?);
            ensure!(step > 0 || sum > 0.0, "the gradient of {name} is zero on the first step");
            squares += sum;
        }
        let length = squares.sqrt();
        if length > 1.0 {
            for (_, var) in &named {
                let clipped = (grads.get(var).context("a gradient vanished")? / length)?;
                grads.insert(var, clipped);
            }
        }
        adam.set_learning_rate(rate(step, options.steps, options.rate));
        adam.step(&grads)?;
        seen += b * t;
        let loss = f64::from(loss.to_scalar::<f32>()?);
        ensure!(loss.is_finite(), "the loss is not finite at step {step}");
        smooth = if smooth.is_nan() { loss } else { 0.95 * smooth + 0.05 * loss };
        if step % 20 == 19 {
            let speed = seen as f64 / begun.elapsed().as_secs_f64();
            println!("step {} loss {smooth:.4} tokens/s {speed:.0}", step + 1);
        }
        if (step + 1) % options.every == 0 || step + 1 == options.steps {
            let bits = bits_per_byte(&net, &held_out, 2 * options.sequence)?;
            let kept = bits < best;
            if kept {
                best = bits;
                net.save(&options.out)?;
            }
            println!(
                "step {} held out {bits:.4} bits per byte after {:.0} s{}",
                step + 1,
                begun.elapsed().as_secs_f64(),
                if kept { ", saved" } else { "" }
            );
        }
    }
    println!("best: {best:.4} bits per byte, in {}", options.out.display());
    Ok(())
}
