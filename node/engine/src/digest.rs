// SPDX-License-Identifier: Apache-2.0
//! Digests of the logits at every position, to which an operator commits in addition to the tokens.

/// Number of entries of a row that its digest covers.
pub const DIGEST_ENTRIES: usize = 16;

/// Returns the largest entries of a row as (token id, logit), by descending logit, then ascending
/// id.
///
/// Returns all entries of a vocabulary with fewer than [`DIGEST_ENTRIES`] tokens.
pub fn largest(row: &[i32]) -> Vec<(u32, i32)> {
    let mut top: Vec<(u32, i32)> = Vec::with_capacity(DIGEST_ENTRIES + 1);
    let mut least = i32::MIN;
    for (id, &logit) in (0u32..).zip(row) {
        // Of equal logits the earlier id comes first, so a later one must be strictly larger.
        if top.len() == DIGEST_ENTRIES && logit <= least {
            continue;
        }
        let at = top.partition_point(|&(_, l)| l >= logit);
        top.insert(at, (id, logit));
        top.truncate(DIGEST_ENTRIES);
        least = top.last().map_or(i32::MIN, |&(_, l)| l);
    }
    top
}

/// Returns BLAKE2b-256 over the pairs of [`largest`], each as token id (u32) and logit (i32,
/// Q15.16), both little endian. The encoding is wire-stable.
pub fn position(row: &[i32]) -> [u8; 32] {
    let mut bytes = [0u8; 8 * DIGEST_ENTRIES];
    let top = largest(row);
    for (out, (id, logit)) in bytes.chunks_exact_mut(8).zip(&top) {
        out[..4].copy_from_slice(&id.to_le_bytes());
        out[4..].copy_from_slice(&logit.to_le_bytes());
    }
    blake2b_256(&bytes[..8 * top.len()])
}

/// Returns BLAKE3 of the concatenated digests, one for each output token in order. The encoding is
/// wire-stable.
pub fn root(digests: &[[u8; 32]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for digest in digests {
        hasher.update(digest);
    }
    *hasher.finalize().as_bytes()
}

pub(crate) fn blake2b_256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0u8; 32];
    let hash = blake2b_simd::Params::new().hash_length(32).hash(bytes);
    out.copy_from_slice(hash.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_orders_by_logit_then_id() {
        let row: Vec<i32> = (0..100).map(|i| (i * 37) % 11).collect();
        let mut all: Vec<(u32, i32)> = (0..).zip(row.iter().copied()).collect();
        all.sort_by_key(|&(id, logit)| (std::cmp::Reverse(logit), id));
        assert_eq!(largest(&row), all[..DIGEST_ENTRIES]);
    }

    #[test]
    fn largest_takes_all_of_a_small_row_and_the_least_values() {
        assert_eq!(
            largest(&[i32::MIN, i32::MAX, i32::MIN]),
            [(1, i32::MAX), (0, i32::MIN), (2, i32::MIN)]
        );
    }

    #[test]
    fn position_changes_with_any_covered_entry_and_not_with_others() {
        let mut row: Vec<i32> = (0..64).collect();
        let digest = position(&row);
        row[0] = -5;
        assert_eq!(position(&row), digest);
        row[60] += 1;
        assert_ne!(position(&row), digest);
    }
}
