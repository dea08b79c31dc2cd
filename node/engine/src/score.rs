// SPDX-License-Identifier: Apache-2.0
//! Description length: how many bits a model needs to tell a text.
//!
//! A row of logits gives each token an integer frequency; a token costs `log2(total / frequency)`.
//! [`crate::compress`] codes with the same frequencies, which shows that the sum is a real length.
//!
//! - The frequency of token k is `1 + floor(2^40 e^(-t))`, with t the largest logit minus its own,
//!   computed by [`frequency`] in integers. The 1 lets every token be told.
//! - The cost of a token is `log2(total) - log2(frequency)` in Q32, where `log2 x` is
//!   `ln_q32(x) * LOG2_E / 2^32`, rounded down, of [`crate::sampling::fixed`]; at least 0. The sum
//!   is rounded down to units of 2^-16 bit at the end.
//! - The opening, the token that begins a text where the file says so, is free. If there is none,
//!   the first token has no row before it and costs as much as any other: `log2` of the size of the
//!   vocabulary. No token is told that ends a text.
//! - A vocabulary may put a space before a text; its tokens are told with it, and who reads them takes
//!   one space off. So that no text is changed by that, no other space is put into it, unlike in a
//!   prompt, where each special token is followed by one.
//! - A text longer than a window of 2048 tokens, or of the model's context if that is less, opening
//!   included, is told in several. Each window after the first begins in the middle of the one
//!   before: its first half is known already and its second half is told.
//! - A text that the tokens do not give back byte for byte costs 8 bits for each byte: one with
//!   characters that the vocabulary spells otherwise, such as `▁` for a space.

mod compress;

use crate::{code::Part, sampling::fixed, EngineError, Limits, Model, Row, Session, Threads};
pub use compress::{compress, decompress};
use std::sync::atomic::AtomicBool;

/// The longest window, in tokens, so that the memory for a text is bounded.
const WINDOW: usize = 2048;

/// The length of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// Units of 2^-16 bit.
    pub bits_q16: u64,
    /// Tokens that are told.
    pub tokens: usize,
}

/// Gaps from this on, in Q16, have the frequency 1.
const FARTHEST: i64 = 28 << 16;

/// `2^-(i / 256)` in Q62: with `r_1 = floor(sqrt(2^61 * 2^62))` and
/// `r_(k+1) = floor(sqrt(r_k * 2^62))`, the product of the `r_k` for the bits of i, the highest bit
/// being that of `r_1`, each step rounded down.
static POWERS: [u64; 256] = powers();

const fn powers() -> [u64; 256] {
    let mut table = [1u64 << 62; 256];
    let (mut root, mut bit) = (1u128 << 61, 7i32);
    while bit >= 0 {
        root = (root << 62).isqrt();
        let mut i = 0;
        while i < 256 {
            if i >> bit & 1 == 1 {
                table[i] = ((table[i] as u128 * root) >> 62) as u64;
            }
            i += 1;
        }
        bit -= 1;
    }
    table
}

/// `1 + floor(2^40 e^-t)` for a gap `t` in Q16 that is not negative, within a 10^-7th and 1.
///
/// From t = 28 on it is 1. Otherwise `y = floor(t * LOG2_E / 2^24)` is Q24, of which n are the bits
/// above the point, i the eight below and g the last sixteen; `z = floor(g * LN2 / 2^16)` is Q40,
/// `zz = floor(z * z / 2^40)`, `zzz = floor(zz * z / 2^40)`, and the result
/// `1 + (floor(2^(-i/256) * (2^40 - z + floor(zz / 2) - floor(zzz / 6))) >> n)`.
pub fn frequency(t: i64) -> u64 {
    if t >= FARTHEST {
        return 1;
    }
    let y = (t * fixed::LOG2_E) >> 24;
    let (n, i, g) = (y >> 24, (y >> 16) as usize & 0xff, y & 0xffff);
    // Not negative and below 2^32.
    let z = ((g * fixed::LN2) >> 16) as u64;
    let squared = (z * z) >> 40;
    let cubed = (squared * z) >> 40;
    let tail = (1u64 << 40) - z + squared / 2 - cubed / 6;
    1 + ((u128::from(POWERS[i]) * u128::from(tail)) >> 62 >> n) as u64
}

/// The largest logit.
fn largest(logits: &[i32]) -> i64 {
    i64::from(logits.iter().copied().max().unwrap_or(0))
}

/// Exact for a vocabulary of up to 2^23 tokens.
fn sum(total: u64, size: u64) -> u64 {
    total.saturating_add(size)
}

/// The part of a token that a row tells.
pub(crate) fn part(logits: &[i32], token: u32) -> Part {
    let (top, token) = (largest(logits), token as usize);
    let (mut start, mut size, mut total) = (0, 1, 0);
    for (k, &logit) in logits.iter().enumerate() {
        let own = frequency(top - i64::from(logit));
        if k == token {
            (start, size) = (total, own);
        }
        total = sum(total, own);
    }
    Part { start, size, total }
}

/// The parts of all tokens, in order: sizes, and their sum.
pub(crate) fn sizes(logits: &[i32]) -> (Vec<u64>, u64) {
    let top = largest(logits);
    let sizes: Vec<u64> = logits.iter().map(|&l| frequency(top - i64::from(l))).collect();
    let total = sizes.iter().copied().fold(0, sum);
    (sizes, total)
}

/// The part of a first token without a row: all are alike.
pub(crate) fn uniform(vocab: u32, token: u32) -> Part {
    Part { start: token.into(), size: 1, total: vocab.into() }
}

/// The cost of a part, in bits, Q32.
fn cost(part: Part) -> u64 {
    let log2 = |x: u64| (i128::from(fixed::ln_q32(x)) * i128::from(fixed::LOG2_E)) >> 32;
    u64::try_from(log2(part.total) - log2(part.size)).unwrap_or(0)
}

/// A text as tokens, and its windows.
pub(crate) struct Telling {
    /// What stands before them.
    pub opening: Vec<u32>,
    /// The tokens that are told.
    pub tokens: Vec<u32>,
}

/// Tokens `from..to` of a text, of which those before `new` have been told by the window before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub from: usize,
    pub new: usize,
    pub to: usize,
}

impl Telling {
    /// The tokens of a text, if they give it back.
    pub(crate) fn new(model: &Model, text: &[u8]) -> Option<Self> {
        let tokenizer = model.tokenizer();
        let tokens = tokenizer.encode_told(text);
        let told = !tokens.is_empty() && tokenizer.decode_told(&tokens) == text;
        told.then(|| Self { opening: tokenizer.opening(), tokens })
    }

    /// Tokens of the text in a window: at least two, one that is known and one that is told.
    pub(crate) fn room(model: &Model, opening: usize) -> usize {
        let window = model.shape().context.min(WINDOW);
        window.saturating_sub(opening).max(2)
    }

    /// Tokens of a window that go through the model: the last is told and not sent.
    pub(crate) fn capacity(room: usize, opening: usize, tokens: usize) -> usize {
        opening + room.min(tokens) - 1
    }
}

/// The windows of a text of `tokens` tokens with `room` for each.
pub(crate) fn windows(tokens: usize, room: usize) -> impl Iterator<Item = Window> {
    let first = Window { from: 0, new: 0, to: room.min(tokens) };
    std::iter::successors((tokens > 0).then_some(first), move |last| {
        let from = last.to - room.min(last.to) / 2;
        let next = Window { from, new: last.to, to: (from + room).min(tokens) };
        (last.to < tokens).then_some(next)
    })
}

/// Calls `tell` with the part of each token of a text in order.
pub(crate) fn tell(
    (model, threads): (&Model, &Threads),
    text: &Telling,
    limits: &Limits,
    cancel: &AtomicBool,
    tell: &mut dyn FnMut(Part),
) -> Result<(), EngineError> {
    let Telling { opening, tokens } = text;
    let room = Telling::room(model, opening.len());
    let capacity = Telling::capacity(room, opening.len(), tokens.len());
    let mut session = Session::new(model, threads, capacity, limits)?;
    for Window { from, new, to } in windows(tokens.len(), room) {
        session.truncate(0);
        // The row after this many tokens of the window tells the first that is new.
        let known = opening.len() + new - from;
        if known == 0 {
            tell(uniform(model.info().vocab_size, tokens[0]));
        }
        let sent = [opening.as_slice(), &tokens[from..to - 1]].concat();
        let wanted = |index: usize| index + 1 >= known;
        let judge =
            |row: Row<'_>| part(row.logits, tokens[from + row.position + 1 - opening.len()]);
        session.forward(&sent, limits, cancel, &wanted, &judge)?.into_iter().for_each(&mut *tell);
    }
    Ok(())
}

/// The description length of a text under a model.
///
/// # Errors
/// [`EngineError::MemoryLimit`], [`EngineError::Deadline`], [`EngineError::Cancelled`].
pub fn score(
    model: &Model,
    threads: &Threads,
    text: &[u8],
    limits: &Limits,
    cancel: &AtomicBool,
) -> Result<Score, EngineError> {
    let Some(telling) = Telling::new(model, text) else {
        return Ok(Score { bits_q16: (8 * text.len() as u64) << 16, tokens: 0 });
    };
    let mut bits = 0u64;
    tell((model, threads), &telling, limits, cancel, &mut |part| bits += cost(part))?;
    Ok(Score { bits_q16: bits >> 16, tokens: telling.tokens.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

    #[test]
    fn frequency_is_within_its_bound_and_falls() {
        let mut last = u64::MAX;
        for t in (0..FARTHEST + 10_000).step_by(37) {
            let exact = 1.0 + (40f64.exp2()) * (-(t as f64) / 65_536.0).exp();
            let got = frequency(t);
            assert!((got as f64 - exact).abs() <= exact * 1e-7 + 1.0, "{t}: {got} {exact}");
            assert!(got <= last);
            last = got;
        }
        assert_eq!(frequency(0), (1 << 40) + 1);
        assert_eq!(frequency(FARTHEST), 1);
        assert_eq!(frequency(i64::from(u32::MAX)), 1);
    }

    #[test]
    fn cost_is_the_logarithm_of_the_frequency() {
        let row = [0i32, 65_536, -70_000, i32::MIN, 131_072];
        let e: Vec<f64> = row.iter().map(|&l| (f64::from(l) / 65_536.0).exp()).collect();
        for token in [0u32, 1, 2, 4] {
            let exact = (e.iter().sum::<f64>() / e[token as usize]).log2();
            let got = cost(part(&row, token)) as f64 / 2f64.powi(32);
            assert!((got - exact).abs() < 1e-6, "{token}: {got} {exact}");
        }
        // The least likely costs some 40 bits and never more than the total's logarithm.
        let worst = cost(part(&row, 3)) as f64 / 2f64.powi(32);
        assert!((40.0..42.0).contains(&worst), "{worst}");
    }

    proptest! {
        #[test]
        fn windows_tell_each_token_once(tokens in 0usize..500, room in 2usize..60) {
            let mut told = 0;
            for Window { from, new, to } in windows(tokens, room) {
                prop_assert_eq!(new, told);
                prop_assert!(to > new && to - from <= room && from <= new);
                // After the first window there is half a window before each token.
                prop_assert!(new == 0 || new - from == room / 2);
                told = to;
            }
            prop_assert_eq!(told, tokens);
        }

        #[test]
        fn parts_of_all_tokens_fill_the_total(
            row in prop::collection::vec(-1_000_000i32..1_000_000, 1..50),
        ) {
            let (sizes, total) = sizes(&row);
            let mut start = 0;
            for (token, &size) in (0..).zip(&sizes) {
                prop_assert_eq!(part(&row, token), Part { start, size, total });
                start += size;
            }
            prop_assert_eq!(start, total);
        }
    }
}
