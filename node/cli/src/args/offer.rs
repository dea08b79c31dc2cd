// SPDX-License-Identifier: Apache-2.0
//! An operator's offer, as it is typed.

use super::prices::PricesArg;
use assay_primitives::Prices;
use std::str::FromStr;

/// A model, its prices and perhaps its context, as they are typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfferArg {
    /// Id or name of the model.
    pub model: String,
    /// Prices per token.
    pub prices: Prices,
    /// Longest context in tokens.
    pub context: Option<u32>,
}

impl FromStr for OfferArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let (model, prices, context) = match *parts.as_slice() {
            [model, prices] => (model, prices, None),
            [model, prices, context] => (model, prices, Some(context)),
            _ => {
                return Err(format!(
                    "'{text}' is not a valid offer; write MODEL,PRICES or MODEL,PRICES,CONTEXT, with PRICES like 1mASY/10mASY"
                ))
            }
        };
        let context = context
            .map(|context| {
                context.parse().map_err(|_| format!("'{context}' is not a valid number of tokens"))
            })
            .transpose()?;
        Ok(Self { model: model.into(), prices: prices.parse::<PricesArg>()?.0, context })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_runtime::UNIT;

    #[test]
    fn offer_has_model_prices_and_perhaps_context() {
        let offer: OfferArg = "tiny,10mASY".parse().unwrap();
        assert_eq!((offer.model.as_str(), offer.context), ("tiny", None));
        let offer: OfferArg = "tiny, 1mASY/0.01, 512".parse().unwrap();
        let prices = Prices { input: UNIT / 1_000, output: UNIT / 100 };
        assert_eq!((offer.prices, offer.context), (prices, Some(512)));
        for bad in ["tiny", "tiny,1,2,3", "tiny,x", "tiny,1,long", "tiny,1/2/3"] {
            assert!(bad.parse::<OfferArg>().is_err(), "{bad}");
        }
    }
}
