// SPDX-License-Identifier: Apache-2.0
//! The limits of offers, as they are typed.

use crate::amount::Amount;
use clap::Args;
use pallet_operators::Offer;

/// The most that an operator takes on in one job. It applies to every offer of the command.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct OfferLimits {
    /// Take no job that can pay more than this, down payment and tip among it [default: no limit].
    #[arg(long, value_name = "AMOUNT", requires = "offers")]
    pub max_reward: Option<Amount>,
    /// Put up no more than this for a job, which is 20 times what it can pay [default: no limit].
    #[arg(long, value_name = "AMOUNT", requires = "offers")]
    pub max_bond: Option<Amount>,
}

impl OfferLimits {
    /// Returns the offer with these limits.
    pub fn apply(self, offer: Offer) -> Offer {
        Offer {
            max_reward: self.max_reward.map_or(offer.max_reward, |amount| amount.0),
            max_bond: self.max_bond.map_or(offer.max_bond, |amount| amount.0),
            ..offer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::{ModelId, Prices};

    #[test]
    fn limits_that_are_not_typed_are_none() {
        let offer = Offer::unlimited(ModelId::zero(), Prices::default(), 1);
        assert_eq!(OfferLimits::default().apply(offer), offer);
        let limits = OfferLimits { max_reward: Some(Amount(5)), max_bond: Some(Amount(7)) };
        let limited = limits.apply(offer);
        assert_eq!((limited.max_reward, limited.max_bond), (5, 7));
    }
}
