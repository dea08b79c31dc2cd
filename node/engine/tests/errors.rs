// SPDX-License-Identifier: Apache-2.0
//! Each error, from the input that causes it, and invalid files.

mod models;

use assay_engine::{
    generate,
    synthetic::{write, Family, Synthetic},
    EngineError, Limits, Model, Positions, Session, Threads,
};
use candle_core::{
    quantized::{gguf_file::Value, GgmlDType, QTensor},
    Device, Tensor,
};
use models::{check, model, run, sampled, spec, transcript, NEVER};
use std::{
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

/// Loads the default model with one key changed or, for `None`, left out.
fn with_key(key: &'static str, value: Option<Value>) -> Result<Model, EngineError> {
    let shape = Synthetic::default();
    let mut metadata = shape.metadata();
    metadata.retain(|(name, _)| name != key);
    metadata.extend(value.map(|value| (key.to_string(), value)));
    Model::from_bytes(write(&metadata, &shape.tensors().unwrap()).unwrap())
}

/// Loads the default model with one tensor changed or, for `None`, left out.
fn with_tensor(name: &str, tensor: Option<QTensor>) -> Result<Model, EngineError> {
    let shape = Synthetic::default();
    let mut tensors = shape.tensors().unwrap();
    tensors.retain(|(other, _)| other != name);
    tensors.extend(tensor.map(|tensor| (name.to_string(), tensor)));
    Model::from_bytes(write(&shape.metadata(), &tensors).unwrap())
}

fn tensor(shape: &[usize], dtype: GgmlDType) -> QTensor {
    let zeros = Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
    QTensor::quantize(&zeros, dtype).unwrap()
}

fn file() -> Vec<u8> {
    Synthetic::default().file().unwrap()
}

/// Loads the default file with bytes replaced, `offset` bytes after the end of `after`.
fn patched(after: &str, offset: usize, bytes: &[u8]) -> Result<Model, EngineError> {
    let mut file = file();
    let find = file.windows(after.len()).position(|w| w == after.as_bytes()).unwrap();
    let at = find + after.len() + offset;
    file[at..at + bytes.len()].copy_from_slice(bytes);
    Model::from_bytes(file)
}

macro_rules! assert_error {
    ($result:expr, $pattern:pat $(if $guard:expr)?) => {
        match $result {
            Err($pattern) $(if $guard)? => (),
            other => panic!("{:?}", other.map(|_| "no error")),
        }
    };
}

#[test]
fn open_reads_what_from_bytes_reads() {
    let mut on_disk = tempfile::NamedTempFile::new().unwrap();
    on_disk.write_all(&file()).unwrap();
    let opened = Model::open(on_disk.path()).unwrap();
    let model = model(Synthetic::default());
    assert_eq!((opened.root(), opened.info()), (model.root(), model.info()));
    assert_eq!(opened.root(), *blake3::hash(&file()).as_bytes());
    assert_eq!(opened.info().context_length, 512);
    assert_eq!(opened.tokenize(b"ab").unwrap(), [256, 97, 98]);
    assert_eq!(opened.detokenize(&[256, 97, 257, 98, 4000]), b"ab");
}

#[test]
fn model_stays_the_same_whatever_happens_to_its_file() {
    let on_disk = tempfile::NamedTempFile::new().unwrap();
    // The embedding is not packed.
    let shape = Synthetic { tied: false, ..Synthetic::default() };
    let bytes = shape.file().unwrap();
    std::fs::write(on_disk.path(), &bytes).unwrap();
    let opened = Model::open(on_disk.path()).unwrap();
    assert_eq!(*opened.file().unwrap(), bytes);
    let spec = spec(sampled(0, 0, 65_536, 1), 20);
    let before = run(&opened, b"In the beginning", &spec);
    let mut other = bytes.clone();
    other[bytes.len() / 2..].fill(1);
    for file in [&other[..], b"", &bytes[..bytes.len() / 2]] {
        // The file is written to and not replaced.
        std::fs::write(on_disk.path(), file).unwrap();
        assert_eq!(run(&opened, b"In the beginning", &spec), before);
        assert_error!(opened.file(), EngineError::FileChanged { .. } | EngineError::Io { .. });
    }
}

#[test]
fn open_names_a_file_that_it_cannot_read() {
    let result = Model::open("/nonexistent/model.gguf".as_ref());
    assert_error!(result, EngineError::Io { path, .. } if path.ends_with("model.gguf"));
    let empty = tempfile::NamedTempFile::new().unwrap();
    assert_error!(Model::open(empty.path()), EngineError::NotGguf { .. });
}

#[test]
fn load_refuses_other_formats_and_versions() {
    assert_error!(Model::from_bytes(b"PK\x03\x04 and more".to_vec()), EngineError::NotGguf { .. });
    assert_error!(Model::from_bytes(vec![]), EngineError::NotGguf { .. });
    for version in [0u32, 1, 4] {
        assert_error!(patched("GGUF", 0, &version.to_le_bytes()), EngineError::NotGguf { .. });
    }
}

#[test]
fn load_refuses_a_file_cut_anywhere() {
    let file = file();
    for length in (0..file.len() - 1).step_by(97).chain([file.len() - 100]) {
        assert_error!(
            Model::from_bytes(file[..length].to_vec()),
            EngineError::NotGguf { .. }
                | EngineError::Header { .. }
                | EngineError::Truncated { .. }
        );
    }
    let cut = file.len() - 4000;
    let result = Model::from_bytes(file[..cut].to_vec());
    assert_error!(result, EngineError::Truncated { tensor, to, file, .. }
        if tensor.starts_with("blk.1.") && to > file && file == cut as u64);
}

#[test]
fn load_refuses_lying_lengths() {
    let huge = u64::MAX.to_le_bytes();
    let field = |result: Result<Model, EngineError>| match result {
        Err(EngineError::Header { field, .. }) => field,
        other => panic!("{:?}", other.map(|_| "no error")),
    };
    assert_eq!(field(patched("GGUF", 4, &huge)), "tensor_count");
    assert_eq!(field(patched("GGUF", 12, &huge)), "metadata_kv_count");
    // These are the length of a string, a dimension, and the number of dimensions.
    assert_eq!(field(patched("general.name", 4, &huge)), "general.name");
    assert_eq!(field(patched("token_embd.weight", 4, &huge)), "token_embd.weight");
    assert_eq!(field(patched("token_embd.weight", 4, &[0; 8])), "token_embd.weight");
    assert_eq!(field(patched("token_embd.weight", 0, &[9])), "token_embd.weight");
    // These are an offset that is not aligned, and one outside the file.
    assert_eq!(field(patched("output_norm.weight", 16, &[1])), "output_norm.weight");
    let result = patched("output_norm.weight", 16, &(1u64 << 62).to_le_bytes());
    assert_error!(result, EngineError::Truncated { tensor, .. } if tensor == "output_norm.weight");
    let key = "general.alignment";
    for alignment in [0, 3, 1 << 20] {
        assert_error!(with_key(key, Some(Value::U32(alignment))), EngineError::Header { field, .. }
            if field == key);
    }
    let doubled: Vec<_> =
        [Synthetic::default().metadata(), Synthetic::default().metadata()].concat();
    let twice = write(&doubled, &Synthetic::default().tensors().unwrap()).unwrap();
    assert_eq!(field(Model::from_bytes(twice)), "general.architecture");
}

#[test]
fn load_refuses_tensors_that_share_bytes() {
    let file = file();
    // A tensor's name is followed by the number of its dimensions, the dimensions, its type and its
    // offset.
    let offset_of = |name: &str| {
        let find = file.windows(name.len()).position(|w| w == name.as_bytes()).unwrap();
        find + name.len() + 4 + 2 * 8 + 4
    };
    let [up, down] = ["blk.0.ffn_up.weight", "blk.1.ffn_up.weight"].map(offset_of);
    let first = u64::from_le_bytes(file[up..up + 8].try_into().unwrap());
    let last = u64::from_le_bytes(file[down..down + 8].try_into().unwrap());
    // These are the same bytes, their last block, and the end of the tensor before.
    for offset in [first, first + 160 * 64 / 32 * 34 - 32, last - 32] {
        let mut shared = file.clone();
        shared[down..down + 8].copy_from_slice(&offset.to_le_bytes());
        match Model::from_bytes(shared) {
            Err(EngineError::Header { field, problem }) => {
                let named = format!("{field}, {problem}");
                assert!(named.contains("blk.1.ffn_up.weight"), "{offset}: {named}");
                assert_eq!(named.matches(".weight").count(), 2, "{named}");
            }
            other => panic!("{offset}: {:?}", other.map(|_| "no error")),
        }
    }
}

#[test]
fn load_survives_any_changed_byte_of_the_header() {
    let file = file();
    let header = 1800.min(file.len());
    for at in 0..header {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = file.clone();
            changed[at] = value;
            // Any outcome except a panic is right.
            let _ = Model::from_bytes(changed);
        }
    }
}

#[test]
fn load_names_an_unknown_architecture_and_tokenizer() {
    let key = "general.architecture";
    let result = with_key(key, Some(Value::String("mamba".into())));
    assert_error!(result, EngineError::UnknownArchitecture { name, .. } if name == "mamba");
    assert_error!(with_key(key, None), EngineError::MissingKey { key: k } if k == key);
    let byte = Some(Value::U32(65));
    assert_error!(with_key("tokenizer.ggml.eot_token_id", byte), EngineError::InvalidKey { problem, .. }
        if problem.contains("0x41"));
    let key = "tokenizer.ggml.model";
    let result = with_key(key, Some(Value::String("bert".into())));
    assert_error!(result, EngineError::UnknownTokenizer { name } if name == "bert");
    assert_error!(with_key(key, None), EngineError::MissingKey { key: k } if k == key);
}

#[test]
fn load_refuses_metadata_that_no_model_has() {
    for (key, value) in [
        ("llama.context_length", Value::U32(0)),
        ("llama.context_length", Value::U32(u32::MAX)),
        ("llama.context_length", Value::I32(-1)),
        ("llama.context_length", Value::String("512".into())),
        ("llama.block_count", Value::U32(0)),
        ("llama.embedding_length", Value::U32(65)),
        ("llama.feed_forward_length", Value::U32(u32::MAX)),
        ("llama.attention.head_count", Value::U32(0)),
        ("llama.attention.head_count", Value::U32(3)),
        ("llama.attention.head_count_kv", Value::U32(3)),
        ("llama.attention.head_count_kv", Value::U32(8)),
        ("llama.attention.key_length", Value::U32(24)),
        ("llama.attention.value_length", Value::U32(32)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(f32::NAN)),
        ("llama.rope.dimension_count", Value::U32(7)),
        ("llama.rope.dimension_count", Value::U32(64)),
        ("llama.rope.freq_base", Value::F32(-1.0)),
        ("llama.rope.scaling.type", Value::String("yarn".into())),
        ("llama.expert_count", Value::U32(8)),
        ("llama.vocab_size", Value::U32(300)),
        ("tokenizer.ggml.eos_token_id", Value::U32(2)),
        ("tokenizer.ggml.add_bos_token", Value::U32(1)),
        ("general.name", Value::U32(1)),
    ] {
        let shown = format!("{key} = {value:?}");
        match with_key(key, Some(value)) {
            Err(EngineError::InvalidKey { key: found, .. }) => assert_eq!(found, key, "{shown}"),
            other => panic!("{shown}: {:?}", other.map(|_| "no error")),
        }
    }
    for key in ["llama.context_length", "llama.attention.layer_norm_rms_epsilon"] {
        assert_error!(with_key(key, None), EngineError::MissingKey { key: found } if found == key);
    }
}

#[test]
fn load_names_a_tensor_that_is_missing_extra_misshapen_or_of_another_type() {
    let name = "blk.1.ffn_up.weight";
    assert_error!(with_tensor(name, None), EngineError::MissingTensor { tensor } if tensor == name);
    let result = with_tensor(name, Some(tensor(&[160, 96], GgmlDType::Q8_0)));
    assert_error!(result, EngineError::TensorShape { tensor, found, expected }
        if tensor == name && found == [160, 96] && expected == [160, 64]);
    let result = with_tensor(name, Some(tensor(&[160, 64], GgmlDType::Q5_0)));
    assert_error!(result, EngineError::UnsupportedType { tensor, found, .. }
        if tensor == name && found == "Q5_0");
    let result = with_tensor(name, Some(tensor(&[160, 64], GgmlDType::F32)));
    assert_error!(result, EngineError::UnsupportedType { tensor, found, .. }
        if tensor == name && found == "F32");
    let name = "blk.0.attn_norm.weight";
    let result = with_tensor(name, Some(tensor(&[64], GgmlDType::Q8_0)));
    assert_error!(result, EngineError::UnsupportedType { tensor, expected: "F32", .. }
        if tensor == name);
    let name = "blk.0.attn_q.bias";
    let result = with_tensor(name, Some(tensor(&[64], GgmlDType::F32)));
    assert_error!(result, EngineError::UnexpectedTensor { tensor } if tensor == name);
}

#[test]
fn load_names_a_type_that_no_import_reads() {
    // A tensor's name is followed by the number of its dimensions, the dimensions and its type.
    for (number, name) in [(39u32, "MXFP4"), (15, "Q8_K"), (31, "number 31"), (99, "number 99")] {
        let result = patched("token_embd.weight", 4 + 16, &number.to_le_bytes());
        assert_error!(result, EngineError::UnknownType { tensor, found }
            if tensor == "token_embd.weight" && found == name);
    }
}

#[test]
fn load_refuses_more_array_elements_than_any_vocabulary_has() {
    let mut file = b"GGUF\x03\0\0\0".to_vec();
    file.extend([0u64, 2].map(u64::to_le_bytes).concat());
    for name in ["a", "b"] {
        file.extend(1u64.to_le_bytes());
        file.extend(name.bytes());
        // This is an array of bytes.
        file.extend([9u32, 0].map(u32::to_le_bytes).concat());
        file.extend((3u64 << 20).to_le_bytes());
        file.resize(file.len() + (3 << 20), 0);
    }
    assert_error!(Model::from_bytes(file), EngineError::Header { field, problem }
        if field == "b" && problem.contains("elements"));
}

#[test]
fn load_reads_the_tensors_of_an_architecture_and_no_others() {
    let load = |shape: Synthetic, name: &str, other: Option<QTensor>| {
        let mut tensors = shape.tensors().unwrap();
        tensors.retain(|(found, _)| found != name);
        tensors.extend(other.map(|tensor| (name.to_string(), tensor)));
        Model::from_bytes(write(&shape.metadata(), &tensors).unwrap())
    };
    let qwen2 = Synthetic { family: Family::Qwen2, ..Synthetic::default() };
    let qwen3 = Synthetic { family: Family::Qwen3, ..Synthetic::default() };
    let llama3 = Synthetic { family: Family::Llama3, ..Synthetic::default() };
    for (shape, name) in [(qwen2, "blk.1.attn_v.bias"), (qwen3, "blk.0.attn_k_norm.weight")] {
        assert_error!(load(shape, name, None), EngineError::MissingTensor { tensor }
            if tensor == name);
    }
    let name = "rope_freqs.weight";
    assert!(load(llama3, name, None).is_ok());
    let zeros = || Some(tensor(&[8], GgmlDType::F32));
    assert_error!(load(llama3, name, zeros()), EngineError::Header { field, .. } if field == name);
    assert_error!(load(qwen2, name, zeros()), EngineError::UnexpectedTensor { tensor }
        if tensor == name);
}

#[test]
fn load_bounds_the_context_by_a_sliding_window() {
    let key = "llama.attention.sliding_window";
    for (window, context) in [(0, 512), (100, 100), (512, 512), (u32::MAX, 512)] {
        let model = with_key(key, Some(Value::U32(window))).unwrap();
        assert_eq!(model.info().context_length, context, "{window}");
    }
}

#[test]
fn load_refuses_numbers_that_are_not_finite() {
    let mut file = file();
    // The last bytes of the data belong to the last norm and then to the padding to 32 bytes.
    let end = file.len() - 4;
    file[end..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert_error!(Model::from_bytes(file.clone()), EngineError::NotFinite { tensor, block: 63 }
        if tensor == "output_norm.weight");
    file[end..].copy_from_slice(&1f32.to_le_bytes());
    // Before that norm is the last matrix, 64 rows of 5 blocks; this is its first scale.
    let scale = file.len() - 64 * 4 - 64 * 5 * 34;
    for bits in [0x7c00u16, 0xfc00, 0x7e00] {
        file[scale..scale + 2].copy_from_slice(&bits.to_le_bytes());
        assert_error!(Model::from_bytes(file.clone()), EngineError::NotFinite { tensor, block: 0 }
            if tensor == "blk.1.ffn_down.weight");
    }
}

#[test]
fn requantise_refuses_a_model_that_is_not_q8_0() {
    let q4 = model(Synthetic { dtype: GgmlDType::Q4_0, ..Synthetic::default() });
    assert_error!(q4.requantised_q4_0(), EngineError::Requantise { .. });
}

#[test]
fn generate_refuses_jobs_that_no_one_can_run() {
    let model = model(Synthetic::default());
    let threads = Threads::new(1);
    let limits = Limits::default();
    let greedy = sampled(0, 0, 65_536, 1);
    let run = |input: &[u32], max, limits: &Limits, cancel: &AtomicBool| {
        generate(&model, &threads, input, &spec(greedy, max), limits, cancel, &mut |_, _| ())
    };
    assert_error!(run(&[], 5, &limits, &NEVER), EngineError::EmptyInput);
    assert_error!(run(&[1], 0, &limits, &NEVER), EngineError::MaxTokensZero);
    assert_error!(
        run(&[1; 500], 13, &limits, &NEVER),
        EngineError::PromptTooLong { tokens: 500, max_tokens: 13, context: 512 }
    );
    assert!(run(&[1; 500], 12, &limits, &NEVER).is_ok());
    assert_error!(
        run(&[1; 5], u32::MAX, &limits, &NEVER),
        EngineError::PromptTooLong { max_tokens: u32::MAX, .. }
    );
    assert_error!(
        run(&[1, 2, 259], 5, &limits, &NEVER),
        EngineError::TokenOutOfVocab { index: 2, token: 259, vocab_size: 259 }
    );
    let small = Limits { memory_bytes: 10_000, ..limits };
    assert_error!(run(&[1], 5, &small, &NEVER), EngineError::MemoryLimit { limit: 10_000, .. });
    let late = Limits { deadline: Some(Instant::now()), ..limits };
    assert_error!(run(&[1], 5, &late, &NEVER), EngineError::Deadline { tokens: 0 });
    assert_error!(run(&[1], 5, &limits, &AtomicBool::new(true)), EngineError::Cancelled { .. });
}

#[test]
fn generate_streams_each_token_and_stops_when_cancelled() {
    let model = model(Synthetic::default());
    let (threads, cancel) = (Threads::new(1), AtomicBool::new(false));
    let spec = spec(sampled(65_536, 0, 65_536, 1), 40);
    let whole = run(&model, b"a", &spec);
    let mut seen = Vec::new();
    let result = generate(
        &model,
        &threads,
        &model.tokenize(b"a").unwrap(),
        &spec,
        &Limits::default(),
        &cancel,
        &mut |index, token| {
            assert_eq!(index as usize, seen.len());
            seen.push(token);
            cancel.store(seen.len() == 10, Ordering::Relaxed);
        },
    );
    assert_error!(result, EngineError::Cancelled { .. });
    assert_eq!(seen, whole.tokens[..10]);
}

#[test]
fn verify_refuses_a_position_outside_the_output() {
    let model = model(Synthetic::default());
    let spec = spec(sampled(0, 0, 65_536, 1), 10);
    let transcript = transcript(&model, b"a", &run(&model, b"a", &spec));
    let tokens = transcript.output.len();
    let sample = Positions::Sample(vec![tokens as u32]);
    assert_error!(
        check(&model, b"a", &transcript, &spec, &sample),
        EngineError::PositionOutOfRange { position, .. } if position as usize == tokens
    );
}

#[test]
fn session_refuses_more_than_its_capacity() {
    let (model, threads, limits) =
        (model(Synthetic::default()), Threads::new(1), Limits::default());
    assert_error!(Session::new(&model, &threads, 513, &limits), EngineError::PromptTooLong { .. });
    let mut session = Session::new(&model, &threads, 3, &limits).unwrap();
    let none = |_| false;
    session.forward(&[1, 2], &limits, &NEVER, &none, &|_| ()).unwrap();
    let result = session.forward(&[1, 2], &limits, &NEVER, &none, &|_| ());
    assert_error!(result, EngineError::PromptTooLong { .. });
}
