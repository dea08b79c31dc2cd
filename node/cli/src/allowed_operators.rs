// SPDX-License-Identifier: Apache-2.0
//! The operators that may run a job, if the client names some.

use crate::{account::AccountArg, chain::Chain, fault::Fault, length::Length};
use anyhow::Result;
use assay_primitives::{
    api::{OfferView, OperatorView},
    job::MAX_ALLOWED_OPERATORS,
    ModelId, Prices,
};
use assay_runtime::AccountId;

/// The operators that may run a job, and prices that suit all of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AllowedOperators {
    /// Stashes of the operators; if there are none, any operator may run the job.
    pub operators: Vec<AccountId>,
    /// Prices at which each of them can take the job.
    pub prices: Option<Prices>,
}

impl AllowedOperators {
    /// Asks the chain about the operators that were named for a job of that model, whose prompt and
    /// output have that `length` together.
    pub async fn read(
        chain: &Chain,
        named: &[AccountArg],
        model: &ModelId,
        length: Length,
    ) -> Result<Self> {
        let mut allowed = Self::default();
        for operator in named {
            let stash = operator.resolve(chain).await?;
            allowed.add(&chain.registered_operator(&stash).await?, model, length)?;
        }
        Ok(allowed)
    }

    /// Adds an operator, or fails if it cannot run the job.
    fn add(
        &mut self,
        operator: &OperatorView<AccountId>,
        model: &ModelId,
        length: Length,
    ) -> Result<()> {
        let stash = &operator.stash;
        let serves = |offer: &&OfferView| offer.model == *model;
        let offer = operator.offers.iter().find(serves).ok_or_else(|| {
            Fault::error(
                "model_not_offered",
                format!(
                    "{stash} does not serve the model {model:?}; `assay operator allocation \
                     {model:?}` shows the operators that do"
                ),
            )
        })?;
        if length.tokens() > offer.context {
            return Err(Fault::error(
                "jobs.ContextExceeded",
                format!(
                    "prompt and output have {length}, but {stash} takes at most {}; shorten \
                     the prompt, lower --max-tokens, or name another operator",
                    offer.context
                ),
            ));
        }
        if operator.draining {
            return Err(Fault::error(
                "operators.OperatorDraining",
                format!("{stash} is draining and takes no new jobs; name another operator"),
            ));
        }
        if !self.operators.contains(stash) {
            self.operators.push(stash.clone());
            self.prices = Some(self.prices.unwrap_or_default().max(offer.prices));
        }
        Ok(())
    }
}

/// Returns the error for more operators than a job can name.
pub fn too_many(count: usize) -> anyhow::Error {
    Fault::error(
        "too_many_operators",
        format!(
            "{count} operators are named, but a job can name at most {MAX_ALLOWED_OPERATORS}; name \
             fewer"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::operator::serving;
    use assay_primitives::Balance;
    use sp_keyring::Sr25519Keyring::{self, Alice, Bob};

    fn model(n: u64) -> ModelId {
        ModelId::from_low_u64_be(n)
    }

    /// Returns an operator that serves model 1 with a context of 100, at prices whose sum is 10.
    fn operator(who: Sr25519Keyring, output: Balance) -> OperatorView<AccountId> {
        let prices = Prices { input: 10 - output, output };
        serving(
            &who.to_account_id(),
            vec![OfferView {
                model: model(1),
                prices,
                context: 100,
                max_reward: Balance::MAX,
                max_bond: Balance::MAX,
            }],
        )
    }

    #[test]
    fn prices_are_those_at_which_each_can_take_the_job() {
        let mut allowed = AllowedOperators::default();
        for (who, output) in [(Alice, 5), (Bob, 9), (Alice, 5)] {
            allowed.add(&operator(who, output), &model(1), Length::Exactly(100)).unwrap();
        }
        let operators = vec![Alice.to_account_id(), Bob.to_account_id()];
        assert_eq!(
            allowed,
            AllowedOperators { operators, prices: Some(Prices { input: 5, output: 9 }) }
        );
    }

    #[test]
    fn operator_that_cannot_run_the_job_is_refused() {
        let mut allowed = AllowedOperators::default();
        let able = operator(Alice, 5);
        let draining = OperatorView { draining: true, ..able.clone() };
        for (operator, model, length, expected) in [
            (&able, model(2), 100, "model_not_offered"),
            (&able, model(1), 101, "jobs.ContextExceeded"),
            (&draining, model(1), 100, "operators.OperatorDraining"),
        ] {
            let error = allowed.add(operator, &model, Length::Exactly(length)).unwrap_err();
            assert_eq!(error.downcast_ref::<Fault>().unwrap().code, expected);
        }
        assert_eq!(allowed, AllowedOperators::default());
        assert!(too_many(17)
            .to_string()
            .contains("17 operators are named, but a job can name at most 16"));
    }
}
