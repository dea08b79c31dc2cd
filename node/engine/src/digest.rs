// SPDX-License-Identifier: Apache-2.0
//! Digests of the logits at every position, to which an operator commits in addition to the tokens.
//!
//! All hashes are BLAKE3 in its keyed mode, with a key that belongs to one job of one operator. So
//! nobody can turn the digests of one into those of another without the logits: the key is in each
//! leaf and not only in the root. The first byte of what is hashed says which of the three kinds of
//! hash it is.

/// Number of entries of a row that its digest covers.
pub const DIGEST_ENTRIES: usize = 16;

/// The key of the digests of one job of one operator.
pub type DigestKey = [u8; 32];

const POSITION: u8 = 0;
const OUTPUT: u8 = 1;
const ROOT: u8 = 2;

/// Returns the `count` largest entries of a row as (token id, logit), by descending logit, then
/// ascending id.
///
/// Returns all entries of a vocabulary with fewer tokens.
pub fn largest(row: &[i32], count: usize) -> Vec<(u32, i32)> {
    let count = count.min(row.len());
    let mut top: Vec<(u32, i32)> = Vec::with_capacity(count + 1);
    let mut least = i32::MIN;
    for (id, &logit) in (0u32..).zip(row) {
        // Of equal logits the earlier id comes first, so a later one must be strictly larger.
        if top.len() == count && logit <= least {
            continue;
        }
        let at = top.partition_point(|&(_, l)| l >= logit);
        top.insert(at, (id, logit));
        top.truncate(count);
        least = top.last().map_or(i32::MIN, |&(_, l)| l);
    }
    top
}

/// Returns the keyed hash of the byte 0 and the [`DIGEST_ENTRIES`] pairs of [`largest`], each as token
/// id (u32) and logit (i32, Q15.16), both little endian. The encoding is wire-stable.
pub fn position(key: &DigestKey, row: &[i32]) -> [u8; 32] {
    let mut bytes = [POSITION; 1 + 8 * DIGEST_ENTRIES];
    let top = largest(row, DIGEST_ENTRIES);
    for (out, (id, logit)) in bytes[1..].chunks_exact_mut(8).zip(&top) {
        out[..4].copy_from_slice(&id.to_le_bytes());
        out[4..].copy_from_slice(&logit.to_le_bytes());
    }
    *blake3::keyed_hash(key, &bytes[..1 + 8 * top.len()]).as_bytes()
}

/// Returns the keyed hash of the byte 1 and the output tokens, each as u32 in little endian. It covers
/// the last token, which never goes through the model. The encoding is wire-stable.
pub fn output(key: &DigestKey, tokens: &[u32]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&[OUTPUT]);
    for token in tokens {
        hasher.update(&token.to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// Returns the keyed hash of the byte 2, the digests, one for each output token in order, and the
/// digest of the [`output`]. The encoding is wire-stable.
pub fn root(key: &DigestKey, digests: &[[u8; 32]], tokens: &[u32]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&[ROOT]);
    for digest in digests {
        hasher.update(digest);
    }
    hasher.update(&output(key, tokens));
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: DigestKey = [1; 32];

    #[test]
    fn largest_orders_by_logit_then_id() {
        let row: Vec<i32> = (0..100).map(|i| (i * 37) % 11).collect();
        let mut all: Vec<(u32, i32)> = (0..).zip(row.iter().copied()).collect();
        all.sort_by_key(|&(id, logit)| (std::cmp::Reverse(logit), id));
        for count in [1, 3, DIGEST_ENTRIES, 100] {
            assert_eq!(largest(&row, count), all[..count]);
        }
        assert_eq!(largest(&row, 0), []);
    }

    #[test]
    fn largest_takes_all_of_a_small_row_and_the_least_values() {
        assert_eq!(
            largest(&[i32::MIN, i32::MAX, i32::MIN], DIGEST_ENTRIES),
            [(1, i32::MAX), (0, i32::MIN), (2, i32::MIN)]
        );
    }

    #[test]
    fn position_changes_with_any_covered_entry_and_not_with_others() {
        let mut row: Vec<i32> = (0..64).collect();
        let digest = position(&KEY, &row);
        row[0] = -5;
        assert_eq!(position(&KEY, &row), digest);
        row[60] += 1;
        assert_ne!(position(&KEY, &row), digest);
    }

    #[test]
    fn digests_of_another_key_have_nothing_in_common() {
        let row: Vec<i32> = (0..64).collect();
        let other = [2; 32];
        assert_ne!(position(&KEY, &row), position(&other, &row));
        assert_ne!(output(&KEY, &[7]), output(&other, &[7]));
        let digests = [position(&KEY, &row)];
        // Whoever knows the digests of one key alone does not know the root of another.
        assert_ne!(root(&other, &digests, &[7]), root(&other, &[position(&other, &row)], &[7]));
    }

    #[test]
    fn root_covers_every_token_and_every_digest() {
        let (digests, tokens) = ([[3; 32], [4; 32]], [5, 6]);
        let all = root(&KEY, &digests, &tokens);
        assert_ne!(root(&KEY, &digests, &[5, 7]), all, "the last token");
        assert_ne!(root(&KEY, &digests, &[5]), all);
        assert_ne!(root(&KEY, &digests[..1], &tokens), all);
        assert_ne!(root(&KEY, &[digests[1], digests[0]], &tokens), all);
    }

    #[test]
    fn tokens_do_not_pass_for_a_row() {
        let row: Vec<i32> = (0..16).collect();
        let same: Vec<u32> = largest(&row, DIGEST_ENTRIES)
            .into_iter()
            .flat_map(|(id, logit)| [id, logit as u32])
            .collect();
        assert_ne!(position(&KEY, &row), output(&KEY, &same));
    }
}
