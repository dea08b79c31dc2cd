// SPDX-License-Identifier: Apache-2.0
//! Loading a model from its file, in which everything is checked against everything else.

use super::{
    architecture::Architecture,
    hashed::{Hashed, Head},
    info::ModelInfo,
    parts::ensure_whole,
    shape::{shape, Shape},
    source::Source,
    weights::{Biases, HeadNorms, Layer, PostNorms, Table, Weights},
};
use crate::{
    gguf::{Gguf, TensorPlace, TensorType},
    matrix::Matrix,
    quantise::{Quantisation, BLOCK},
    tokenizer::Tokenizer,
    EngineError,
};
use candle_core::quantized::GgmlDType;
use half::f16;
use std::{borrow::Cow, collections::BTreeSet};

/// The contents of a model's file, checked, with packed weights.
pub(super) struct Loaded {
    pub root: [u8; 32],
    pub info: ModelInfo,
    pub shape: Shape,
    pub weights: Weights,
    pub tokenizer: Tokenizer,
    pub chat_template: Option<String>,
}

/// Takes tensors out of a file and keeps track of them.
struct Loader<'f> {
    architecture: Architecture,
    file: &'f Hashed<'f>,
    left: BTreeSet<String>,
    parameters: u64,
    kinds: Vec<&'static str>,
}

impl<'f> Loader<'f> {
    fn place(&mut self, name: &str, expected: &[usize]) -> Result<TensorPlace, EngineError> {
        let place = self.file.gguf.tensor(name)?;
        if place.shape != expected {
            return Err(EngineError::TensorShape {
                tensor: name.into(),
                found: place.shape,
                expected: expected.into(),
            });
        }
        self.left.remove(name);
        // Each number of elements is below 2^48, and the number of tensors is below 2^16.
        self.parameters += expected.iter().product::<usize>() as u64;
        Ok(place)
    }

    fn vector(&mut self, name: &str, n: usize) -> Result<Vec<f32>, EngineError> {
        let place = self.place(name, &[n])?;
        if place.dtype != TensorType::Candle(GgmlDType::F32) {
            return Err(unsupported(name, &place, "F32"));
        }
        let bytes = self.file.tensor(name, &place)?;
        let values: Vec<f32> =
            bytes.as_chunks().0.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect();
        match values.iter().position(|x| !x.is_finite()) {
            Some(block) => Err(EngineError::NotFinite { tensor: name.into(), block }),
            None => Ok(values),
        }
    }

    /// Returns the type and the bytes of a matrix.
    fn blocks(
        &mut self,
        name: &str,
        rows: usize,
        columns: usize,
    ) -> Result<(Quantisation, Cow<'f, [u8]>), EngineError> {
        let place = self.place(name, &[rows, columns])?;
        let kind = match place.dtype {
            TensorType::Candle(GgmlDType::Q8_0) => Quantisation::Q8_0,
            TensorType::Candle(GgmlDType::Q4_0) => Quantisation::Q4_0,
            _ => return Err(unsupported(name, &place, "Q8_0 or Q4_0")),
        };
        if !columns.is_multiple_of(BLOCK) {
            let problem = format!("rows of {columns} are not whole blocks of {BLOCK}");
            return Err(EngineError::Header { field: name.into(), problem });
        }
        let data = self.file.tensor(name, &place)?;
        let blocks = data.chunks_exact(kind.block_bytes());
        let finite = |block: &[u8]| f16::from_le_bytes([block[0], block[1]]).is_finite();
        if let Some((block, _)) = blocks.enumerate().find(|(_, block)| !finite(block)) {
            return Err(EngineError::NotFinite { tensor: name.into(), block });
        }
        if !self.kinds.contains(&kind.name()) {
            self.kinds.push(kind.name());
        }
        Ok((kind, data))
    }

    fn table(&mut self, name: &str, rows: usize, columns: usize) -> Result<Table, EngineError> {
        let (kind, data) = self.blocks(name, rows, columns)?;
        Ok(Table { kind, columns, data: data.into_owned() })
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<Matrix, EngineError> {
        let (kind, data) = self.blocks(name, rows, columns)?;
        Ok(Matrix::pack(kind, rows, columns, &data))
    }

    fn biases(&mut self, i: usize, shape: &Shape) -> Result<Biases, EngineError> {
        let name = |part: &str| format!("blk.{i}.{part}.bias");
        Ok(Biases {
            q: self.vector(&name("attn_q"), shape.heads * shape.head_dim)?,
            k: self.vector(&name("attn_k"), shape.kv_dim())?,
            v: self.vector(&name("attn_v"), shape.kv_dim())?,
        })
    }

    fn head_norms(&mut self, i: usize, shape: &Shape) -> Result<HeadNorms, EngineError> {
        let name = |part: &str| format!("blk.{i}.{part}.weight");
        Ok(HeadNorms {
            q: self.vector(&name("attn_q_norm"), shape.head_dim)?,
            k: self.vector(&name("attn_k_norm"), shape.head_dim)?,
        })
    }

    fn post_norms(&mut self, i: usize, dim: usize) -> Result<PostNorms, EngineError> {
        Ok(PostNorms {
            attention: self.vector(&format!("blk.{i}.post_attention_norm.weight"), dim)?,
            feed_forward: self.vector(&format!("blk.{i}.post_ffw_norm.weight"), dim)?,
        })
    }

    fn layer(&mut self, i: usize, shape: &Shape) -> Result<Layer, EngineError> {
        let Shape { dim, hidden, .. } = *shape;
        let (width, kv) = (shape.heads * shape.head_dim, shape.kv_dim());
        let name = |part: &str| format!("blk.{i}.{part}.weight");
        let architecture = self.architecture;
        Ok(Layer {
            biases: architecture.has_biases().then(|| self.biases(i, shape)).transpose()?,
            head_norms: architecture
                .has_head_norms()
                .then(|| self.head_norms(i, shape))
                .transpose()?,
            post_norms: architecture
                .has_post_norms()
                .then(|| self.post_norms(i, dim))
                .transpose()?,
            attn_norm: self.vector(&name("attn_norm"), dim)?,
            q: self.matrix(&name("attn_q"), width, dim)?,
            k: self.matrix(&name("attn_k"), kv, dim)?,
            v: self.matrix(&name("attn_v"), kv, dim)?,
            o: self.matrix(&name("attn_output"), dim, width)?,
            ffn_norm: self.vector(&name("ffn_norm"), dim)?,
            gate: self.matrix(&name("ffn_gate"), hidden, dim)?,
            up: self.matrix(&name("ffn_up"), hidden, dim)?,
            down: self.matrix(&name("ffn_down"), dim, hidden)?,
        })
    }

    fn rope_factors(&mut self, shape: &Shape) -> Result<Option<Vec<f32>>, EngineError> {
        let name = "rope_freqs.weight";
        if self.architecture != Architecture::Llama || !self.left.contains(name) {
            return Ok(None);
        }
        let factors = self.vector(name, shape.rope.dimensions / 2)?;
        match factors.iter().position(|factor| *factor <= 0.0) {
            Some(at) => {
                let problem = format!("factor {at} is {}, which is not above 0", factors[at]);
                Err(EngineError::Header { field: name.into(), problem })
            }
            None => Ok(Some(factors)),
        }
    }

    fn weights(&mut self, shape: &Shape) -> Result<Weights, EngineError> {
        let (embedding, output) = match self.left.contains("output.weight") {
            true => (Some("token_embd.weight"), "output.weight"),
            false => (None, "token_embd.weight"),
        };
        let embedding =
            embedding.map(|name| self.table(name, shape.vocab, shape.dim)).transpose()?;
        let output = self.matrix(output, shape.vocab, shape.dim)?;
        let rope_factors = self.rope_factors(shape)?;
        let layers = (0..shape.layers).map(|i| self.layer(i, shape)).collect::<Result<_, _>>()?;
        let output_norm = self.vector("output_norm.weight", shape.dim)?;
        // N1 rounds the root to f32, as ggml does.
        let embedding_scale =
            (self.architecture == Architecture::Gemma3).then(|| (shape.dim as f32).sqrt());
        Ok(Weights { embedding, layers, output_norm, rope_factors, output, embedding_scale })
    }
}

fn unsupported(tensor: &str, place: &TensorPlace, expected: &'static str) -> EngineError {
    let found = place.dtype.name();
    EngineError::UnsupportedType { tensor: tensor.into(), found, expected }
}

/// Reads the file, checks it and packs its matrices.
pub(super) fn load(source: &Source) -> Result<Loaded, EngineError> {
    let head = Head::read(source)?;
    ensure_whole(&head.gguf)?;
    let (architecture, shape, tokenizer) = describe(&head.gguf)?;
    // From here on the file is read matrix by matrix.
    let file = head.hash()?;
    let gguf = &file.gguf;
    let left = gguf.tensor_names().map(str::to_string).collect();
    let mut loader = Loader { architecture, file: &file, left, parameters: 0, kinds: Vec::new() };
    let weights = loader.weights(&shape)?;
    if let Some(tensor) = loader.left.pop_first() {
        return Err(EngineError::UnexpectedTensor { tensor });
    }
    let info = ModelInfo {
        name: gguf.text("general.name")?.unwrap_or("unnamed").into(),
        architecture: architecture.name().into(),
        quantisation: loader.kinds.join("+"),
        parameters: loader.parameters,
        // The context is at most CONTEXT_MAX, and the number of rows is below 2^32, as the
        // tokenizer has checked.
        context_length: shape.context as u32,
        vocab_size: shape.vocab as u32,
        file_bytes: source.bytes(),
    };
    let chat_template = gguf.text("tokenizer.chat_template")?.map(str::to_string);
    Ok(Loaded { root: file.root, info, shape, weights, tokenizer, chat_template })
}

/// Reads the metadata without looking at the data of a tensor.
pub(super) fn describe(gguf: &Gguf) -> Result<(Architecture, Shape, Tokenizer), EngineError> {
    let architecture = Architecture::named(gguf.required_text("general.architecture")?)?;
    let shape = shape(gguf, architecture)?;
    let tokenizer = Tokenizer::read(gguf, shape.vocab)?;
    Ok((architecture, shape, tokenizer))
}
