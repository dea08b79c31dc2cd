// SPDX-License-Identifier: Apache-2.0
//! A test of this build on this machine, before it serves a model.
//!
//! The built-in model's output is known. A compiler that joins products and sums, or a processor that is out of
//! order, would compute another one, and every output of another model would be rejected.

use crate::{generate, EngineError, GenerateSpec, Limits, Model, SampleSpec, Sampling, Threads};
use std::sync::{atomic::AtomicBool, OnceLock};

/// The digest root of the greedy output of 48 tokens. It is the first line of
/// `tests/golden/generations.txt`.
const ROOT: [u8; 32] = [
    0x0a, 0x7e, 0x50, 0x39, 0x82, 0xd8, 0xe2, 0xf3, 0x8c, 0x1e, 0x29, 0xd4, 0x26, 0x92, 0xc7, 0x3c,
    0xb2, 0xa0, 0x2a, 0x74, 0xde, 0x1c, 0xe8, 0x01, 0x54, 0x46, 0x5e, 0x0d, 0x18, 0xec, 0xfa, 0x8a,
];
const PROMPT: &[u8] = b"In the beginning";

/// Ensures, once in a process, that it computes the built-in model's output.
///
/// # Errors
/// Returns [`EngineError::KnownAnswer`] if the output is another, or the error of the computation.
pub(crate) fn ensure() -> Result<(), EngineError> {
    static RIGHT: OnceLock<()> = OnceLock::new();
    if RIGHT.get().is_none() {
        compare(root(&Model::tiny()?)?)?;
        // Whoever was first has found the same.
        RIGHT.get_or_init(|| ());
    }
    Ok(())
}

fn root(tiny: &Model) -> Result<[u8; 32], EngineError> {
    let sample = SampleSpec::new(11, &[9; 32], Sampling::GREEDY);
    let spec = GenerateSpec::new(sample, 48, [3; 32]);
    let (input, never) = (tiny.tokenize(PROMPT)?, AtomicBool::new(false));
    let (threads, limits) = (Threads::new(1), Limits::default());
    let done = generate(tiny, &threads, &input, &spec, &limits, &never, &mut |_, _| ())?;
    Ok(done.digest_root)
}

fn compare(found: [u8; 32]) -> Result<(), EngineError> {
    if found == ROOT {
        Ok(())
    } else {
        Err(EngineError::KnownAnswer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_answer_is_taken_and_no_other() {
        let tiny = Model::tiny().unwrap();
        compare(root(&tiny).unwrap()).unwrap();
        let error = compare(root(&tiny.requantised_q4_0().unwrap()).unwrap()).unwrap_err();
        assert!(error.to_string().contains("known output"), "{error}");
    }
}
