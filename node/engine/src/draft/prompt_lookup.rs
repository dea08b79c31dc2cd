// SPDX-License-Identifier: Apache-2.0
//! Drafts from the text itself: the tokens that followed the last time that the same ones occurred.

use super::Drafter;
use crate::SampleSpec;

/// The longest run of tokens that is searched for.
const LONGEST: usize = 4;
/// The shortest run.
const SHORTEST: usize = 2;

/// A drafter that finds the last tokens earlier in input and output and drafts the ones that
/// followed them there. It works well where an output repeats its prompt: quotations, code,
/// corrections.
#[derive(Clone, Copy, Debug, Default)]
pub struct PromptLookup;

impl Drafter for PromptLookup {
    fn draft(&mut self, _sample: &SampleSpec, tokens: &[u32], count: usize) -> Vec<u32> {
        let found = (SHORTEST..=LONGEST).rev().find_map(|length| {
            let last = &tokens[tokens.len().checked_sub(length)?..];
            // The latest earlier place is used, since nearby text is most alike.
            let earlier = tokens[..tokens.len() - 1].windows(length).rposition(|w| w == last)?;
            Some(earlier + length)
        });
        let Some(from) = found else { return Vec::new() };
        // The draft may continue into itself, so a run continues.
        tokens[from..].iter().cycle().take(count).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sampling;

    fn draft(tokens: &[u32], count: usize) -> Vec<u32> {
        PromptLookup.draft(&SampleSpec::new(0, &[0; 32], Sampling::GREEDY), tokens, count)
    }

    #[test]
    fn lookup_drafts_what_followed_the_longest_latest_match() {
        assert_eq!(draft(&[1, 2, 3, 9, 2, 3, 8, 1, 2, 3], 3), [9, 2, 3]);
        assert_eq!(draft(&[2, 3, 7, 2, 3, 8, 2, 3], 1), [8]);
    }

    #[test]
    fn lookup_continues_a_run() {
        assert_eq!(draft(&[5, 5, 5], 4), [5, 5, 5, 5]);
        assert_eq!(draft(&[1, 2, 1, 2, 1, 2], 3), [1, 2, 1]);
    }

    #[test]
    fn lookup_drafts_nothing_where_nothing_repeats() {
        assert!(draft(&[1, 2, 3, 4], 4).is_empty());
        assert!(draft(&[1], 4).is_empty());
        assert!(draft(&[], 4).is_empty());
    }
}
