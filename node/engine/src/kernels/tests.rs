// SPDX-License-Identifier: Apache-2.0
use super::{multiply, wide, Activations, Kernel, TILE};
use crate::{
    matrix::{Matrix, PANEL},
    quantise::{self, Quantisation, BLOCK},
};
use half::f16;
use proptest::prelude::*;

/// A product: rows as they are stored in a file, and activations of up to [`TILE`] tokens.
#[derive(Clone, Debug)]
struct Case {
    kind: Quantisation,
    rows: usize,
    blocks: usize,
    data: Vec<u8>,
    x: Vec<f32>,
}

/// Returns finite scales: half of them of usual size, the others zero, subnormal, negative or the
/// largest.
fn scales() -> impl Strategy<Value = f16> {
    prop_oneof![
        4 => (-4f32..4.0).prop_map(f16::from_f32),
        1 => (0u16..0x400).prop_map(f16::from_bits),
        1 => Just(f16::from_bits(0x8000)),
        1 => Just(f16::MIN),
        1 => any::<u16>().prop_map(f16::from_bits).prop_filter("finite", |x| x.is_finite()),
    ]
}

/// Returns a block's weights: random, or one value throughout, including the extremes.
fn weights(bytes: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), Just(0x80), Just(0x7f), Just(0xff), Just(0)];
    let same = prop_oneof![Just(0x80), Just(0x7f), Just(0x81), Just(0xff), Just(0)];
    prop_oneof![prop::collection::vec(byte, bytes), same.prop_map(move |byte| vec![byte; bytes]),]
}

/// Returns a block of activations: random, or all of one value, so that their quants are extremes.
fn activations() -> impl Strategy<Value = Vec<f32>> {
    let x = prop_oneof![-10f32..10.0, Just(0.0), Just(1e4), Just(-1e4), Just(1e-42)];
    let same = prop_oneof![Just(1e4f32), Just(-1e4), Just(0.0), Just(-3.25)];
    prop_oneof![prop::collection::vec(x, BLOCK), same.prop_map(|x| vec![x; BLOCK]),]
}

fn case(kind: Quantisation) -> impl Strategy<Value = Case> {
    let rows = prop_oneof![Just(1), Just(PANEL), 1..3 * PANEL];
    (rows, 1usize..5).prop_flat_map(move |(rows, blocks)| {
        let block = (scales(), weights(kind.block_bytes() - 2))
            .prop_map(|(d, q)| [&d.to_le_bytes(), q.as_slice()].concat());
        let data = prop::collection::vec(block, rows * blocks).prop_map(|b| b.concat());
        let x = prop::collection::vec(activations(), TILE * blocks).prop_map(|x| x.concat());
        (data, x).prop_map(move |(data, x)| Case { kind, rows, blocks, data, x })
    })
}

/// Computes N1 in the plainest way: sums in i64, one product after the other.
fn naive(case: &Case, x: &[f32]) -> Vec<u32> {
    let bytes = case.kind.block_bytes();
    let rows = case.data.chunks(bytes * case.blocks).map(|row| {
        let mut acc = 0f32;
        for (block, x) in row.chunks(bytes).zip(x.chunks(BLOCK)) {
            let (w, d_w) = match case.kind {
                Quantisation::Q8_0 => quantise::unpack_q8_0(block.try_into().unwrap()),
                Quantisation::Q4_0 => quantise::unpack_q4_0(block.try_into().unwrap()),
            };
            let mut q = [0; BLOCK];
            let d_x = crate::n1::quantise(x.try_into().unwrap(), &mut q);
            let sum: i64 = w.iter().zip(&q).map(|(&w, &x)| i64::from(w) * i64::from(x)).sum();
            acc += sum as f32 * (f32::from(d_w) * d_x);
        }
        acc.to_bits()
    });
    rows.collect()
}

/// Checks that each kernel of this machine returns the naive sums, from the first panel and from
/// the second.
fn check(case: &Case) {
    let columns = case.blocks * BLOCK;
    let matrix = Matrix::pack(case.kind, case.rows, columns, &case.data);
    let expected: Vec<Vec<u32>> = case.x.chunks(columns).map(|x| naive(case, x)).collect();
    for kernel in Kernel::available() {
        for tokens in [1, 2, 3, 7, 15, TILE] {
            let mut activations = Activations::default();
            activations.fill(kernel, &case.x, tokens, columns);
            for first in 0..case.rows.div_ceil(PANEL).min(2) {
                let rows = case.rows - first * PANEL;
                let mut out = vec![vec![0f32; rows]; tokens];
                let mut outs: Vec<&mut [f32]> = out.iter_mut().map(Vec::as_mut_slice).collect();
                multiply(kernel, &matrix, first, &activations, &mut outs);
                for (out, expected) in out.iter().zip(&expected) {
                    let found: Vec<u32> = out.iter().map(|x| x.to_bits()).collect();
                    assert_eq!(found, expected[first * PANEL..], "{kernel:?}, {tokens} tokens");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn multiply_equals_the_naive_sum_q8_0(case in case(Quantisation::Q8_0)) {
        check(&case);
    }

    #[test]
    fn multiply_equals_the_naive_sum_q4_0(case in case(Quantisation::Q4_0)) {
        check(&case);
    }
}

/// The largest possible sums in magnitude, with either sign.
#[test]
fn multiply_is_exact_at_the_extremes() {
    let scale = f16::from_f32(0.5).to_le_bytes();
    for (kind, bytes) in
        [(Quantisation::Q8_0, [0x80u8, 0x7f, 0x81]), (Quantisation::Q4_0, [0x00, 0xff, 0x0f])]
    {
        for byte in bytes {
            for x in [1f32, -1.0] {
                let block = [&scale[..], &vec![byte; kind.block_bytes() - 2]].concat();
                let (rows, blocks) = (PANEL + 1, 2);
                let data = block.repeat(rows * blocks);
                check(&Case { kind, rows, blocks, data, x: vec![x; TILE * blocks * BLOCK] });
            }
        }
    }
}

proptest! {
    /// Functions compiled for a kernel return the bits of the plain build, for any length.
    #[test]
    fn wide_functions_equal_the_scalar_ones(
        x in prop::collection::vec(-100f32..100.0, 1..200),
        scale in -40i32..40,
    ) {
        let x: Vec<f32> = x.iter().map(|x| x * 2f32.powi(scale)).collect();
        let run = |kernel| {
            let (mut norm, mut silu, mut gelu) = (x.clone(), x.clone(), x.clone());
            let mut fixed = vec![0; x.len()];
            wide::rms_norm(kernel, &x, &x, 1e-5, &mut norm);
            wide::silu_gate(kernel, &mut silu, &x);
            wide::gelu_gate(kernel, &mut gelu, &x);
            wide::to_fixed(kernel, &x, &mut fixed);
            let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            (bits(&norm), bits(&silu), bits(&gelu), fixed)
        };
        for kernel in Kernel::available() {
            prop_assert_eq!(run(kernel), run(Kernel::Scalar));
        }
    }
}
