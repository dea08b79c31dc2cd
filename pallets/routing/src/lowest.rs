// SPDX-License-Identifier: Apache-2.0
//! The lowest prices that the operators of a model ask, kept without looking at the operators.

use assay_primitives::{Balance, Prices};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// The prices of one order of magnitude, which are those with the same number of bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
struct Octave {
    /// The number of bits of the price.
    order: u8,
    /// The number of operators that ask such a price.
    operators: u32,
    /// The lowest price asked since the octave was last empty.
    lowest: Balance,
}

/// The prices of one kind that operators ask, by order of magnitude, without empty octaves.
///
/// The lowest price is a lower bound. It is exact unless the operator that asked it has left while
/// others with prices of the same order stay; it is then less than twice too low.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Octaves(BoundedVec<Octave, ConstU32<{ Balance::BITS + 1 }>>);

impl Octaves {
    /// Counts one more operator that asks this price.
    fn add(&mut self, price: Balance) {
        let order = order_of(price);
        match self.0.binary_search_by_key(&order, |octave| octave.order) {
            Ok(at) => {
                if let Some(octave) = self.0.get_mut(at) {
                    octave.operators = octave.operators.saturating_add(1);
                    octave.lowest = octave.lowest.min(price);
                }
            }
            Err(at) => {
                let octave = Octave { order, operators: 1, lowest: price };
                // There is room for every order.
                let _ = self.0.try_insert(at, octave);
            }
        }
    }

    /// Counts one operator less that asks this price.
    fn remove(&mut self, price: Balance) {
        let order = order_of(price);
        let Ok(at) = self.0.binary_search_by_key(&order, |octave| octave.order) else { return };
        let Some(octave) = self.0.get_mut(at) else { return };
        octave.operators = octave.operators.saturating_sub(1);
        if octave.operators == 0 {
            self.0.remove(at);
        }
    }

    /// Returns the lowest price; `None` where none is asked.
    fn price(&self) -> Option<Balance> {
        self.0.first().map(|octave| octave.lowest)
    }

    /// Returns the number of operators that ask a price.
    fn operators(&self) -> u32 {
        self.0.iter().fold(0, |sum, octave| sum.saturating_add(octave.operators))
    }
}

/// Returns the number of bits of a price.
fn order_of(price: Balance) -> u8 {
    // At most 128.
    let bits = price.checked_ilog2().map_or(0, |highest| highest.saturating_add(1));
    u8::try_from(bits).unwrap_or(u8::MAX)
}

/// The prices of both kinds that operators ask for the tokens of a model.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct LowestPrices {
    input: Octaves,
    output: Octaves,
}

impl LowestPrices {
    /// Counts one more operator that asks these prices.
    pub fn add(&mut self, prices: Prices) {
        self.input.add(prices.input);
        self.output.add(prices.output);
    }

    /// Counts one operator less that asks these prices.
    pub fn remove(&mut self, prices: Prices) {
        self.input.remove(prices.input);
        self.output.remove(prices.output);
    }

    /// Returns the lowest price of each kind, perhaps of different operators: no operator asks less
    /// for any job. Returns `None` where no operator asks prices.
    pub fn prices(&self) -> Option<Prices> {
        Some(Prices { input: self.input.price()?, output: self.output.price()? })
    }

    /// Returns the number of operators that ask prices.
    pub fn operators(&self) -> u32 {
        self.output.operators()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nobody_asks_no_price() {
        let mut lowest = LowestPrices::default();
        assert_eq!(lowest.prices(), None);
        lowest.remove(Prices { input: 1, output: 2 });
        assert_eq!(lowest, LowestPrices::default());
    }

    #[test]
    fn lowest_of_each_kind_can_be_of_different_operators() {
        let mut lowest = LowestPrices::default();
        lowest.add(Prices { input: 0, output: 100 });
        lowest.add(Prices { input: 50, output: 7 });
        assert_eq!(lowest.prices(), Some(Prices { input: 0, output: 7 }));
        assert_eq!(lowest.operators(), 2);
        lowest.remove(Prices { input: 0, output: 100 });
        assert_eq!(lowest.prices(), Some(Prices { input: 50, output: 7 }));
    }

    proptest! {
        #[test]
        fn lowest_of_what_is_left_is_less_than_twice_too_low(
            asked in proptest::collection::vec((any::<Balance>(), 0..128u32, any::<bool>()), 0..200),
        ) {
            let mut lowest = Octaves::default();
            let asked: Vec<_> =
                asked.into_iter().map(|(price, shift, leaves)| (price >> shift, leaves)).collect();
            for (price, _) in &asked {
                lowest.add(*price);
            }
            prop_assert_eq!(lowest.price(), asked.iter().map(|(price, _)| *price).min());
            for (price, leaves) in &asked {
                if *leaves {
                    lowest.remove(*price);
                }
            }
            let left = asked.iter().filter(|(_, leaves)| !leaves).map(|(price, _)| *price);
            prop_assert_eq!(lowest.operators() as usize, left.clone().count());
            match left.min() {
                None => prop_assert_eq!(lowest, Octaves::default()),
                Some(price) => {
                    let fits = |said: Balance| said <= price && price / 2 <= said;
                    prop_assert!(lowest.price().is_some_and(fits));
                }
            }
        }
    }
}
