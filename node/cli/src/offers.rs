// SPDX-License-Identifier: Apache-2.0
//! The offers of an operator, from those that are typed.

use crate::{
    args::{self, OfferArg, OfferLimits},
    fault::Fault,
    models::Models,
    session::Session,
};
use anyhow::Result;
use assay_primitives::{
    api::{OfferView, OperatorView},
    ModelId, Prices,
};
use assay_runtime::{AccountId, Runtime};
use pallet_operators::{Offer, OffersOf};

/// Resolves the models of offers that are typed.
pub async fn read(
    session: &Session,
    typed: &[OfferArg],
    limits: OfferLimits,
) -> Result<OffersOf<Runtime>> {
    let known = Models::of_node(&session.chain).await?;
    let mut offers = Vec::new();
    for arg in typed {
        // A complete id may be new to the chain.
        let (model, own) = match args::id(&arg.model) {
            Ok(id) => (id, known.find(&arg.model).ok().and_then(|model| model.context)),
            Err(_) => {
                let model = known.find(&arg.model)?;
                (model.id, model.context)
            }
        };
        offers.push(limits.apply(offer(model, arg, own)?));
    }
    as_many(offers)
}

/// Returns the offer of a model; `own` is the model's own context, if the node has the model.
fn offer(model: ModelId, arg: &OfferArg, own: Option<u32>) -> Result<Offer> {
    let context = arg.context.or(own).ok_or_else(|| {
        Fault::error(
            "context_unknown",
            format!(
                "the node does not have the model {model:?}, so its context must be given: --offer \
                 MODEL,PRICES,CONTEXT"
            ),
        )
    })?;
    Ok(Offer::unlimited(model, arg.prices, context))
}

/// Bounds the list, or fails if it has more offers than an operator can have.
fn as_many(offers: Vec<Offer>) -> Result<OffersOf<Runtime>> {
    let count = offers.len();
    OffersOf::<Runtime>::try_from(offers).map_err(|_| {
        Fault::error(
            "too_many_offers",
            format!(
                "{count} offers are given, but an operator can have at most {}; give fewer",
                OffersOf::<Runtime>::bound()
            ),
        )
    })
}

/// Returns the operator's offers with other prices for one model.
pub fn repriced(
    operator: &OperatorView<AccountId>,
    model: &ModelId,
    prices: Prices,
) -> Result<OffersOf<Runtime>> {
    if !operator.offers.iter().any(|offer| offer.model == *model) {
        return Err(Fault::error(
            "model_not_offered",
            format!(
                "{} does not serve the model {model:?}; `assay operator models` shows those it does",
                operator.stash
            ),
        ));
    }
    let offer = |offer: &OfferView| Offer {
        model: offer.model,
        prices: if offer.model == *model { prices } else { offer.prices },
        context: offer.context,
        max_reward: offer.max_reward,
        max_bond: offer.max_bond,
    };
    // The number of offers stays the same.
    Ok(OffersOf::<Runtime>::truncate_from(operator.offers.iter().map(offer).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view;
    use sp_keyring::Sr25519Keyring;

    fn model(n: u64) -> ModelId {
        ModelId::from_low_u64_be(n)
    }

    fn code<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.unwrap_err().downcast::<Fault>().unwrap().code
    }

    #[test]
    fn repriced_changes_one_offer_and_keeps_the_others() {
        let alice = Sr25519Keyring::Alice.to_account_id();
        let prices = |output| Prices { input: 1, output };
        let offer = |n, output| OfferView {
            model: model(n),
            prices: prices(output),
            context: 100,
            max_reward: 7,
            max_bond: 9,
        };
        let operator = view::operator::serving(&alice, vec![offer(1, 5), offer(2, 6)]);
        let offers = repriced(&operator, &model(2), prices(9)).unwrap();
        let changed: Vec<_> =
            offers.iter().map(|offer| (offer.prices.output, offer.context)).collect();
        assert_eq!(changed, [(5, 100), (9, 100)]);
        assert!(offers.iter().all(|offer| (offer.max_reward, offer.max_bond) == (7, 9)));
        assert_eq!(code(repriced(&operator, &model(3), prices(9))), "model_not_offered");
    }

    #[test]
    fn context_is_the_typed_one_or_that_of_the_node() {
        let context = |text: &str, own| {
            Ok::<_, anyhow::Error>(offer(model(1), &text.parse().unwrap(), own)?.context)
        };
        assert_eq!(context("tiny,10mASY,512", Some(2_048)).unwrap(), 512);
        assert_eq!(context("tiny,10mASY", Some(2_048)).unwrap(), 2_048);
        assert_eq!(code(context("tiny,10mASY", None)), "context_unknown");
    }

    #[test]
    fn offers_beyond_the_limit_are_refused() {
        let offers = |count: usize| vec![Offer::unlimited(model(1), Prices::default(), 1); count];
        let limit = OffersOf::<Runtime>::bound();
        assert_eq!(as_many(offers(limit)).unwrap().len(), limit);
        assert_eq!(code(as_many(offers(limit + 1))), "too_many_offers");
    }
}
