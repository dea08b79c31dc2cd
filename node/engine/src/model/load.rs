// SPDX-License-Identifier: Apache-2.0
//! From a file to a model: everything that it says is checked against everything else.

use super::{Model, ModelInfo, Source};
use crate::{
    gguf::{self, Gguf, TensorPlace},
    n1::{RopeTable, LANES},
    quantise::BLOCK,
    tokenizer::{Tokenizer, BOS, BYTES_NAME, BYTE_VOCAB, EOS, PAD},
    weights::{Layer, Matrix, Quantisation, Shape, Weights},
    EngineError,
};
use candle_core::quantized::{gguf_file::Value, GgmlDType};
use half::f16;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// The one architecture.
const ARCHITECTURE: &str = "llama";
/// The longest context: beyond it a file lies, or needs what this engine does not have.
const CONTEXT_MAX: usize = 1 << 20;
/// The widest vector of a model.
const WIDTH_MAX: usize = 1 << 17;
/// The most layers.
const LAYERS_MAX: usize = 1 << 10;
/// Keys whose presence changes the computation in a way that the engine does not have.
const UNSUPPORTED_KEYS: [&str; 4] = [
    "llama.expert_count",
    "llama.attention.sliding_window",
    "llama.rope.scaling.factor",
    "llama.attention.clamp_kqv",
];

fn invalid(key: &str, problem: impl Into<String>) -> EngineError {
    EngineError::InvalidKey { key: key.into(), problem: problem.into() }
}

/// Typed access to the metadata.
struct Keys<'g>(&'g Gguf);

impl Keys<'_> {
    fn text(&self, key: &str) -> Result<Option<&str>, EngineError> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(key, "not a string")),
        }
    }

    fn optional(&self, key: &str) -> Result<Option<u64>, EngineError> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        let number = match *value {
            Value::I8(n) => u64::try_from(n).ok(),
            Value::I16(n) => u64::try_from(n).ok(),
            Value::I32(n) => u64::try_from(n).ok(),
            Value::I64(n) => u64::try_from(n).ok(),
            Value::Bool(_) => None,
            _ => value.to_u64().ok(),
        };
        number.map(Some).ok_or_else(|| invalid(key, "not a number from 0 up"))
    }

    /// A count from 1 to `max`.
    fn count(&self, key: &str, max: usize) -> Result<usize, EngineError> {
        let found = self.optional(key)?;
        let found = found.ok_or_else(|| EngineError::MissingKey { key: key.into() })?;
        match usize::try_from(found) {
            Ok(n) if (1..=max).contains(&n) => Ok(n),
            _ => Err(invalid(key, format!("{found} is not from 1 to {max}"))),
        }
    }

    fn count_or(&self, key: &str, max: usize, other: usize) -> Result<usize, EngineError> {
        match self.0.get(key) {
            Some(_) => self.count(key, max),
            None => Ok(other),
        }
    }

    fn float(&self, key: &str) -> Result<Option<f32>, EngineError> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::F32(x)) if x.is_finite() && *x > 0.0 => Ok(Some(*x)),
            Some(_) => Err(invalid(key, "not a finite f32 above 0")),
        }
    }
}

fn shape(gguf: &Gguf) -> Result<Shape, EngineError> {
    let keys = Keys(gguf);
    if let Some(key) = UNSUPPORTED_KEYS.iter().find(|key| gguf.get(key).is_some()) {
        return Err(invalid(key, "the engine does not compute this"));
    }
    if let Some(kind) = keys.text("llama.rope.scaling.type")?.filter(|kind| *kind != "none") {
        return Err(invalid("llama.rope.scaling.type", format!("{kind:?} is not computed")));
    }
    let heads = keys.count("llama.attention.head_count", WIDTH_MAX)?;
    let dim = keys.count("llama.embedding_length", WIDTH_MAX)?;
    let hidden = keys.count("llama.feed_forward_length", WIDTH_MAX)?;
    for (key, n) in [("llama.embedding_length", dim), ("llama.feed_forward_length", hidden)] {
        if !n.is_multiple_of(BLOCK) {
            return Err(invalid(key, format!("{n} is not a multiple of {BLOCK}")));
        }
    }
    if gguf.get("llama.attention.key_length").is_none() && !dim.is_multiple_of(heads) {
        let problem = format!("{heads} does not divide embedding_length {dim}");
        return Err(invalid("llama.attention.head_count", problem));
    }
    let kv_heads = keys.count_or("llama.attention.head_count_kv", WIDTH_MAX, heads)?;
    if !heads.is_multiple_of(kv_heads) {
        let problem = format!("{kv_heads} does not divide head_count {heads}");
        return Err(invalid("llama.attention.head_count_kv", problem));
    }
    let head_dim = keys.count_or("llama.attention.key_length", WIDTH_MAX, dim / heads)?;
    let value_dim = keys.count_or("llama.attention.value_length", WIDTH_MAX, head_dim)?;
    if value_dim != head_dim {
        let problem = format!("{value_dim}, the keys have {head_dim}");
        return Err(invalid("llama.attention.value_length", problem));
    }
    let width = head_dim.checked_mul(heads).filter(|w| *w <= WIDTH_MAX && w.is_multiple_of(BLOCK));
    if width.is_none() || !head_dim.is_multiple_of(LANES) || head_dim == 0 {
        let problem = format!(
            "{heads} heads of {head_dim} are not multiples of {LANES}, or {BLOCK} together"
        );
        let given = gguf.get("llama.attention.key_length").is_some();
        let part = if given { "key_length" } else { "head_count" };
        return Err(invalid(&format!("llama.attention.{part}"), problem));
    }
    let rope_dims = keys.count_or("llama.rope.dimension_count", head_dim, head_dim)?;
    if !rope_dims.is_multiple_of(2) {
        return Err(invalid("llama.rope.dimension_count", format!("{rope_dims} is odd")));
    }
    let epsilon = "llama.attention.layer_norm_rms_epsilon";
    Ok(Shape {
        vocab: vocabulary(gguf)?,
        context: keys.count("llama.context_length", CONTEXT_MAX)?,
        dim,
        hidden,
        layers: keys.count("llama.block_count", LAYERS_MAX)?,
        heads,
        kv_heads,
        head_dim,
        rope_dims,
        rope_base: keys.float("llama.rope.freq_base")?.unwrap_or(10_000.0),
        epsilon: keys
            .float(epsilon)?
            .ok_or_else(|| EngineError::MissingKey { key: epsilon.into() })?,
    })
}

/// The rows of the embedding, which must be those that the metadata names, if it does.
fn vocabulary(gguf: &Gguf) -> Result<usize, EngineError> {
    let rows = gguf.tensor("token_embd.weight")?.shape.first().copied().unwrap_or_default();
    match Keys(gguf).optional("llama.vocab_size")? {
        Some(n) if n != rows as u64 => {
            Err(invalid("llama.vocab_size", format!("{n}, the embedding has {rows} rows")))
        }
        _ => Ok(rows),
    }
}

fn tokenizer(gguf: &Gguf, vocab: usize) -> Result<Tokenizer, EngineError> {
    let (keys, key) = (Keys(gguf), "tokenizer.ggml.model");
    let name = keys.text(key)?.ok_or_else(|| EngineError::MissingKey { key: key.into() })?;
    if name != BYTES_NAME {
        return Err(EngineError::UnknownTokenizer { name: name.into() });
    }
    if vocab != BYTE_VOCAB as usize {
        return Err(invalid(key, format!("bytes have {BYTE_VOCAB} tokens, the model {vocab}")));
    }
    for (key, id) in [("bos", BOS), ("eos", EOS), ("padding", PAD)] {
        let key = format!("tokenizer.ggml.{key}_token_id");
        match keys.optional(&key)? {
            Some(found) if found != u64::from(id) => {
                return Err(invalid(&key, format!("{found}, with bytes it is {id}")));
            }
            _ => (),
        }
    }
    match gguf.get("tokenizer.ggml.add_bos_token") {
        None => Ok(Tokenizer::Bytes { add_bos: true }),
        Some(&Value::Bool(add_bos)) => Ok(Tokenizer::Bytes { add_bos }),
        Some(_) => Err(invalid("tokenizer.ggml.add_bos_token", "not a bool")),
    }
}

/// Takes tensors out of a file and keeps account of them.
struct Loader<'f> {
    file: &'f [u8],
    gguf: &'f Gguf,
    left: BTreeSet<String>,
    parameters: u64,
    kinds: Vec<&'static str>,
}

impl Loader<'_> {
    fn place(&mut self, name: &str, expected: &[usize]) -> Result<TensorPlace, EngineError> {
        let place = self.gguf.tensor(name)?;
        if place.shape != expected {
            return Err(EngineError::TensorShape {
                tensor: name.into(),
                found: place.shape,
                expected: expected.into(),
            });
        }
        self.left.remove(name);
        // Counts of elements are below 2^48 each, of tensors below 2^16.
        self.parameters += expected.iter().product::<usize>() as u64;
        Ok(place)
    }

    fn vector(&mut self, name: &str, n: usize) -> Result<Vec<f32>, EngineError> {
        let place = self.place(name, &[n])?;
        if place.dtype != GgmlDType::F32 {
            return Err(unsupported(name, &place, "F32"));
        }
        let bytes = &self.file[place.at..place.at + place.bytes];
        let values: Vec<f32> =
            bytes.as_chunks().0.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect();
        match values.iter().position(|x| !x.is_finite()) {
            Some(block) => Err(EngineError::NotFinite { tensor: name.into(), block }),
            None => Ok(values),
        }
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<Matrix, EngineError> {
        let place = self.place(name, &[rows, columns])?;
        let kind = match place.dtype {
            GgmlDType::Q8_0 => Quantisation::Q8_0,
            GgmlDType::Q4_0 => Quantisation::Q4_0,
            _ => return Err(unsupported(name, &place, "Q8_0 or Q4_0")),
        };
        if !columns.is_multiple_of(BLOCK) {
            let problem = format!("rows of {columns} are not whole blocks of {BLOCK}");
            return Err(EngineError::Header { field: name.into(), problem });
        }
        let matrix = Matrix { kind, rows, columns, at: place.at };
        let blocks = matrix.data(self.file).chunks_exact(kind.block_bytes());
        let finite = |block: &[u8]| f16::from_le_bytes([block[0], block[1]]).is_finite();
        if let Some((block, _)) = blocks.enumerate().find(|(_, block)| !finite(block)) {
            return Err(EngineError::NotFinite { tensor: name.into(), block });
        }
        if !self.kinds.contains(&kind.name()) {
            self.kinds.push(kind.name());
        }
        Ok(matrix)
    }

    fn layer(&mut self, i: usize, shape: &Shape) -> Result<Layer, EngineError> {
        let Shape { dim, hidden, .. } = *shape;
        let (width, kv) = (shape.heads * shape.head_dim, shape.kv_dim());
        let name = |part: &str| format!("blk.{i}.{part}.weight");
        Ok(Layer {
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

    fn weights(&mut self, shape: &Shape) -> Result<Weights, EngineError> {
        let embedding = self.matrix("token_embd.weight", shape.vocab, shape.dim)?;
        let output = match self.left.contains("output.weight") {
            true => self.matrix("output.weight", shape.vocab, shape.dim)?,
            false => embedding,
        };
        let layers = (0..shape.layers).map(|i| self.layer(i, shape)).collect::<Result<_, _>>()?;
        let output_norm = self.vector("output_norm.weight", shape.dim)?;
        Ok(Weights { embedding, layers, output_norm, output })
    }
}

fn unsupported(tensor: &str, place: &TensorPlace, expected: &'static str) -> EngineError {
    let found = format!("{:?}", place.dtype);
    EngineError::UnsupportedType { tensor: tensor.into(), found, expected }
}

impl Model {
    pub(super) fn load(source: Source) -> Result<Self, EngineError> {
        let file = source.bytes();
        let gguf = gguf::read(file)?;
        let (keys, key) = (Keys(&gguf), "general.architecture");
        let architecture =
            keys.text(key)?.ok_or_else(|| EngineError::MissingKey { key: key.into() })?;
        if architecture != ARCHITECTURE {
            return Err(EngineError::UnknownArchitecture { name: architecture.into() });
        }
        let shape = shape(&gguf)?;
        let tokenizer = tokenizer(&gguf, shape.vocab)?;
        let left = gguf.tensor_names().map(str::to_string).collect();
        let mut loader = Loader { file, gguf: &gguf, left, parameters: 0, kinds: Vec::new() };
        let weights = loader.weights(&shape)?;
        if let Some(tensor) = loader.left.pop_first() {
            return Err(EngineError::UnexpectedTensor { tensor });
        }
        let info = ModelInfo {
            name: keys.text("general.name")?.unwrap_or("unnamed").into(),
            architecture: architecture.into(),
            quantisation: loader.kinds.join("+"),
            parameters: loader.parameters,
            // At most CONTEXT_MAX and BYTE_VOCAB.
            context_length: shape.context as u32,
            vocab_size: shape.vocab as u32,
            file_bytes: file.len() as u64,
        };
        let root = *blake3::hash(file).as_bytes();
        let rope = Mutex::new(Arc::new(RopeTable::new(shape.rope_base, shape.rope_dims, 0)));
        Ok(Self { source, root, info, shape, weights, tokenizer, rope })
    }
}
