// SPDX-License-Identifier: Apache-2.0
//! Verifiable sampling: a pure function of the logits, the tokens before and the spec, in integers.
//!
//! The logits are those of the model with the [`Adjustments`] of the request.
//! Temperature 0 selects the largest logit. Otherwise the token is the argmax of `a_j + G_j` over
//! the candidates. Of equal scores, and of equal logits, the one with the lowest id wins.
//!
//! - `a_j = floor(l_j * 2^24 / T)` is the scaled logit in Q24, from the logit `l_j` in Q15.16 and
//!   the temperature `T` in Q16.16.
//! - `x_j` is a word of ChaCha8 (the original layout with a 64-bit counter and a 64-bit nonce)
//!   keyed by [`SampleSpec::key`]. The nonce is the position, and token j uses word `j mod 16` of
//!   block `j / 16`. The uniform number is `u_j = (2 x_j + 1) / 2^33`.
//! - `E_j = max(1, 33 LN2 - ln_q32(2 x_j + 1))` is `-ln u_j`, and `G_j = (32 LN2 - ln_q32(E_j)) >>
//!   8` is `-ln(-ln u_j)`, the Gumbel noise in Q24. `LN2` and `ln_q32` are defined in the module
//!   [`fixed`].
//! - Candidates are the tokens by descending logit, then ascending id, cut after `top_k`. Of these,
//!   the shortest prefix stays whose weights `exp_q32(a_0 - a_j)` add up to at least `top_p /
//!   65536` of the weight of all of them. At least one token stays. Of these stay those whose weight times
//!   65536 is at least `min_p` times that of the first.
//!
//! Under a [constraint](crate::constraint) the tokens that it does not allow are left out before all of this.
//!
//! `tests/golden/sampling.py` reproduces this without any code of this crate.

mod adjustments;
mod context;
pub mod fixed;

pub use adjustments::Adjustments;
pub use context::Context;

use crate::constraint::Mask;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

/// The rule by which tokens are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// Temperature in Q16.16: 65536 is 1.0, and 0 is greedy, regardless of the other two.
    pub temperature: u32,
    /// Number of the most likely tokens that are candidates; 0 means all.
    pub top_k: u32,
    /// Share of the probability that the candidates must hold, in Q0.16: 65536 or more means all,
    /// and 0 leaves the most likely token.
    pub top_p: u32,
    /// Least probability of a candidate as a share of the likeliest one's, in Q0.16: 0 means all, and
    /// 65536 or more leaves those that are as likely as the first.
    pub min_p: u32,
}

impl Sampling {
    /// Always the most likely token.
    pub const GREEDY: Self = Self { temperature: 0, top_k: 0, top_p: 65_536, min_p: 0 };
}

/// [`Sampling`] with the key of its random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleSpec {
    /// The key of ChaCha8; see [`SampleSpec::new`].
    pub key: [u8; 32],
    /// The rule by which tokens are chosen.
    pub sampling: Sampling,
}

impl SampleSpec {
    /// Returns the spec of a job. Its key is BLAKE2b-256 of `"assay/sample/1"`, the seed (u64,
    /// little endian) and the 32 bytes of the job's id.
    pub fn new(seed: u64, job: &[u8; 32], sampling: Sampling) -> Self {
        let mut bytes = b"assay/sample/1".to_vec();
        bytes.extend_from_slice(&seed.to_le_bytes());
        bytes.extend_from_slice(job);
        Self { key: blake2b_256(&bytes), sampling }
    }
}

fn blake2b_256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0u8; 32];
    let hash = blake2b_simd::Params::new().hash_length(32).hash(bytes);
    out.copy_from_slice(hash.as_bytes());
    out
}

/// Number of words in the generator's buffer: four blocks.
const WORDS: usize = 64;
/// The bound of all Gumbel numbers: `32 LN2 >> 8`.
const GUMBEL_MAX: i64 = (32 * fixed::LN2) >> 8;

/// Returns the token that a row of logits (Q15.16) chooses after these tokens.
///
/// Returns 0 for an empty row.
pub fn choose(
    row: &[i32],
    before: Context<'_>,
    spec: &SampleSpec,
    adjustments: &Adjustments,
) -> u32 {
    // A position is below the context's length, which is a u32.
    pick(&adjustments.applied(row, before), before.tokens.len() as u32, spec)
}

/// Returns the token that a row of logits (Q15.16) chooses after these tokens among the allowed ones, as [`choose`]
/// would if there were no others.
///
/// Returns 0 if none is allowed.
pub fn choose_among(
    row: &[i32],
    before: Context<'_>,
    spec: &SampleSpec,
    adjustments: &Adjustments,
    allowed: &Mask,
) -> u32 {
    let row = adjustments.applied(row, before);
    let all = (0u32..).zip(row.iter().copied()).filter(|&(token, _)| allowed.allows(token));
    pick_from(all, before.tokens.len() as u32, spec)
}

/// Returns the token that a row of logits (Q15.16) without adjustments chooses at `position`, the index of the
/// chosen token in input and output together.
///
/// Returns 0 for an empty row.
pub fn pick(row: &[i32], position: u32, spec: &SampleSpec) -> u32 {
    pick_from((0u32..).zip(row.iter().copied()), position, spec)
}

/// Returns the choice among these tokens, in the order of their ids.
fn pick_from(
    all: impl Iterator<Item = (u32, i32)> + Clone,
    position: u32,
    spec: &SampleSpec,
) -> u32 {
    let Sampling { temperature, top_k, top_p, min_p } = spec.sampling;
    if temperature == 0 {
        return argmax(all.map(|(id, l)| (id, i64::from(l)))).0;
    }
    let scaled = |logit: i32| (i64::from(logit) << 24).div_euclid(i64::from(temperature));
    let mut noise = Noise::new(&spec.key, position);
    if top_k == 0 && top_p >= 65_536 && min_p == 0 {
        return noise.best(all.map(|(id, l)| (id, scaled(l))));
    }
    let mut kept: Vec<(u32, i32)> = all.collect();
    let order = |&(id, logit): &(u32, i32)| (std::cmp::Reverse(logit), id);
    let k = top_k as usize;
    if k > 0 && k < kept.len() {
        kept.select_nth_unstable_by_key(k - 1, order);
        kept.truncate(k);
    }
    kept.sort_unstable_by_key(order);
    let mut scores: Vec<(u32, i64)> = kept.iter().map(|&(id, l)| (id, scaled(l))).collect();
    if top_p < 65_536 {
        cut_to_share(&mut scores, top_p);
    }
    if min_p > 0 {
        cut_to_likely(&mut scores, min_p);
    }
    scores.sort_unstable_by_key(|&(id, _)| id);
    noise.best(scores.iter().copied())
}

/// Keeps the shortest prefix that holds `top_p / 65536` of the weight.
fn cut_to_share(scores: &mut Vec<(u32, i64)>, top_p: u32) {
    let Some(&(_, top)) = scores.first() else { return };
    let weight = |a: i64| u128::from(fixed::exp_q32(top - a));
    let total: u128 = scores.iter().map(|&(_, a)| weight(a)).sum();
    let needed = total * u128::from(top_p);
    let mut sum = 0u128;
    let keep = scores.iter().position(|&(_, a)| {
        sum += weight(a);
        sum << 16 >= needed
    });
    scores.truncate(keep.map_or(scores.len(), |last| last + 1));
}

/// Keeps those whose weight is at least `min_p / 65536` of the first one's. More than all is all of it.
fn cut_to_likely(scores: &mut Vec<(u32, i64)>, min_p: u32) {
    let Some(&(_, top)) = scores.first() else { return };
    let weight = |a: i64| u128::from(fixed::exp_q32(top - a));
    let needed = weight(top) * u128::from(min_p.min(65_536));
    // The scores descend, and so do the weights.
    let kept = scores.partition_point(|&(_, a)| weight(a) << 16 >= needed);
    scores.truncate(kept);
}

/// Returns the first token with the largest score, and that score; (0, minimum) for none.
fn argmax(scores: impl Iterator<Item = (u32, i64)>) -> (u32, i64) {
    scores.fold((0, i64::MIN), |best, (id, s)| if s > best.1 { (id, s) } else { best })
}

/// The random words of one position.
struct Noise {
    rng: ChaCha8Rng,
    words: [u32; WORDS],
    /// The group of words that is in the buffer.
    group: Option<usize>,
}

impl Noise {
    fn new(key: &[u8; 32], position: u32) -> Self {
        let mut rng = ChaCha8Rng::from_seed(*key);
        rng.set_stream(u64::from(position));
        Self { rng, words: [0; WORDS], group: None }
    }

    fn word(&mut self, id: u32) -> u32 {
        let (group, at) = (id as usize / WORDS, id as usize % WORDS);
        if self.group != Some(group) {
            self.rng.set_word_pos((group * WORDS) as u128);
            self.words.fill_with(|| self.rng.next_u32());
            self.group = Some(group);
        }
        self.words[at]
    }

    /// Returns the argmax of score plus noise over candidates in the order of their ids. Noise is
    /// drawn only where it could win, which changes no result.
    fn best(&mut self, candidates: impl Iterator<Item = (u32, i64)> + Clone) -> u32 {
        let (likeliest, a) = argmax(candidates.clone());
        // The winner's score is at least this one.
        let floor = a.saturating_add(fixed::gumbel_q24(self.word(likeliest)));
        let mut best = (likeliest, floor);
        for (id, a) in candidates {
            if a + GUMBEL_MAX < best.1 {
                continue;
            }
            let score = a + fixed::gumbel_q24(self.word(id));
            if score > best.1 || (score == best.1 && id < best.0) {
                best = (id, score);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::{
        choose_among, fixed, pick, Adjustments, ChaCha8Rng, Context, Mask, RngCore, SampleSpec,
        Sampling, SeedableRng,
    };
    use proptest::prelude::{any, prop, prop_assert_eq, prop_oneof, proptest, Just};

    /// Computes the documented rule without any shortcut.
    fn naive(row: &[i32], position: u32, spec: &SampleSpec) -> u32 {
        naive_among((0..row.len() as u32).collect(), row, position, spec)
    }

    /// Does the same as if there were no tokens but these.
    fn naive_among(mut ids: Vec<u32>, row: &[i32], position: u32, spec: &SampleSpec) -> u32 {
        let Sampling { temperature, top_k, top_p, min_p } = spec.sampling;
        ids.sort_by_key(|&id| (std::cmp::Reverse(row[id as usize]), id));
        if temperature == 0 {
            return ids[0];
        }
        let a = |id: u32| (i64::from(row[id as usize]) << 24).div_euclid(i64::from(temperature));
        if top_k > 0 {
            ids.truncate(top_k as usize);
        }
        if top_p < 65_536 {
            let weight = |id: u32| u128::from(fixed::exp_q32(a(ids[0]) - a(id)));
            let total: u128 = ids.iter().map(|&id| weight(id)).sum();
            let mut kept = 1;
            while ids[..kept].iter().map(|&i| weight(i)).sum::<u128>() << 16 < total * top_p as u128
            {
                kept += 1;
            }
            ids.truncate(kept);
        }
        let weight = |id: u32| u128::from(fixed::exp_q32(a(ids[0]) - a(id)));
        let needed = weight(ids[0]) * u128::from(min_p.min(65_536));
        let likely: Vec<u32> =
            ids.iter().copied().filter(|&id| weight(id) << 16 >= needed).collect();
        ids = likely;
        let mut rng = ChaCha8Rng::from_seed(spec.key);
        rng.set_stream(position.into());
        let words: Vec<u32> = row.iter().map(|_| rng.next_u32()).collect();
        ids.sort_unstable();
        let score = |id: u32| a(id) + fixed::gumbel_q24(words[id as usize]);
        ids.into_iter().max_by_key(|&id| (score(id), std::cmp::Reverse(id))).unwrap()
    }

    proptest! {
        #[test]
        fn pick_equals_the_documented_rule(
            row in prop::collection::vec(-1_000_000i32..1_000_000, 1..300),
            position in any::<u32>(),
            temperature in prop_oneof![Just(0u32), 1u32..400_000],
            top_k in 0u32..50,
            top_p in prop_oneof![0u32..65_536, Just(65_536)],
            min_p in prop_oneof![Just(0u32), 0u32..65_536, Just(65_536)],
            seed in any::<u64>(),
        ) {
            let sampling = Sampling { temperature, top_k, top_p, min_p };
            let spec = SampleSpec::new(seed, &[7; 32], sampling);
            prop_assert_eq!(pick(&row, position, &spec), naive(&row, position, &spec));
        }

        #[test]
        fn choice_among_allowed_tokens_is_the_rule_without_the_others(
            row in prop::collection::vec((-1_000_000i32..1_000_000, any::<bool>()), 1..300),
            sampling in (0u32..400_000, 0u32..50, 0u32..=65_536, 0u32..=65_536),
            seed in any::<u64>(),
        ) {
            let (temperature, top_k, top_p, min_p) = sampling;
            let sampling = Sampling { temperature, top_k, top_p, min_p };
            let spec = SampleSpec::new(seed, &[7; 32], sampling);
            let allowed: Vec<u32> =
                (0..).zip(&row).filter(|(_, (_, allowed))| *allowed).map(|(id, _)| id).collect();
            let mut bits = vec![0u32; row.len().div_ceil(32)];
            allowed.iter().for_each(|&id| bits[id as usize / 32] |= 1 << (id % 32));
            let row: Vec<i32> = row.iter().map(|&(logit, _)| logit).collect();
            let mask = Mask::of(&bits, row.len());
            let before = Context { tokens: &[0, 0], input: 1 };
            let token = choose_among(&row, before, &spec, &Adjustments::NONE, &mask);
            match allowed.is_empty() {
                true => prop_assert_eq!(token, 0),
                false => prop_assert_eq!(token, naive_among(allowed, &row, 2, &spec)),
            }
        }
    }

    #[test]
    fn pick_survives_extreme_rows_and_temperatures() {
        let row = [i32::MIN, i32::MAX, i32::MIN, i32::MAX];
        for temperature in [0, 1, 65_536, u32::MAX] {
            for (top_k, top_p, min_p) in [
                (0, 65_536, 0),
                (1, 65_536, 1),
                (0, 0, 65_536),
                (3, 30_000, 9),
                (9, u32::MAX, u32::MAX),
            ] {
                let sampling = Sampling { temperature, top_k, top_p, min_p };
                let spec = SampleSpec::new(1, &[0; 32], sampling);
                assert_eq!(pick(&row, 5, &spec), naive(&row, 5, &spec));
            }
        }
        assert_eq!(pick(&[], 0, &SampleSpec::new(1, &[0; 32], Sampling::GREEDY)), 0);
    }

    #[test]
    fn pick_follows_the_softmax_distribution() {
        // The logits are ln 1, ln 2, ln 3 and ln 4, so a token's chance is a tenth of its number.
        let row: Vec<i32> =
            (1..=4).map(|n| (f64::from(n).ln() * 65_536.0).round() as i32).collect();
        let sampling = Sampling { temperature: 65_536, ..Sampling::GREEDY };
        let spec = SampleSpec::new(3, &[1; 32], sampling);
        let mut counts = [0u32; 4];
        for position in 0..40_000 {
            counts[pick(&row, position, &spec) as usize] += 1;
        }
        for (n, &count) in (1..).zip(&counts) {
            let expected = 4_000.0 * f64::from(n);
            // Five standard deviations of a binomial count.
            assert!((f64::from(count) - expected).abs() < 500.0, "{counts:?}");
        }
    }
}
