// SPDX-License-Identifier: Apache-2.0
//! The floating-point environment of a thread.
//!
//! Profile N1 needs rounding to the nearest number, ties to even, and numbers below the normal range. A processor
//! can round otherwise or replace such numbers by zero, if a program or a library of it says so to the thread. The
//! kernels would then differ from those of other operators. So each thread that computes is tested before, by
//! sums that such a setting would change.

use crate::EngineError;
use std::hint::black_box;

#[cfg(all(target_arch = "x86", not(target_feature = "sse2")))]
compile_error!("profile N1 needs SSE2: without it, sums are rounded more than once");

/// Ensures that this thread computes as profile N1 needs.
///
/// # Errors
/// Returns [`EngineError::FloatEnvironment`], which names the first difference.
pub(crate) fn ensure() -> Result<(), EngineError> {
    let refused = |problem| Err(EngineError::FloatEnvironment { problem });
    let least = f32::from_bits(1);
    if (black_box(least) * black_box(1.0)).to_bits() != 1
        || black_box(f32::MIN_POSITIVE) * black_box(0.5) == 0.0
    {
        return refused("takes numbers below the normal range for zero");
    }
    // Halves and quarters of the distance between 1 and the next number.
    let step = f32::EPSILON;
    let sum = |a: f32, b: f32| black_box(a) + black_box(b);
    let nearest = sum(1.0, step * 0.25) == 1.0
        && sum(-1.0, -step * 0.25) == -1.0
        && sum(1.0, step * 0.75) == 1.0 + step
        && sum(-1.0, -step * 0.75) == -1.0 - step
        && sum(1.0, step * 0.5) == 1.0
        && sum(1.0 + step, step * 0.5) == 1.0 + 2.0 * step;
    match nearest {
        true => Ok(()),
        false => refused("does not round to the nearest number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_of_a_new_thread_is_right() {
        ensure().unwrap();
    }

    /// Runs a test in a thread whose control register has these bits as well.
    #[cfg(target_arch = "x86_64")]
    fn with_bits(bits: u32, test: impl FnOnce() + Send) {
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut register = 0u32;
                // SAFETY: the register is stored to and loaded from a variable of its size. Only this thread
                // sees the change, and it ends after the test.
                unsafe {
                    std::arch::asm!("stmxcsr [{}]", in(reg) &mut register, options(nostack));
                    register |= bits;
                    std::arch::asm!("ldmxcsr [{}]", in(reg) &register, options(nostack));
                }
                test();
            });
        });
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn other_environments_are_refused_by_name() {
        for (bits, words) in [
            (1 << 6, "takes numbers below the normal range for zero"),
            (1 << 15, "takes numbers below the normal range for zero"),
            (1 << 13, "does not round to the nearest"),
            (2 << 13, "does not round to the nearest"),
            (3 << 13, "does not round to the nearest"),
        ] {
            with_bits(bits, || {
                let error = ensure().unwrap_err().to_string();
                assert!(error.contains(words), "{bits:#x}: {error}");
            });
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn nothing_is_computed_in_another_environment() {
        use crate::{generate, GenerateSpec, Limits, Model, SampleSpec, Sampling, Threads};
        use std::sync::atomic::AtomicBool;
        let model = Model::tiny().unwrap();
        let run = |threads: &Threads| {
            let sample = SampleSpec::new(0, &[0; 32], Sampling::GREEDY);
            let (spec, never) = (GenerateSpec::new(sample, 4, [0; 32]), AtomicBool::new(false));
            generate(&model, threads, &[73], &spec, &Limits::default(), &never, &mut |_, _| ())
        };
        let right = run(&Threads::new(1)).unwrap();
        with_bits(1 << 15, || {
            let error = run(&Threads::new(1)).unwrap_err();
            assert!(matches!(error, EngineError::FloatEnvironment { .. }), "{error}");
        });
        // A thread inherits the environment of the one that starts it.
        let mut threads = None;
        with_bits(1 << 15, || threads = Some(Threads::new(3)));
        assert_eq!(run(&threads.unwrap()).unwrap(), right);
    }
}
