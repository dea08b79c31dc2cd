// SPDX-License-Identifier: Apache-2.0
//! Decode and prefill produce the same bits with any number of threads, and these bits are the
//! model's.

mod models;

use assay_engine::{
    synthetic::{write, Family, Synthetic},
    Model, Threads,
};
use candle_core::quantized::{gguf_file::Value, GgmlDType};
use models::{
    families, floats, gemma3, model,
    reference::{errors, mean_and_worst, Activations, Reference},
    rows,
};

fn tokens(n: usize) -> Vec<u32> {
    std::iter::once(256).chain((1..n as u32).map(|i| (i * i * 31 + i * 7) % 256)).collect()
}

fn models() -> Vec<Model> {
    let base = Synthetic::default();
    vec![
        model(base),
        model(Synthetic { dtype: GgmlDType::Q4_0, seed: 2, tied: false, ..base }),
        // The model is wide enough for its products to be split between threads in decode.
        model(Synthetic { dim: 512, hidden: 2080, heads: 8, kv_heads: 1, layers: 1, ..base }),
        Model::tiny().expect("the shipped model"),
        model(Synthetic { family: Family::Qwen2, ..base }),
        model(Synthetic { family: Family::Qwen3, head_dim: Some(32), ..base }),
        model(gemma3(base)),
    ]
}

#[test]
fn decode_equals_prefill_bit_for_bit() {
    for model in models() {
        let (tokens, threads) = (tokens(150), Threads::new(2));
        let prefill = rows(&model, &threads, &tokens, tokens.len());
        assert_eq!(prefill.len(), tokens.len());
        for piece in [1, 2, 15, 17, 100] {
            assert!(rows(&model, &threads, &tokens, piece) == prefill, "in pieces of {piece}");
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    for model in models() {
        let tokens = tokens(140);
        let one = rows(&model, &Threads::new(1), &tokens, tokens.len());
        for count in [2, 4] {
            let threads = Threads::new(count);
            assert!(rows(&model, &threads, &tokens, tokens.len()) == one, "prefill, {count}");
            assert!(rows(&model, &threads, &tokens, 1) == one, "decode, {count}");
        }
    }
}

#[test]
fn jobs_that_share_threads_do_not_change_a_bit() {
    let (model, threads) = (model(Synthetic::default()), Threads::new(3));
    let tokens = tokens(100);
    let expected = rows(&model, &Threads::new(1), &tokens, 100);
    std::thread::scope(|scope| {
        for piece in [1, 7, 16, 100] {
            let (model, threads, tokens, expected) = (&model, &threads, &tokens, &expected);
            scope.spawn(move || assert!(rows(model, threads, tokens, piece) == *expected));
        }
    });
}

/// Returns the error of each row of N1's logits against the reference with the given activations.
fn apart(model: &Model, activations: Activations, tokens: &[u32]) -> Vec<f32> {
    let exact = floats(&rows(model, &Threads::new(2), tokens, tokens.len()));
    let reference = Reference::new(&model.file().unwrap(), activations).expect("a model");
    errors(&exact, &reference.rows(tokens, None).expect("candle computes it"))
}

/// N1 is the model except for its activations in blocks of 8-bit integers: candle's evaluation with
/// the same blocks yields the same logits, up to the rounding of f32 and of Q15.16. Where the two
/// sums of an activation fall on both sides of a rounding, a row differs by one step, which is
/// rare.
#[test]
fn logits_are_those_of_an_f32_evaluation_with_activations_in_blocks() {
    let tokens = tokens(60);
    for (name, shape) in families() {
        let mut errors = apart(&model(shape), Activations::Blocks, &tokens);
        errors.sort_by(f32::total_cmp);
        let (most, worst) = (errors[errors.len() * 9 / 10], errors[errors.len() - 1]);
        assert!(most <= 2e-5 && worst <= 0.02, "{name}: nine of ten rows {most}, worst {worst}");
    }
}

/// The error of the blocks is about 0.5 % of a row in a trained model. It is 2 % in these random
/// ones, whose residual stream does not grow and so carries the noise of every layer undiminished.
#[test]
fn logits_agree_with_an_f32_evaluation() {
    let tokens = tokens(60);
    for (name, shape) in families() {
        let (mean, worst) = mean_and_worst(&apart(&model(shape), Activations::Floats, &tokens));
        assert!(mean <= 0.025 && worst <= 0.05, "{name}: mean {mean}, worst {worst}");
    }
    let tiny = Model::tiny().expect("the shipped model");
    let (mean, worst) = mean_and_worst(&apart(&tiny, Activations::Floats, &tokens));
    assert!(mean <= 0.01 && worst <= 0.03, "tiny: mean {mean}, worst {worst}");
}

#[test]
fn linear_scaling_of_positions_is_that_of_the_reference() {
    let shape = Synthetic::default();
    let mut metadata = shape.metadata();
    metadata.push(("llama.rope.scaling.type".into(), Value::String("linear".into())));
    metadata.push(("llama.rope.scaling.factor".into(), Value::F32(4.0)));
    let file = write(&metadata, &shape.tensors().expect("tensors")).expect("a file");
    let scaled = Model::from_bytes(file).expect("a model");
    let errors = apart(&scaled, Activations::Blocks, &tokens(40));
    assert!(errors.iter().filter(|error| **error > 2e-5).count() <= 4, "{errors:?}");
    let plain = rows(&model(shape), &Threads::new(1), &tokens(40), 40);
    assert_ne!(rows(&scaled, &Threads::new(1), &tokens(40), 40), plain);
}
