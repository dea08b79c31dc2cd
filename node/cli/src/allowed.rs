// SPDX-License-Identifier: Apache-2.0
//! The operators that may run a job, where the client names them.

use crate::{account::AccountArg, chain::Chain, exit::Fault};
use anyhow::Result;
use assay_primitives::{
    api::{OfferView, OperatorView},
    job::MAX_ALLOWED_OPERATORS,
    Balance, ModelId,
};
use assay_runtime::AccountId;

/// Who may run a job.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// These; anyone who serves the model if there are none.
    pub operators: Vec<AccountId>,
    /// The price of a token at which each of them can take the job.
    pub price: Option<Balance>,
}

impl Allowed {
    /// Asks the chain about those that were named for a job of that model.
    pub async fn read(chain: &Chain, named: &[AccountArg], model: &ModelId) -> Result<Self> {
        let mut allowed = Self::default();
        for operator in named {
            let stash = operator.resolve(chain).await?;
            let view = chain.operator(&stash).await?;
            allowed.add(&stash, view.as_ref(), model)?;
        }
        Ok(allowed)
    }

    /// Adds an operator, if it can run jobs of the model.
    fn add(
        &mut self,
        stash: &AccountId,
        view: Option<&OperatorView<AccountId>>,
        model: &ModelId,
    ) -> Result<()> {
        let view = view.ok_or_else(|| {
            Fault::error(
                "operators.NotOperator",
                format!("{stash} is no operator; `assay operator list` shows those there are"),
            )
        })?;
        let serves = |offer: &&OfferView| offer.model == *model;
        let offer = view.offers.iter().find(serves).ok_or_else(|| {
            Fault::error(
                "model_not_offered",
                format!(
                    "{stash} does not serve the model {model:?}; `assay operator allocation` shows \
                     who does"
                ),
            )
        })?;
        if view.draining {
            return Err(Fault::error(
                "operators.OperatorDraining",
                format!("{stash} takes no new jobs; name another operator"),
            ));
        }
        if self.operators.contains(stash) {
            return Ok(());
        }
        self.operators.push(stash.clone());
        self.price = self.price.max(Some(offer.price));
        Ok(())
    }
}

/// The error for more operators than a job can name.
pub fn too_many(count: usize) -> anyhow::Error {
    Fault::error(
        "too_many_operators",
        format!("{count} are more than the {MAX_ALLOWED_OPERATORS} operators that a job can name"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::api::CommissionView;
    use sp_keyring::Sr25519Keyring::{Alice, Bob};

    fn model(n: u64) -> ModelId {
        ModelId::from_low_u64_be(n)
    }

    /// An operator that serves model 1 at a price.
    fn operator(stash: AccountId, price: Balance, draining: bool) -> OperatorView<AccountId> {
        OperatorView {
            payout: stash.clone(),
            worker: stash.clone(),
            stash,
            offers: vec![OfferView { model: model(1), price, context: 100 }],
            concurrency: 1,
            running: 0,
            draining,
            bonded: 0,
            delegated: 0,
            undelegating: 0,
            delegators: 0,
            reserved: 0,
            unbonding: vec![],
            commission: CommissionView::default(),
            slashes: vec![],
            contact: None,
        }
    }

    fn code(result: Result<()>) -> String {
        result.unwrap_err().downcast_ref::<Fault>().unwrap().code.to_string()
    }

    #[test]
    fn price_is_one_at_which_each_can_take_the_job() {
        let (alice, bob) = (Alice.to_account_id(), Bob.to_account_id());
        let mut allowed = Allowed::default();
        for (stash, price) in [(&alice, 5), (&bob, 9), (&alice, 5)] {
            let view = operator(stash.clone(), price, false);
            allowed.add(stash, Some(&view), &model(1)).unwrap();
        }
        assert_eq!(allowed, Allowed { operators: vec![alice, bob], price: Some(9) });
    }

    #[test]
    fn who_cannot_run_the_job_is_refused() {
        let alice = Alice.to_account_id();
        let mut allowed = Allowed::default();
        let serving = operator(alice.clone(), 5, false);
        let draining = operator(alice.clone(), 5, true);
        for (view, model, expected) in [
            (None, model(1), "operators.NotOperator"),
            (Some(&serving), model(2), "model_not_offered"),
            (Some(&draining), model(1), "operators.OperatorDraining"),
        ] {
            assert_eq!(code(allowed.add(&alice, view, &model)), expected);
        }
        assert_eq!(allowed, Allowed::default());
        assert!(too_many(17).to_string().contains("17 are more than the 16"));
    }
}
