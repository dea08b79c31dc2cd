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
    /// Asks the chain about those that were named for a job of that model, whose prompt and output
    /// have `length` tokens together.
    pub async fn read(
        chain: &Chain,
        named: &[AccountArg],
        model: &ModelId,
        length: u32,
    ) -> Result<Self> {
        let mut allowed = Self::default();
        for operator in named {
            let stash = operator.resolve(chain).await?;
            allowed.add(&chain.registered_operator(&stash).await?, model, length)?;
        }
        Ok(allowed)
    }

    /// Adds an operator, if it can run the job.
    fn add(
        &mut self,
        operator: &OperatorView<AccountId>,
        model: &ModelId,
        length: u32,
    ) -> Result<()> {
        let stash = &operator.stash;
        let serves = |offer: &&OfferView| offer.model == *model;
        let offer = operator.offers.iter().find(serves).ok_or_else(|| {
            Fault::error(
                "model_not_offered",
                format!(
                    "{stash} does not serve the model {model:?}; `assay operator allocation \
                     {model:?}` shows who does"
                ),
            )
        })?;
        if length > offer.context {
            return Err(Fault::error(
                "jobs.ContextExceeded",
                format!(
                    "prompt and output have {length} tokens, {stash} takes {} of them; shorten the \
                     prompt, lower --max-tokens, or name another operator",
                    offer.context
                ),
            ));
        }
        if operator.draining {
            return Err(Fault::error(
                "operators.OperatorDraining",
                format!("{stash} takes no new jobs; name another operator"),
            ));
        }
        if !self.operators.contains(stash) {
            self.operators.push(stash.clone());
            self.price = self.price.max(Some(offer.price));
        }
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
    use crate::view::operator::serving;
    use sp_keyring::Sr25519Keyring::{self, Alice, Bob};

    fn model(n: u64) -> ModelId {
        ModelId::from_low_u64_be(n)
    }

    /// An operator that serves model 1 with a context of 100, at a price.
    fn operator(who: Sr25519Keyring, price: Balance) -> OperatorView<AccountId> {
        serving(&who.to_account_id(), vec![OfferView { model: model(1), price, context: 100 }])
    }

    #[test]
    fn price_is_one_at_which_each_can_take_the_job() {
        let mut allowed = Allowed::default();
        for (who, price) in [(Alice, 5), (Bob, 9), (Alice, 5)] {
            allowed.add(&operator(who, price), &model(1), 100).unwrap();
        }
        let operators = vec![Alice.to_account_id(), Bob.to_account_id()];
        assert_eq!(allowed, Allowed { operators, price: Some(9) });
    }

    #[test]
    fn who_cannot_run_the_job_is_refused() {
        let mut allowed = Allowed::default();
        let able = operator(Alice, 5);
        let draining = OperatorView { draining: true, ..able.clone() };
        for (operator, model, length, expected) in [
            (&able, model(2), 100, "model_not_offered"),
            (&able, model(1), 101, "jobs.ContextExceeded"),
            (&draining, model(1), 100, "operators.OperatorDraining"),
        ] {
            let error = allowed.add(operator, &model, length).unwrap_err();
            assert_eq!(error.downcast_ref::<Fault>().unwrap().code, expected);
        }
        assert_eq!(allowed, Allowed::default());
        assert!(too_many(17).to_string().contains("17 are more than the 16"));
    }
}
