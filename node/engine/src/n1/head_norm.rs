// SPDX-License-Identifier: Apache-2.0
//! Operations on a row of queries or keys before its rotation.

use super::reduce::{fold16, LANES};

/// Computes [`super::rms_norm`] of one head in place.
#[inline(always)]
pub fn rms_norm_in_place(head: &mut [f32], weight: &[f32], epsilon: f32) {
    let mut lanes = [0f32; LANES];
    for chunk in head.chunks(LANES) {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x * x;
        }
    }
    let scale = 1.0 / (fold16(lanes) / head.len() as f32 + epsilon).sqrt();
    for (x, w) in head.iter_mut().zip(weight) {
        *x = (*x * scale) * w;
    }
}

/// Computes `x_i = x_i + bias_i`.
#[inline(always)]
pub fn add_bias(x: &mut [f32], bias: &[f32]) {
    for (x, bias) in x.iter_mut().zip(bias) {
        *x += bias;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n1::rms_norm;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rms_norm_in_place_equals_rms_norm(x in prop::collection::vec(-9f32..9.0, 1..80)) {
            let weight: Vec<f32> = (0..x.len()).map(|i| 0.5 + i as f32 / 50.0).collect();
            let mut expected = vec![0f32; x.len()];
            rms_norm(&x, &weight, 1e-5, &mut expected);
            let mut found = x;
            rms_norm_in_place(&mut found, &weight, 1e-5);
            prop_assert_eq!(found, expected);
        }
    }
}
