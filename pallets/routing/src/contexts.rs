// SPDX-License-Identifier: Apache-2.0
//! The longest context that the operators of a model offer, kept without looking at the operators.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The contexts of one order of magnitude, which are those with the same highest bit.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
struct Octave {
    /// The number of operators that offer such a context.
    operators: u32,
    /// The longest context offered since the octave was last empty.
    longest: u32,
}

/// The contexts that operators offer, by order of magnitude.
///
/// The longest context is an upper bound. It is exact unless the operator that offered it has left
/// while others with contexts of the same order stay; it is then less than twice too high.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Contexts([Octave; 32]);

impl Contexts {
    /// Counts one more operator that offers this context.
    pub fn add(&mut self, context: u32) {
        let Some(octave) = self.octave(context) else { return };
        octave.operators = octave.operators.saturating_add(1);
        octave.longest = octave.longest.max(context);
    }

    /// Counts one operator less that offers this context.
    pub fn remove(&mut self, context: u32) {
        let Some(octave) = self.octave(context) else { return };
        octave.operators = octave.operators.saturating_sub(1);
        if octave.operators == 0 {
            octave.longest = 0;
        }
    }

    /// Returns the longest context; `None` where none is offered.
    pub fn longest(&self) -> Option<u32> {
        self.0.iter().rev().find(|octave| octave.operators > 0).map(|octave| octave.longest)
    }

    /// Returns the number of operators that offer a context.
    pub fn operators(&self) -> u32 {
        self.0.iter().fold(0, |sum, octave| sum.saturating_add(octave.operators))
    }

    /// Returns the octave of this context; `None` for a context of zero tokens.
    fn octave(&mut self, context: u32) -> Option<&mut Octave> {
        let order = usize::try_from(context.checked_ilog2()?).ok()?;
        self.0.get_mut(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_context_is_offered_by_nobody() {
        let mut contexts = Contexts::default();
        assert_eq!(contexts.longest(), None);
        contexts.add(0);
        assert_eq!((contexts.longest(), contexts.operators()), (None, 0));
        contexts.remove(5);
        assert_eq!(contexts, Contexts::default());
    }

    #[test]
    fn longest_is_too_long_by_less_than_a_factor_of_two() {
        let mut contexts = Contexts::default();
        contexts.add(1_024);
        contexts.add(2_047);
        contexts.remove(2_047);
        assert_eq!(contexts.longest(), Some(2_047));
        contexts.remove(1_024);
        assert_eq!(contexts.longest(), None);
    }

    proptest! {
        #[test]
        fn longest_of_what_is_left(
            offered in proptest::collection::vec((1u32.., any::<bool>()), 0..40),
        ) {
            let mut contexts = Contexts::default();
            for (context, _) in &offered {
                contexts.add(*context);
            }
            prop_assert_eq!(contexts.longest(), offered.iter().map(|(context, _)| *context).max());
            for (context, leaves) in &offered {
                if *leaves {
                    contexts.remove(*context);
                }
            }
            let left = offered.iter().filter(|(_, leaves)| !leaves).map(|(context, _)| *context);
            prop_assert_eq!(contexts.operators() as usize, left.clone().count());
            match left.max() {
                None => prop_assert_eq!(contexts, Contexts::default()),
                Some(longest) => {
                    let fits = |said| said >= longest && said / 2 < longest;
                    prop_assert!(contexts.longest().is_some_and(fits));
                }
            }
        }
    }
}
