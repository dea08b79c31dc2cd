// SPDX-License-Identifier: Apache-2.0
//! Root-mean-square normalisation (RMSNorm).

use super::reduce::{fold16, LANES};

/// Computes `out_i = (x_i * s) * weight_i` with `s = 1 / sqrt(sum16(x_i * x_i) / n + epsilon)`.
#[inline(always)]
pub fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    let mut lanes = [0f32; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x * x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += x * x;
    }
    let scale = 1.0 / (fold16(lanes) / x.len() as f32 + epsilon).sqrt();
    for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
        *out = (x * scale) * w;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rms_norm_has_unit_power() {
        let x: Vec<f32> = (0..96).map(|i| (i as f32).sin() * 3.0).collect();
        let mut y = vec![0f32; 96];
        rms_norm(&x, &[1.0; 96], 0.0, &mut y);
        let power = y.iter().map(|y| y * y).sum::<f32>() / 96.0;
        assert!((power - 1.0).abs() < 1e-5, "{power}");
    }
}
