// SPDX-License-Identifier: Apache-2.0
//! An operator's offer, as it is typed.

use crate::amount::Amount;
use std::str::FromStr;

/// A model, its price and perhaps its context, as they are typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfferArg {
    /// Id or name of the model.
    pub model: String,
    /// Price per token.
    pub price: Amount,
    /// Longest context in tokens.
    pub context: Option<u32>,
}

impl FromStr for OfferArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let (model, price, context) = match *parts.as_slice() {
            [model, price] => (model, price, None),
            [model, price, context] => (model, price, Some(context)),
            _ => {
                return Err(format!(
                    "'{text}' is not a valid offer; write MODEL,PRICE or MODEL,PRICE,CONTEXT"
                ))
            }
        };
        let context = context
            .map(|context| {
                context.parse().map_err(|_| format!("'{context}' is not a valid number of tokens"))
            })
            .transpose()?;
        Ok(Self { model: model.into(), price: price.parse()?, context })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offer_has_model_price_and_perhaps_context() {
        let offer: OfferArg = "tiny,10mASY".parse().unwrap();
        assert_eq!((offer.model.as_str(), offer.context), ("tiny", None));
        let offer: OfferArg = "tiny, 0.01, 512".parse().unwrap();
        assert_eq!((offer.price, offer.context), ("10mASY".parse().unwrap(), Some(512)));
        for bad in ["tiny", "tiny,1,2,3", "tiny,x", "tiny,1,long"] {
            assert!(bad.parse::<OfferArg>().is_err(), "{bad}");
        }
    }
}
