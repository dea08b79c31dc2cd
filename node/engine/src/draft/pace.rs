// SPDX-License-Identifier: Apache-2.0
//! The number of tokens to draft.

/// The most tokens in a draft: with the token before them they fill two groups of a kernel.
const LONGEST: usize = 15;
/// The length of the first draft.
const FIRST: usize = 4;
/// The longest rest in steps.
const LONGEST_REST: u32 = 64;
/// One token, in the units of the gain.
const ONE: usize = 256;

/// The length of drafts, which grow while they stand and shrink to the part that stood. While they
/// gain less than half a token on average, each failure is followed by a rest, twice as long each
/// time. A pass of a few tokens costs more than a pass of one, so a drafter that is mostly wrong
/// must cost few steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    length: usize,
    /// The tokens that a draft gains: an average in which the last draft has a weight of an eighth.
    gain: usize,
    rest: u32,
    next_rest: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { length: FIRST, gain: ONE, rest: 0, next_rest: 1 }
    }
}

impl Pace {
    /// Returns the number of tokens to draft now.
    pub(crate) fn length(&self) -> usize {
        if self.rest == 0 {
            self.length
        } else {
            0
        }
    }

    /// Counts a step without a draft.
    pub(crate) fn step(&mut self) {
        self.rest = self.rest.saturating_sub(1);
    }

    /// Records that `stood` of `sent` drafted tokens were right.
    pub(crate) fn learn(&mut self, sent: usize, stood: usize) {
        self.gain = (7 * self.gain + ONE * stood) / 8;
        self.length = if stood == sent { (2 * self.length).min(LONGEST) } else { stood.max(1) };
        if self.gain >= ONE / 2 {
            self.next_rest = 1;
        } else if stood < sent {
            self.rest = self.next_rest;
            self.next_rest = (2 * self.next_rest).min(LONGEST_REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_of_a_drafter_that_is_always_wrong_costs_few_rows() {
        let (mut pace, mut wasted) = (Pace::default(), 0);
        for _ in 0..1000 {
            match pace.length() {
                0 => pace.step(),
                sent => {
                    wasted += sent;
                    pace.learn(sent, 0);
                }
            }
        }
        // It drafts once in LONGEST_REST steps, and a few times at the beginning.
        assert!(wasted <= 1000 / LONGEST_REST as usize + 16, "{wasted}");
    }

    #[test]
    fn pace_grows_while_drafts_stand_and_shrinks_to_what_stood() {
        let mut pace = Pace::default();
        for expected in [4, 8, 15, 15] {
            assert_eq!(pace.length(), expected);
            pace.learn(expected, expected);
        }
        pace.learn(15, 3);
        assert_eq!(pace.length(), 3);
        pace.learn(3, 0);
        assert_eq!(pace.length(), 1);
    }

    #[test]
    fn pace_drafts_again_when_drafts_stand_again() {
        let mut pace = Pace::default();
        let mut step = |stands: bool| match pace.length() {
            0 => {
                pace.step();
                false
            }
            sent => {
                pace.learn(sent, if stands { sent } else { 0 });
                true
            }
        };
        let failed = (0..1000).filter(|_| step(false)).count();
        assert!(failed < 100, "{failed}");
        let drafts = (0..300).filter(|_| step(true)).count();
        // There is at most one long rest.
        assert!(drafts >= 300 - LONGEST_REST as usize, "{drafts}");
    }
}
