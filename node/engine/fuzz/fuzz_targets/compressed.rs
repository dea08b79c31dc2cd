// SPDX-License-Identifier: Apache-2.0
//! Decompresses any bytes. The result must be a text or an error, without a panic and without memory beyond
//! the limit.
#![no_main]

use arbitrary::Arbitrary;
use assay_engine::{compress, decompress, Limits};
use assay_engine_fuzz::{measured, MODEL, NEVER, THREADS};
use libfuzzer_sys::fuzz_target;
use std::time::{Duration, Instant};

/// The most that a decompression may take in addition to its limit: the text, and the tables of the model,
/// which are computed once.
const BESIDE: usize = 16 << 20;

#[derive(Arbitrary, Debug)]
struct Case {
    /// A text whose code is changed; the bytes of `code` are one otherwise.
    text: Option<Vec<u8>>,
    code: Vec<u8>,
    changes: Vec<(u16, u8)>,
    memory_bytes: u32,
}

fuzz_target!(|case: Case| {
    let (model, threads, wide) = (&*MODEL, &*THREADS, Limits::default());
    let mut code = case.code;
    if let Some(text) = &case.text {
        code = compress(model, threads, text, &wide, &NEVER).expect("nothing limits it");
        let back = decompress(model, threads, &code, &wide, &NEVER).expect("it is whole");
        assert_eq!(back, *text);
    }
    for (at, byte) in case.changes {
        let length = code.len().max(1);
        if let Some(old) = code.get_mut(usize::from(at) % length) {
            *old = byte;
        }
    }
    // A code that claims many tokens takes as long as these, so it gets little time.
    let deadline = Some(Instant::now() + Duration::from_millis(50));
    let limits = Limits { memory_bytes: case.memory_bytes.into(), deadline };
    let most = case.memory_bytes as usize + BESIDE;
    let _ = measured(most, || decompress(model, threads, &code, &limits, &NEVER));
});
