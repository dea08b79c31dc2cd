// SPDX-License-Identifier: Apache-2.0
//! Gemma 3: layers that see a window of positions, and the keys of its files.

mod models;

use assay_engine::{
    serve::{GenerateJob, Server, ServerConfig},
    synthetic::{write, Synthetic, GEMMA3_WINDOW},
    EngineError, GenerateSpec, Kernel, Limits, Model, Positions, Threads, Verification,
};
use candle_core::quantized::{gguf_file::Value, GgmlDType};
use models::{check, gemma3, model, rows, run, sampled, spec, transcript};
use std::sync::Arc;

const WINDOW: usize = GEMMA3_WINDOW as usize;
/// A text whose tokens do not fit into the window.
const PROMPT: &[u8] = b"In the beginning God created the heaven and the earth.";

fn shape() -> Synthetic {
    gemma3(Synthetic::default())
}

fn tokens(n: usize) -> Vec<u32> {
    std::iter::once(256).chain((1..n as u32).map(|i| (i * i * 31 + i * 7) % 256)).collect()
}

/// Loads the small model with one key changed or, for `None`, left out.
fn with_key(key: &str, value: Option<Value>) -> Result<Model, EngineError> {
    let mut metadata = shape().metadata();
    metadata.retain(|(name, _)| name != key);
    metadata.extend(value.map(|value| (key.to_string(), value)));
    Model::from_bytes(write(&metadata, &shape().tensors().unwrap()).unwrap())
}

#[test]
fn decode_equals_prefill_across_the_edge_of_the_window() {
    for dtype in [GgmlDType::Q8_0, GgmlDType::Q4_0] {
        let shape = Synthetic { dtype, ..shape() };
        let tokens = tokens(3 * WINDOW + 5);
        let scalar = model(shape).with_kernel(Kernel::Scalar).unwrap();
        let expected = rows(&scalar, &Threads::new(1), &tokens, tokens.len());
        for kernel in Kernel::available() {
            let model = model(shape).with_kernel(kernel).unwrap();
            for threads in [1, 2, 4] {
                for piece in [1, 7, WINDOW - 1, WINDOW, WINDOW + 1, tokens.len()] {
                    let found = rows(&model, &Threads::new(threads), &tokens, piece);
                    assert!(found == expected, "{kernel:?}, {threads} threads, pieces of {piece}");
                }
            }
        }
    }
}

/// Six layers of the small model see a window, of which each passes on what the one before has seen. A model of one
/// layer shows the edge itself.
#[test]
fn token_sees_the_window_and_nothing_before_it() {
    let model = model(Synthetic { layers: 1, ..shape() });
    let threads = Threads::new(1);
    let tokens = tokens(3 * WINDOW);
    let plain = rows(&model, &threads, &tokens, tokens.len());
    for changed in [0, 1, 15, 16, WINDOW - 1, WINDOW] {
        let mut other = tokens.clone();
        other[changed] ^= 1;
        let found = rows(&model, &threads, &other, other.len());
        for (position, (found, plain)) in found.iter().zip(&plain).enumerate() {
            let sees = (changed..changed + WINDOW).contains(&position);
            assert_eq!(found != plain, sees, "token {changed} from position {position}");
        }
    }
}

#[test]
fn last_of_six_layers_sees_all_positions() {
    let last = |layers, changed| {
        let model = model(Synthetic { layers, ..shape() });
        let mut tokens = tokens(8 * WINDOW);
        tokens[0] ^= u32::from(changed);
        rows(&model, &Threads::new(2), &tokens, tokens.len()).pop().unwrap()
    };
    // Five windows after each other reach back less far.
    assert_eq!(last(5, false), last(5, true));
    assert_ne!(last(6, false), last(6, true));
}

#[test]
fn verify_accepts_outputs_across_the_window_and_rejects_edited_ones() {
    let model = model(shape());
    for sample in [sampled(0, 0, 65_536, 1), sampled(65_536, 40, 60_000, 2)] {
        let spec = spec(sample, 100);
        let generation = run(&model, PROMPT, &spec);
        let honest = transcript(&model, PROMPT, &generation);
        assert!(honest.input.len() > WINDOW && honest.output.len() > WINDOW);
        let verdict = check(&model, PROMPT, &honest, &spec, &Positions::All).unwrap();
        assert_eq!(verdict, Verification::Accept { digest_root: Some(generation.digest_root) });
        for at in [0, 1, WINDOW, honest.output.len() - 2] {
            let mut edited = honest.clone();
            edited.output[at] = (edited.output[at] + 1) % 256;
            match check(&model, PROMPT, &edited, &spec, &Positions::All).unwrap() {
                Verification::Reject { position, .. } => assert_eq!(position as usize, at),
                Verification::Accept { .. } => panic!("accepted an edit at {at}"),
            }
        }
    }
}

/// Compares roots of the logit digests of outputs, which no machine and no version may change.
#[test]
fn generations_have_their_published_digests() {
    let q4 = Synthetic { dtype: GgmlDType::Q4_0, tied: false, seed: 2, ..shape() };
    let mut found = Vec::new();
    for (name, shape) in [("q8", shape()), ("q4", q4)] {
        let model = model(shape);
        for (temperature, tokens) in [(0, 48), (65_536, 80)] {
            let spec = spec(sampled(temperature, 0, 65_536, 11), tokens);
            let generation = run(&model, PROMPT, &spec);
            let root: String =
                generation.digest_root.iter().map(|byte| format!("{byte:02x}")).collect();
            found.push(format!("{name} {temperature} {} {root}", generation.tokens.len()));
        }
    }
    let published: Vec<&str> = include_str!("golden/gemma3.txt").lines().collect();
    assert_eq!(found, published);
}

#[test]
fn prefix_of_an_earlier_job_serves_across_the_window() {
    let model = Arc::new(model(shape()));
    let threads = Arc::new(Threads::new(2));
    let server = Server::start(model.clone(), threads, ServerConfig::default()).unwrap();
    let job = |prompt: &[u8], spec: &GenerateSpec| GenerateJob {
        input: model.tokenize(prompt).unwrap(),
        spec: spec.clone(),
        limits: Limits::default(),
        cancel: Arc::default(),
        drafter: None,
    };
    let spec = spec(sampled(0, 0, 65_536, 1), 60);
    for prompt in [PROMPT, PROMPT, &[PROMPT, b" And the earth was without form"].concat()] {
        let served = server.generate(job(prompt, &spec)).unwrap().wait().unwrap();
        assert_eq!(served, run(&model, prompt, &spec));
    }
    // The prompt has 55 tokens, of which three whole pages are found twice.
    assert_eq!(server.metrics().reused, 96);
}

#[test]
fn window_does_not_bound_the_context() {
    assert_eq!(model(shape()).info().context_length, 512);
    assert_eq!(model(shape()).info().architecture, "gemma3");
}

#[test]
fn load_names_a_key_that_is_missing_or_unusual() {
    for key in
        ["attention.sliding_window", "attention.key_length", "attention.layer_norm_rms_epsilon"]
    {
        let key = format!("gemma3.{key}");
        match with_key(&key, None) {
            Err(EngineError::MissingKey { key: found }) => assert_eq!(found, key),
            other => panic!("{key}: {:?}", other.map(|_| "no error")),
        }
    }
    let flags = || Value::Array(vec![Value::Bool(true); 7]);
    for (key, value) in [
        ("attention.sliding_window", Value::U32(0)),
        ("attention.sliding_window", flags()),
        ("attention.sliding_window_pattern", Value::U32(0)),
        ("attention.sliding_window_pattern", flags()),
        ("rope.freq_base_swa", Value::F32(-1.0)),
        ("rope.dimension_count_swa", Value::U32(16)),
        ("attention.key_length_swa", Value::U32(16)),
        ("attention.value_length_swa", Value::U32(16)),
        ("attention.scale", Value::F32(1.0)),
        ("attn_logit_softcapping", Value::F32(50.0)),
        ("final_logit_softcapping", Value::F32(30.0)),
    ] {
        let key = format!("gemma3.{key}");
        match with_key(&key, Some(value)) {
            Err(EngineError::InvalidKey { key: found, .. }) => assert_eq!(found, key),
            other => panic!("{key}: {:?}", other.map(|_| "no error")),
        }
    }
}

#[test]
fn load_names_a_norm_that_is_missing() {
    for name in ["blk.3.post_attention_norm.weight", "blk.6.post_ffw_norm.weight"] {
        let mut tensors = shape().tensors().unwrap();
        tensors.retain(|(found, _)| found != name);
        match Model::from_bytes(write(&shape().metadata(), &tensors).unwrap()) {
            Err(EngineError::MissingTensor { tensor }) => assert_eq!(tensor, name),
            other => panic!("{name}: {:?}", other.map(|_| "no error")),
        }
    }
}

/// A file can say what others leave to the architecture, and positions are scaled where all are seen.
#[test]
fn keys_of_the_window_and_of_scaling_change_the_layers_that_they_are_about() {
    let tokens = tokens(60);
    let all = |model: &Model| rows(model, &Threads::new(1), &tokens, tokens.len());
    let plain = all(&model(shape()));
    let changed = |key: &str, value| all(&with_key(&format!("gemma3.{key}"), Some(value)).unwrap());
    assert!(changed("attention.sliding_window_pattern", Value::U32(6)) == plain);
    assert!(changed("attention.sliding_window_pattern", Value::U32(2)) != plain);
    assert!(changed("rope.freq_base_swa", Value::F32(10_000.0)) == plain);
    assert!(changed("rope.freq_base_swa", Value::F32(20_000.0)) != plain);
    assert!(changed("rope.freq_base", Value::F32(10_000.0)) != plain);
    assert!(changed("rope.scaling.factor", Value::F32(8.0)) != plain);
    // Five layers all see a window, where positions are not scaled.
    let five = |scale: Option<f32>| {
        let shape = Synthetic { layers: 5, ..shape() };
        let mut metadata = shape.metadata();
        let key = "gemma3.rope.scaling.factor".to_string();
        metadata.extend(scale.map(|scale| (key, Value::F32(scale))));
        let file = write(&metadata, &shape.tensors().unwrap()).unwrap();
        all(&Model::from_bytes(file).unwrap())
    };
    assert!(five(Some(8.0)) == five(None));
}
