// SPDX-License-Identifier: Apache-2.0
//! Every kernel of this machine produces the same bits, which are the same on every machine.

mod models;

use assay_engine::{synthetic::Synthetic, Kernel, Model, Threads};
use candle_core::quantized::GgmlDType;
use models::{model, rows, run, sampled, spec};
use std::process::Command;

/// Returns shapes with odd numbers of rows, shared key heads, heads of 16 and of 128, and both
/// types.
fn shapes() -> Vec<Synthetic> {
    let base = Synthetic::default();
    let q4 = Synthetic { dtype: GgmlDType::Q4_0, seed: 2, ..base };
    vec![
        base,
        q4,
        Synthetic { dim: 96, hidden: 224, heads: 6, kv_heads: 3, tied: false, seed: 3, ..base },
        Synthetic { dim: 512, hidden: 1056, heads: 4, kv_heads: 1, layers: 1, ..base },
        Synthetic { dim: 256, hidden: 544, heads: 2, kv_heads: 2, layers: 1, tied: false, ..q4 },
    ]
}

fn tokens(n: usize) -> Vec<u32> {
    std::iter::once(256).chain((1..n as u32).map(|i| (i * i * 31 + i * 7) % 256)).collect()
}

#[test]
fn kernels_and_threads_do_not_change_a_bit() {
    let tokens = tokens(150);
    for shape in shapes() {
        let scalar = model(shape).with_kernel(Kernel::Scalar).expect("on every machine");
        let expected = rows(&scalar, &Threads::new(1), &tokens, tokens.len());
        for kernel in Kernel::available() {
            let model = model(shape).with_kernel(kernel).expect("it is available");
            for threads in [1, 2, 4] {
                for piece in [1, 10, tokens.len()] {
                    let found = rows(&model, &Threads::new(threads), &tokens, piece);
                    let what = format!("{kernel:?}, {threads} threads, pieces of {piece}");
                    assert!(found == expected, "{what}: {shape:?}");
                }
            }
        }
    }
}

/// Compares roots of the logit digests of outputs, which no machine and no version may change.
#[test]
fn generations_have_their_published_digests() {
    let base = Synthetic::default();
    let tiny = Model::tiny().expect("the shipped model");
    let tiny_q4 = tiny.requantised_q4_0().expect("it is Q8_0");
    let models = [
        (tiny, "tiny"),
        (tiny_q4, "tiny-q4"),
        (model(base), "q8"),
        (model(Synthetic { dtype: GgmlDType::Q4_0, seed: 2, tied: false, ..base }), "q4"),
    ];
    let mut found = Vec::new();
    for (model, name) in &models {
        for (temperature, tokens) in [(0, 48), (65_536, 80)] {
            let spec = spec(sampled(temperature, 0, 65_536, 11), tokens);
            let generation = run(model, b"In the beginning", &spec);
            let root: String =
                generation.digest_root.iter().map(|byte| format!("{byte:02x}")).collect();
            found.push(format!("{name} {temperature} {} {root}", generation.tokens.len()));
        }
    }
    let published: Vec<&str> = include_str!("golden/generations.txt").lines().collect();
    assert_eq!(found, published);
}

/// Runs in a process of its own, which [`the_environment_names_the_kernel`] starts.
#[test]
fn model_opens() {
    if let Err(error) = Model::tiny() {
        panic!("{error}");
    }
}

#[test]
fn the_environment_names_the_kernel() {
    let open = |kernel: &str| {
        let program = std::env::current_exe().expect("this program");
        Command::new(program)
            .args(["--exact", "model_opens", "--nocapture"])
            .env("ASSAY_KERNEL", kernel)
            .output()
            .expect("it starts")
    };
    assert!(open("scalar").status.success());
    let refused = open("avx1024");
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("\"avx1024\" is not available") && said.contains("scalar"), "{said}");
}
