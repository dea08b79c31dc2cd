// SPDX-License-Identifier: Apache-2.0
//! The costs of jobs, and the bonds that stand against them.

use crate::{types::Job, Config, Pallet};
use assay_primitives::{
    job::{JobSpec, ModelId},
    traits::Routing,
    Balance, FeeTerms, Prices,
};
use frame_support::traits::Get;
use sp_runtime::{
    helpers_128bit::multiply_by_rational_with_rounding, traits::Saturating, Permill, Rounding,
};

impl<T: Config> Pallet<T> {
    /// Returns the lowest cost of a job of this size that [`Pallet::create`] takes: no operator of
    /// the model asks less, and the job can pay its own check. Returns `None` where no operator
    /// serves the model.
    pub(crate) fn least_cost(
        model: &ModelId,
        input_tokens: u32,
        max_tokens: u32,
    ) -> Option<Balance> {
        let offered = T::Routing::lowest_prices(model)?.of(input_tokens, max_tokens);
        Some(offered.max(Self::least_price(input_tokens, max_tokens)))
    }

    /// Returns the most that a job of this size costs at `prices`.
    pub(crate) fn cost_at(prices: Prices, input_tokens: u32, max_tokens: u32) -> Balance {
        prices.of(input_tokens, max_tokens).max(Self::least_price(input_tokens, max_tokens))
    }

    /// Returns the price of the job's prompt and an output of `tokens`: what `prices` say, at least
    /// what its check costs, and at most the client's cap.
    pub(crate) fn price_of(job: &Job<T::AccountId>, prices: Prices, tokens: u32) -> Balance {
        Self::cost_at(prices, job.spec.input_tokens, tokens).min(job.payment.cost)
    }

    /// Returns what the client pays for an output of `tokens`. The operator's bond is a multiple of
    /// that.
    pub(crate) fn reward_of(job: &Job<T::AccountId>, prices: Prices, tokens: u32) -> Balance {
        Self::price_of(job, prices, tokens)
            .saturating_add(job.payment.down)
            .saturating_add(job.payment.tip)
    }

    /// Returns the most that the client pays for the job at `prices`.
    pub(crate) fn reward_at(job: &Job<T::AccountId>, prices: Prices) -> Balance {
        Self::reward_of(job, prices, job.spec.max_tokens)
    }

    /// Returns the bond that stands against a reward.
    pub(crate) fn bond_of(reward: Balance) -> Balance {
        reward.saturating_mul(T::BondFactor::get().into())
    }

    /// Returns what is taken of a payment for nobody, to be burnt or kept by the fund of juries.
    pub(crate) fn burnt_of(payment: Balance) -> Balance {
        T::BurnShare::get().mul_floor(payment)
    }

    /// Returns what is levied on the job at its end, for an output of `tokens`.
    pub(crate) fn levy_of(job: &Job<T::AccountId>, prices: Prices, tokens: u32) -> Balance {
        let price = Self::price_of(job, prices, tokens);
        Self::burnt_of(price).saturating_add(Self::burnt_of(job.payment.tip))
    }

    /// Returns the fee of each verifier of an output of `tokens`.
    pub(crate) fn fee_of(job: &Job<T::AccountId>, prices: Prices, tokens: u32) -> Balance {
        let price = Self::price_of(job, prices, tokens);
        Self::fee_terms().fee(job.spec.input_tokens, tokens, price)
    }

    fn fee_terms() -> FeeTerms {
        FeeTerms { share: T::VerifierShare::get(), least: T::VerificationPrice::get() }
    }

    /// Returns the most that the committee of a job of this size costs, if the client pays at most
    /// `cost` for the output.
    pub(crate) fn audit_at(input_tokens: u32, max_tokens: u32, cost: Balance) -> Balance {
        let fee = Self::fee_terms().fee(input_tokens, max_tokens, cost);
        fee.saturating_mul(T::CommitteeSize::get().into())
    }

    /// Returns the most that the audit costs that the job asks for, with a payment of at most `cost`;
    /// nothing if it asks for none.
    pub(crate) fn audit_of(spec: &JobSpec<T::AccountId>, cost: Balance) -> Balance {
        if spec.audit {
            Self::audit_at(spec.input_tokens, spec.max_tokens, cost)
        } else {
            0
        }
    }

    /// Returns the lowest price of any output: it pays a whole committee after a part was burnt.
    fn least_price(input_tokens: u32, tokens: u32) -> Balance {
        let fee = Self::fee_terms().least_fee(input_tokens, tokens);
        let fees = fee.saturating_mul(T::CommitteeSize::get().into());
        before_burn(fees, T::BurnShare::get())
    }
}

/// Returns a payment of which at least `rest` is left after `burnt` of it is burnt; the largest
/// balance where there is none.
fn before_burn(rest: Balance, burnt: Permill) -> Balance {
    let kept = Permill::one().saturating_sub(burnt).deconstruct();
    if kept == 0 {
        return Balance::MAX;
    }
    let all = Permill::one().deconstruct();
    multiply_by_rational_with_rounding(rest, all.into(), kept.into(), Rounding::Up)
        .unwrap_or(Balance::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn payment_before_a_burn_is_what_it_leaves_and_the_burnt_part() {
        assert_eq!(before_burn(0, Permill::from_percent(5)), 0);
        assert_eq!(before_burn(95, Permill::from_percent(5)), 100);
        assert_eq!(before_burn(100, Permill::zero()), 100);
        assert_eq!(before_burn(1, Permill::one()), Balance::MAX);
    }

    proptest! {
        #[test]
        fn payment_before_a_burn_leaves_the_rest(rest in 0..u128::MAX / 4, percent in 0..=20u32) {
            let burnt = Permill::from_percent(percent);
            let payment = before_burn(rest, burnt);
            prop_assert!(payment - burnt.mul_floor(payment) >= rest);
            prop_assert!(payment <= rest + rest / 4 + 2);
        }
    }
}
