// SPDX-License-Identifier: Apache-2.0
//! Bit-exact inference of quantised language models on CPUs.
pub mod quantise;
