// SPDX-License-Identifier: Apache-2.0
//! Verifies any transcript for any job. The result must be a verdict or an error, without a panic
//! and without memory beyond the limit.
#![no_main]

use arbitrary::Arbitrary;
use assay_engine::{
    generate, synthetic::Synthetic, verify, FinishReason, GenerateSpec, Limits, Model, Positions,
    SampleSpec, Sampling, Threads, Transcript, Verification,
};
use libfuzzer_sys::fuzz_target;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        LazyLock,
    },
};

/// The most that a verification may take in addition to its limit: its copies of the input, and the
/// tables of the model, which are computed once.
const BESIDE: usize = 16 << 20;

/// The system's allocator, with a count of its bytes.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; only sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's contract is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's contract is the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let shape = Synthetic { context: 256, ..Synthetic::default() };
    Model::from_bytes(shape.file().expect("whole blocks")).expect("a valid model")
});
static THREADS: LazyLock<Threads> = LazyLock::new(|| Threads::new(1));
static NEVER: AtomicBool = AtomicBool::new(false);

#[derive(Arbitrary, Debug)]
struct Case {
    prompt: Vec<u8>,
    /// The input that the transcript claims; the prompt's tokens if there is none.
    input: Option<Vec<u32>>,
    /// The tokens after the honest ones.
    output: Vec<u32>,
    /// The number of honest tokens at the beginning of the output.
    honest: u8,
    ended: bool,
    max_tokens: u32,
    seed: u64,
    sampling: (u32, u32, u32),
    positions: Option<Vec<u32>>,
    memory_bytes: u32,
}

fuzz_target!(|case: Case| {
    let (model, threads) = (&*MODEL, &*THREADS);
    let (temperature, top_k, top_p) = case.sampling;
    let sampling = Sampling { temperature, top_k, top_p };
    // Most jobs should be ones that an operator can run.
    let max_tokens = if case.max_tokens > 1 << 31 { case.max_tokens } else { case.max_tokens % 70 };
    let spec = GenerateSpec { sample: SampleSpec::new(case.seed, &[0; 32], sampling), max_tokens };
    let limits = Limits { memory_bytes: case.memory_bytes.into(), ..Limits::default() };
    let input = model.tokenize(&case.prompt);
    let wide = Limits::default();
    let honest = generate(model, threads, &input, &spec, &wide, &NEVER, &mut |_, _| ()).ok();
    let mut output = honest.as_ref().map_or(vec![], |done| done.tokens.clone());
    output.truncate(case.honest.into());
    output.extend(&case.output);
    let finish = if case.ended { FinishReason::EndToken } else { FinishReason::Length };
    let claimed = case.input.unwrap_or(input.clone());
    let transcript = Transcript { input: claimed, output, finish };
    let positions = case.positions.map_or(Positions::All, Positions::Sample);

    let before = IN_USE.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let verdict =
        verify(model, threads, &case.prompt, &transcript, &spec, &positions, &limits, &NEVER);
    let taken = MOST.load(Ordering::Relaxed) - before;
    assert!(taken <= case.memory_bytes as usize + BESIDE, "{taken} bytes");

    let accepted = matches!(verdict, Ok(Verification::Accept { .. }));
    if let (true, Positions::All, Some(done)) = (verdict.is_ok(), &positions, honest) {
        let right = transcript.input == input
            && transcript.output == done.tokens
            && transcript.finish == done.finish;
        assert_eq!(accepted, right, "{verdict:?} for {transcript:?}");
    }
});
