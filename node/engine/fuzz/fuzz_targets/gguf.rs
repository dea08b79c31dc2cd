// SPDX-License-Identifier: Apache-2.0
//! Opens any file. The result must be a model or an error, without a panic and with memory in proportion to
//! the file. The first bytes choose a valid file that the others change.
#![no_main]

use arbitrary::Arbitrary;
use assay_engine::{
    synthetic::{Family, Synthetic, Vocabulary},
    Model,
};
use assay_engine_fuzz::measured;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// The bytes that may be taken for each byte of a file.
const PER_BYTE: usize = 64;
/// The bytes that may be taken in addition.
const BESIDE: usize = 8 << 20;

/// Valid files.
static FILES: LazyLock<[Vec<u8>; 4]> = LazyLock::new(|| {
    let base = Synthetic { layers: 1, ..Synthetic::default() };
    [
        base,
        Synthetic { vocabulary: Vocabulary::Pieces, ..base },
        Synthetic { family: Family::Llama3, ..base },
        Synthetic { family: Family::Qwen2, tied: false, ..base },
    ]
    .map(|shape| shape.file().expect("whole blocks"))
});

#[derive(Arbitrary, Debug)]
struct Case {
    /// The valid file that is changed; none of them beyond their number.
    file: u8,
    /// Bytes that are written at these places.
    changes: Vec<(u32, u8)>,
    /// The bytes that take the place of the file's end, or of all of it.
    rest: Vec<u8>,
    /// The length to which the valid file is cut.
    length: u32,
}

fuzz_target!(|case: Case| {
    let mut file = FILES.get(usize::from(case.file % 8)).cloned().unwrap_or_default();
    let length = file.len();
    if length > 0 {
        for (at, byte) in case.changes {
            file[at as usize % length] = byte;
        }
        if case.length % 4 == 0 {
            file.truncate(case.length as usize % length);
        }
    }
    file.extend(case.rest);
    let most = PER_BYTE * file.len() + BESIDE;
    if let Ok(model) = measured(most, || Model::from_bytes(file)) {
        let text = b"<s>a\xff the 123\n\n ".as_slice();
        let _ = model.tokenize(text).map(|tokens| model.detokenize(&tokens));
    }
});
