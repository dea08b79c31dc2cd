// SPDX-License-Identifier: Apache-2.0
//! The numeric profile N1: the arithmetic of the forward pass, to the bit.
//!
//! It consists of IEEE 754 `f32` and `f64` operations `+ - * / sqrt` in the order written here, and
//! of integers. There is no fused multiply-add and no platform library. Every function depends on a
//! row and its prefix alone, so decode and prefill, any number of threads and any width of vectors
//! produce the same bits.
//!
//! The profile is published: no constant and no order of operations in these modules may change. A
//! change is a new profile.

mod activation;
mod attention;
mod exp;
mod gelu;
mod head_norm;
mod lanes;
mod logit;
mod norm;
mod reduce;
mod rope;

pub use activation::quantise;
pub use attention::KEYS;
pub(crate) use attention::{scores16, weigh, Mixed, Values};
pub use exp::{exp, silu};
pub use gelu::{gelu, tanh};
pub use head_norm::{add_bias, rms_norm_in_place};
pub(crate) use lanes::Lanes;
pub use logit::to_fixed;
pub use norm::rms_norm;
pub use reduce::{fold16, sum16, LANES};
pub use rope::{rotate, Pairs, Rope, RopeTable};
