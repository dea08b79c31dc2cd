// SPDX-License-Identifier: Apache-2.0
//! Slashing: taking money from what is at stake for an operator.
//!
//! What a duty reserves is the operator's own and is taken from that alone: half of it goes to other
//! parties of the job, who could be the operator itself by other names, and it must not gain what its
//! delegators lose. An offence takes from all that is at stake, pro rata. That costs the same however
//! many have delegated: the operator's own stake is taken out of the stash's hold, the delegators'
//! out of the vault's, and each of them loses by what its shares are worth.

use crate::{
    pallet::{Config, Pallet},
    pool::pro_rata,
    types::{delegation_hold, stake_hold, CreditOf, OperatorOf},
    LOG_TARGET,
};
use assay_primitives::Balance;
use frame_support::traits::{fungible::BalancedHold, Imbalance};

/// What a slash takes from each kind of stake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cut {
    /// From the operator's own.
    pub bonded: Balance,
    /// From its own that is being unbonded.
    pub unbonding: Balance,
    /// From what is delegated.
    pub delegated: Balance,
    /// From what delegators take back.
    pub undelegating: Balance,
}

impl Cut {
    /// Cuts `amount` of what is there, in proportion. What rounding leaves is the operator's to bear,
    /// as far as it has it.
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

    /// What it takes of the operator's own.
    pub(crate) fn own(&self) -> Balance {
        self.bonded.saturating_add(self.unbonding)
    }

    /// All that it takes.
    pub(crate) fn total(&self) -> Balance {
        self.own().saturating_add(self.delegated).saturating_add(self.undelegating)
    }
}

impl<T: Config> Pallet<T> {
    /// What taking up to `amount` of all that is at stake takes of each kind.
    pub(crate) fn pro_rata_cut(operator: &OperatorOf<T>, amount: Balance) -> Cut {
        let there = Cut {
            bonded: operator.bonded,
            unbonding: operator.unbonding_total(),
            delegated: operator.delegated.active.value,
            undelegating: operator.delegated.unbonding.value,
        };
        Cut::of(amount, there)
    }

    /// Takes up to `amount` of the operator's own stake, what is being unbonded last. The caller
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

    /// Takes that of what is at stake for the operator. The caller stores the operator.
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
            log::error!(target: LOG_TARGET, "the stake of {stash:?} is not what is on hold");
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

    /// Takes `amount` of what the operator is unbonding, from each amount in proportion.
    fn cut_unbonding(operator: &mut OperatorOf<T>, amount: Balance) {
        let (mut left, mut rest) = (amount, operator.unbonding_total());
        for next in operator.unbonding.iter_mut() {
            // Of what is left, the part of this amount in those from here on: the last takes all.
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
