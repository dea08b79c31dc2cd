// SPDX-License-Identifier: Apache-2.0
//! Opens invalid files for some time. Any result other than an error, and any allocation beyond
//! the bound for a file of its length, ends this program.

#![allow(clippy::print_stdout, reason = "the count is this program's output")]

use assay_engine::{
    gguf,
    synthetic::{Family, Synthetic, Vocabulary},
    tokenizer::Tokenizer,
    Model,
};
use candle_core::quantized::GgmlDType;
use clap::Parser;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

#[derive(Parser)]
#[command(about = "Open invalid files")]
struct Options {
    /// Duration in seconds.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Seed of the changes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The number of bytes that opening a file may take, per byte of the file and in addition.
const PER_BYTE: usize = 64;
const BESIDE: usize = 8 << 20;

/// The system's allocator with a count of the bytes that are held, their peak, and a limit on both.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

// SAFETY: every call goes to the system's allocator unchanged; counting touches none of its memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(held, Relaxed);
        if held > LIMIT.load(Relaxed) {
            // A message would allocate.
            std::process::abort();
        }
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the memory comes from this allocator, which is the system's.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Numbers that are likely to be invalid in a file.
const LIES: [u64; 12] =
    [0, 1, 2, 31, 33, 255, 1 << 16, 1 << 22, 1 << 32, u32::MAX as u64, 1 << 62, u64::MAX];

/// Changes a few places, most of them in the header.
fn change(file: &mut Vec<u8>, header: usize, rng: &mut ChaCha8Rng) {
    let mut dice = |sides: usize| rng.next_u32() as usize % sides.max(1);
    for _ in 0..1 + dice(4) {
        let span = if dice(8) > 0 { header.min(file.len()) } else { file.len() };
        let at = dice(span);
        match dice(7) {
            0 => file[at] ^= 1 << dice(8),
            1 => file[at] = dice(256) as u8,
            2 => {
                let bytes = LIES[dice(LIES.len())].to_le_bytes();
                let end = (at + 8).min(file.len());
                file[at..end].copy_from_slice(&bytes[..end - at]);
            }
            3 => {
                let bytes = (LIES[dice(LIES.len())] as u32).to_le_bytes();
                let end = (at + 4).min(file.len());
                file[at..end].copy_from_slice(&bytes[..end - at]);
            }
            4 => {
                // This puts a number of one field into another, such as one offset into two
                // tensors.
                let from = dice(span);
                let bytes: Vec<u8> = file[from..].iter().take(8).copied().collect();
                let end = (at + bytes.len()).min(file.len());
                file[at..end].copy_from_slice(&bytes[..end - at]);
            }
            5 => {
                let (from, length) = (dice(span), dice(64));
                let piece = file[from..(from + length).min(file.len())].to_vec();
                file.splice(at..at, piece);
            }
            _ => {
                let cut = if dice(4) > 0 { dice(64) } else { dice(file.len()) };
                file.drain(at..(at + cut).min(file.len()));
            }
        }
        if file.is_empty() {
            return;
        }
    }
}

/// Returns the file with all its tensors at one place, and no more data than the largest needs:
/// zeros, which are numbers in any type.
fn folded(mut file: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let gguf = gguf::read(&file)?;
    let (mut data, mut largest, mut offsets) = (file.len(), 0, Vec::new());
    for name in gguf.tensor_names() {
        let place = gguf.tensor(name)?;
        (data, largest) = (data.min(place.at), largest.max(place.bytes));
        // The name is followed by the number of dimensions, the dimensions, the type and the
        // offset.
        let find = file.windows(name.len()).position(|bytes| bytes == name.as_bytes());
        let at = find.ok_or_else(|| anyhow::anyhow!("{name} is not in the header"))?;
        offsets.push(at + name.len() + 4 + 8 * place.shape.len() + 4);
    }
    for at in offsets {
        file[at..at + 8].fill(0);
    }
    file.truncate(data + largest);
    file[data..].fill(0);
    Ok(file)
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let base = Synthetic { layers: 1, ..Synthetic::default() };
    let head_dim = Some(32);
    // All at one place, the matrices of these layers far exceed what the file allows.
    let deep = Synthetic { layers: 128, dim: 128, hidden: 512, ..base };
    let mut seeds = vec![
        base.file()?,
        Synthetic { vocabulary: Vocabulary::Pieces, dtype: GgmlDType::Q4_0, ..base }.file()?,
        Synthetic { family: Family::Llama3, layers: 2, ..base }.file()?,
        Synthetic { family: Family::Qwen2, tied: false, layers: 3, ..base }.file()?,
        Synthetic { family: Family::Qwen3, head_dim, layers: 5, ..base }.file()?,
        Synthetic { family: Family::Gemma3, head_dim, layers: 6, ..base }.file()?,
        folded(deep.file()?)?,
    ];
    seeds.push(include_bytes!("../tests/vocabularies/pieces.gguf").to_vec());
    seeds.push(include_bytes!("../tests/vocabularies/words.gguf").to_vec());
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let (mut tried, mut opened, mut most) = (0u64, 0u64, 0f64);
    while Instant::now() < end {
        let original = &seeds[tried as usize % seeds.len()];
        let mut file = original.clone();
        change(&mut file, original.len().min(40_000), &mut rng);
        tried += 1;
        let length = file.len();
        let before = HELD.load(Relaxed);
        PEAK.store(before, Relaxed);
        LIMIT.store(before + PER_BYTE * length + BESIDE, Relaxed);
        if let Ok(gguf) = gguf::read(&file) {
            let rows =
                gguf.get("tokenizer.ggml.tokens").and_then(|v| v.to_vec().ok()).map(Vec::len);
            if let Some(Ok(tokenizer)) = rows.map(|rows| Tokenizer::read(&gguf, rows)) {
                let text = b"<s>a\xff the 123\n\n ".as_slice();
                let _ = tokenizer.encode(text).map(|tokens| tokenizer.decode(&tokens));
            }
        }
        opened += u64::from(Model::from_bytes(file).is_ok());
        LIMIT.store(usize::MAX, Relaxed);
        let peak = PEAK.load(Relaxed) - before;
        most = most.max(peak as f64 / (PER_BYTE * length + BESIDE) as f64);
    }
    println!("{tried} files, {opened} of them models, at most {:.0} % of the limit", most * 100.0);
    Ok(())
}
