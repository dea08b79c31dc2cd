// SPDX-License-Identifier: Apache-2.0
//! Slashing: taking money from an operator's stake and its delegations.
//!
//! A duty's reservation belongs to the operator and is taken from its own stake alone. Half of it
//! goes to other parties of the job, which could be the operator itself under other names, and the
//! operator must not gain what its delegators lose. An offence takes from everything at stake, pro
//! rata. Its cost does not depend on the number of delegators: the operator's own part is taken out
//! of the stash's hold, the delegators' part out of the vault's, and each delegator loses through
//! the worth of its shares.

use crate::{
    pallet::{Config, Pallet},
    pool::pro_rata,
    types::{delegation_hold, stake_hold, CreditOf, OperatorOf},
    LOG_TARGET,
};
use assay_primitives::Balance;
use frame_support::traits::{fungible::BalancedHold, Imbalance};

/// The amounts that a slash takes from each kind of stake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cut {
    /// The amount out of the operator's own bonded stake.
    pub bonded: Balance,
    /// The amount out of the operator's own stake that is being unbonded.
    pub unbonding: Balance,
    /// The amount out of the active delegations.
    pub delegated: Balance,
    /// The amount out of the delegations being taken back.
    pub undelegating: Balance,
}

impl Cut {
    /// Divides `amount` among the kinds in proportion to `there`. The operator bears the remainder
    /// of rounding, up to its own stake.
    fn of(amount: Balance, there: Self) -> Self {
        let total = there.total();
        let amount = amount.min(total);
        let share = |part: Balance| pro_rata(amount, part, total);
        let mut cut = Self {
            bonded: share(there.bonded),
            unbonding: share(there.unbonding),
            delegated: share(there.delegated),
            undelegating: share(there.undelegating),
        };
        let mut left = amount.saturating_sub(cut.total());
        for (part, most) in [
            (&mut cut.bonded, there.bonded),
            (&mut cut.unbonding, there.unbonding),
            (&mut cut.delegated, there.delegated),
            (&mut cut.undelegating, there.undelegating),
        ] {
            let more = left.min(most.saturating_sub(*part));
            *part = part.saturating_add(more);
            left = left.saturating_sub(more);
        }
        cut
    }

    /// Returns the part taken from the operator's own stake.
    pub(crate) fn own(&self) -> Balance {
        self.bonded.saturating_add(self.unbonding)
    }

    /// Returns the sum of all parts.
    pub(crate) fn total(&self) -> Balance {
        self.own().saturating_add(self.delegated).saturating_add(self.undelegating)
    }
}

impl<T: Config> Pallet<T> {
    /// Divides up to `amount` among the kinds of everything at stake.
    pub(crate) fn pro_rata_cut(operator: &OperatorOf<T>, amount: Balance) -> Cut {
        let there = Cut {
            bonded: operator.bonded,
            unbonding: operator.unbonding_total(),
            delegated: operator.delegated.active.value,
            undelegating: operator.delegated.unbonding.value,
        };
        Cut::of(amount, there)
    }

    /// Takes up to `amount` of the operator's own stake, amounts being unbonded last. The caller
    /// stores the operator.
    pub(crate) fn slash_own(
        stash: &T::AccountId,
        operator: &mut OperatorOf<T>,
        amount: Balance,
    ) -> CreditOf<T> {
        let bonded = amount.min(operator.bonded);
        let unbonding = amount.saturating_sub(bonded).min(operator.unbonding_total());
        let cut = Cut { bonded, unbonding, delegated: 0, undelegating: 0 };
        Self::slash(stash, operator, cut)
    }

    /// Takes the cut from everything at stake for the operator. The caller stores the operator.
    pub(crate) fn slash(
        stash: &T::AccountId,
        operator: &mut OperatorOf<T>,
        cut: Cut,
    ) -> CreditOf<T> {
        operator.bonded = operator.bonded.saturating_sub(cut.bonded);
        Self::cut_unbonding(operator, cut.unbonding);
        operator.delegated.active.lose(cut.delegated);
        operator.delegated.unbonding.lose(cut.undelegating);

        let own = cut.own();
        let others = cut.delegated.saturating_add(cut.undelegating);
        let from_stash = Self::slash_hold(&stake_hold::<T>(), stash, own);
        let from_vault = Self::slash_hold(&delegation_hold::<T>(), &Self::vault(), others);
        if from_stash.peek() != own || from_vault.peek() != others {
            log::error!(target: LOG_TARGET, "the stake of {stash:?} differs from its hold");
        }
        from_stash.merge(from_vault)
    }

    fn slash_hold(
        reason: &T::RuntimeHoldReason,
        who: &T::AccountId,
        amount: Balance,
    ) -> CreditOf<T> {
        if amount == 0 {
            return CreditOf::<T>::zero();
        }
        T::Currency::slash(reason, who, amount).0
    }

    /// Takes `amount` out of the amounts that the operator is unbonding, in proportion.
    fn cut_unbonding(operator: &mut OperatorOf<T>, amount: Balance) {
        let (mut left, mut rest) = (amount, operator.unbonding_total());
        for next in operator.unbonding.iter_mut() {
            // `cut` is this amount's part of the remainder, relative to the amounts from here on,
            // so that the last one takes the rest.
            let cut = pro_rata(left, next.amount, rest);
            rest = rest.saturating_sub(next.amount);
            left = left.saturating_sub(cut);
            next.amount = next.amount.saturating_sub(cut);
        }
        operator.unbonding.retain(|next| next.amount > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::Cut;
    use proptest::prelude::*;

    fn stake() -> impl Strategy<Value = u128> {
        prop_oneof![Just(0), 0..50u128, 0..1_000_000_000_000_000_000_000_000u128]
    }

    proptest! {
        #[test]
        fn cut_is_exact_and_pro_rata(
            (bonded, unbonding, delegated, undelegating) in (stake(), stake(), stake(), stake()),
            amount in stake(),
        ) {
            let there = Cut { bonded, unbonding, delegated, undelegating };
            let cut = Cut::of(amount, there);
            prop_assert_eq!(cut.total(), amount.min(there.total()));
            for (part, most) in [
                (cut.bonded, bonded),
                (cut.unbonding, unbonding),
                (cut.delegated, delegated),
                (cut.undelegating, undelegating),
            ] {
                prop_assert!(part <= most);
                let fair = super::pro_rata(cut.total(), most, there.total());
                prop_assert!(part >= fair && part <= fair + 3);
            }
        }
    }
}
