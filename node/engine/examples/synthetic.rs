// SPDX-License-Identifier: Apache-2.0
//! Writes a model with random weights, for benchmarks. Its output means nothing, but its cost is
//! that of any model of its size.

#![allow(clippy::print_stdout, reason = "output is the purpose of an example")]

use anyhow::Context;
use assay_engine::synthetic::{Synthetic, Vocabulary};
use candle_core::quantized::GgmlDType;
use clap::Parser;
use std::path::PathBuf;

/// Writes a GGUF file with random weights.
#[derive(Parser)]
struct Args {
    /// The path of the file.
    out: PathBuf,
    /// Width of the model.
    #[arg(long, default_value_t = 768)]
    dim: usize,
    /// Width of the feed-forward layers.
    #[arg(long, default_value_t = 2048)]
    hidden: usize,
    /// Layers.
    #[arg(long, default_value_t = 12)]
    layers: usize,
    /// Attention heads.
    #[arg(long, default_value_t = 12)]
    heads: usize,
    /// Key and value heads.
    #[arg(long, default_value_t = 4)]
    kv_heads: usize,
    /// Longest context.
    #[arg(long, default_value_t = 2048)]
    context: u32,
    /// Seed of the weights.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Q4_0 instead of Q8_0.
    #[arg(long)]
    q4: bool,
    /// Name the bytes as pieces of SentencePiece, for llama.cpp to load the file.
    #[arg(long)]
    pieces: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let model = Synthetic {
        vocabulary: if args.pieces { Vocabulary::Pieces } else { Vocabulary::Bytes },
        seed: args.seed,
        dtype: if args.q4 { GgmlDType::Q4_0 } else { GgmlDType::Q8_0 },
        dim: args.dim,
        hidden: args.hidden,
        layers: args.layers,
        heads: args.heads,
        kv_heads: args.kv_heads,
        context: args.context,
        tied: true,
        ..Synthetic::default()
    };
    let file = model.file()?;
    println!("{}", blake3::hash(&file));
    std::fs::write(&args.out, file).with_context(|| format!("cannot write {}", args.out.display()))
}
