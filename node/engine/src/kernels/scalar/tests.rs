// SPDX-License-Identifier: Apache-2.0
use super::super::{multiply, Activations};
use super::*;
use crate::{
    quantise,
    weights::{Matrix, Quantisation},
};
use half::f16;
use proptest::prelude::*;

const BLOCKS: usize = 3;
const ROWS: usize = 5;

/// Random blocks, half of the time at their extremes.
fn weights(block_bytes: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), Just(0x80), Just(0x7f), Just(0xff), Just(0)];
    let scale = prop_oneof![
        (-4f32..4.0).prop_map(f16::from_f32),
        any::<u16>().prop_map(f16::from_bits).prop_filter("finite", |x| x.is_finite()),
    ];
    let block = (scale, prop::collection::vec(byte, block_bytes - 2))
        .prop_map(|(d, q)| [&d.to_le_bytes(), q.as_slice()].concat());
    prop::collection::vec(block, BLOCKS * ROWS).prop_map(|blocks| blocks.concat())
}

fn activations() -> impl Strategy<Value = Vec<f32>> {
    let x = prop_oneof![-10f32..10.0, Just(0.0), Just(1e4), Just(-1e4)];
    prop::collection::vec(x, BLOCKS * BLOCK * TILE)
}

/// N1 in the plainest words: i64 sums, one product after the other.
fn naive(kind: Quantisation, data: &[u8], x: &[f32]) -> Vec<f32> {
    let bytes = kind.block_bytes();
    data.chunks(bytes * BLOCKS)
        .map(|row| {
            let mut acc = 0f32;
            for (block, x) in row.chunks(bytes).zip(x.chunks(BLOCK)) {
                let (w, d_w) = match kind {
                    Quantisation::Q8_0 => quantise::unpack_q8_0(block.try_into().unwrap()),
                    Quantisation::Q4_0 => quantise::unpack_q4_0(block.try_into().unwrap()),
                };
                let mut q = [0i16; BLOCK];
                let d_x = crate::n1::quantise(x.try_into().unwrap(), &mut q);
                let sum: i64 = w.iter().zip(&q).map(|(&w, &x)| i64::from(w) * i64::from(x)).sum();
                acc += sum as f32 * (f32::from(d_w) * d_x);
            }
            acc
        })
        .collect()
}

fn check(kind: Quantisation, data: &[u8], x: &[f32]) {
    let matrix = Matrix { kind, rows: ROWS, columns: BLOCKS * BLOCK, at: 0 };
    let columns = BLOCKS * BLOCK;
    for tokens in [1, 2, 7, TILE] {
        let mut activations = Activations::default();
        activations.fill(x, tokens, columns);
        let mut out = vec![0f32; tokens * ROWS];
        multiply(&matrix, data, (0, ROWS), &activations, (tokens, ROWS), &mut out);
        if let Activations::Tile(x) = &activations {
            // The machine's kernel and the reference must agree.
            let mut reference = vec![0f32; tokens * ROWS];
            match kind {
                Quantisation::Q8_0 => tile::<Q8>(data, x, tokens, ROWS, &mut reference),
                Quantisation::Q4_0 => tile::<Q4>(data, x, tokens, ROWS, &mut reference),
            }
            let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&out), bits(&reference));
        }
        for (x, out) in x.chunks(columns).zip(out.chunks(ROWS)) {
            let expected: Vec<u32> = naive(kind, data, x).iter().map(|x| x.to_bits()).collect();
            let found: Vec<u32> = out.iter().map(|x| x.to_bits()).collect();
            assert_eq!(found, expected, "{tokens} tokens");
        }
    }
}

proptest! {
    #[test]
    fn multiply_equals_the_naive_sum_q8_0(data in weights(34), x in activations()) {
        check(Quantisation::Q8_0, &data, &x);
    }

    #[test]
    fn multiply_equals_the_naive_sum_q4_0(data in weights(18), x in activations()) {
        check(Quantisation::Q4_0, &data, &x);
    }
}

#[test]
fn scale_equals_half_for_every_finite_f16() {
    for bits in 0..=u16::MAX {
        let half = f16::from_bits(bits);
        let [low, high] = bits.to_le_bytes();
        if half.is_finite() {
            assert_eq!(scale(low, high).to_bits(), half.to_f32().to_bits(), "{bits:#x}");
        }
    }
}
