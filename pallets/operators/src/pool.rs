// SPDX-License-Identifier: Apache-2.0
//! Pools of money that belong to many accounts by shares, so that a gain or a loss of all costs as
//! much as a gain or a loss of one.

use assay_primitives::Balance;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};

/// A part of a [`Pool`].
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Shares {
    /// The number of shares.
    pub count: Balance,
    /// The round of the pool that the shares belong to.
    pub round: u32,
}

impl Shares {
    /// Adds shares of the same pool. Shares of an earlier round are worth nothing and are replaced.
    pub fn add(&mut self, other: Self) {
        if self.round == other.round {
            self.count = self.count.saturating_add(other.count);
        } else {
            *self = other;
        }
    }
}

/// Money that belongs to the holders of its shares, in proportion. All rounding favours the pool,
/// which belongs to those that stay.
///
/// A pool that loses everything begins a new round. The shares of earlier rounds are worth nothing,
/// and an account that joins later shares with none of those that lost.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Pool {
    /// The amount of money.
    pub value: Balance,
    /// The number of shares; zero exactly when the pool has no money.
    pub shares: Balance,
    /// The number of times that everything was lost.
    pub round: u32,
}

impl Pool {
    /// Returns the worth of the shares.
    pub fn worth(&self, shares: Shares) -> Balance {
        if shares.round != self.round {
            return 0;
        }
        multiply_by_rational_with_rounding(
            self.value,
            shares.count.min(self.shares),
            self.shares,
            Rounding::Down,
        )
        .unwrap_or(0)
    }

    /// Returns as many of these shares as are worth `amount`; all of them if they are worth no
    /// more.
    pub fn part_for(&self, shares: Shares, amount: Balance) -> Shares {
        let needed =
            multiply_by_rational_with_rounding(amount, self.shares, self.value, Rounding::Up);
        let count = if amount < self.worth(shares) { needed } else { None };
        Shares { count: count.unwrap_or(shares.count).min(shares.count), ..shares }
    }

    /// Puts money in and returns the shares for it. Returns `None` and changes nothing if the
    /// amount buys no share, or more than a pool can have.
    pub fn join(&mut self, amount: Balance) -> Option<Shares> {
        let count = if self.shares == 0 {
            amount
        } else {
            multiply_by_rational_with_rounding(amount, self.shares, self.value, Rounding::Down)?
        };
        if count == 0 {
            return None;
        }
        let (value, shares) = (self.value.checked_add(amount)?, self.shares.checked_add(count)?);
        (self.value, self.shares) = (value, shares);
        Some(Shares { count, round: self.round })
    }

    /// Takes shares out of the pool and returns their worth.
    pub fn leave(&mut self, shares: Shares) -> Balance {
        let worth = self.worth(shares);
        if shares.round == self.round {
            self.value = self.value.saturating_sub(worth);
            self.shares = self.shares.saturating_sub(shares.count);
        }
        worth
    }

    /// Adds to the worth of all shares and returns the amount added. A pool without shares takes
    /// nothing.
    pub fn gain(&mut self, amount: Balance) -> Balance {
        let taken = if self.shares > 0 { amount } else { 0 };
        self.value = self.value.saturating_add(taken);
        taken
    }

    /// Takes from the worth of all shares.
    pub fn lose(&mut self, amount: Balance) {
        if amount == 0 {
            return;
        }
        self.value = self.value.saturating_sub(amount);
        if self.value == 0 {
            self.shares = 0;
            self.round = self.round.saturating_add(1);
        }
    }
}

/// Returns `amount * part / whole`, rounded down; 0 if `whole` is 0.
pub(crate) fn pro_rata(amount: Balance, part: Balance, whole: Balance) -> Balance {
    multiply_by_rational_with_rounding(amount, part, whole, Rounding::Down).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pool_shares_gains_and_losses_in_proportion() {
        let mut pool = Pool::default();
        let one = pool.join(1_000).unwrap();
        let other = pool.join(3_000).unwrap();
        assert_eq!(pool.gain(400), 400);
        assert_eq!((pool.worth(one), pool.worth(other)), (1_100, 3_300));
        pool.lose(2_200);
        assert_eq!((pool.worth(one), pool.worth(other)), (550, 1_650));
        assert_eq!(pool.leave(one), 550);
        assert_eq!(pool.leave(other), 1_650);
        assert_eq!(pool, Pool::default());
    }

    #[test]
    fn pool_that_loses_all_begins_anew_without_those_who_lost() {
        let mut pool = Pool::default();
        let lost = pool.join(1_000).unwrap();
        pool.lose(1_000);
        assert_eq!(pool, Pool { value: 0, shares: 0, round: 1 });
        let mut later = pool.join(10).unwrap();
        assert_eq!((pool.worth(lost), pool.worth(later)), (0, 10));
        assert_eq!(pool.leave(lost), 0);
        assert_eq!(pool.value, 10);
        // Worthless shares are replaced.
        let mut mine = lost;
        mine.add(later);
        assert_eq!(mine, later);
        later.add(Shares { count: 5, round: 1 });
        assert_eq!(later.count, 15);
    }

    #[test]
    fn pool_without_shares_gains_nothing() {
        assert_eq!(Pool::default().gain(5), 0);
    }

    #[test]
    fn join_refuses_what_no_number_of_shares_is_right_for() {
        let dear = Pool { value: 1_000, shares: 1, round: 0 };
        assert_eq!({ dear }.join(999), None);
        assert_eq!({ dear }.join(1_999).map(|shares| shares.count), Some(1));
        let cheap = Pool { value: 1, shares: Balance::MAX / 2, round: 0 };
        assert_eq!({ cheap }.join(2), None);
        assert_eq!(Pool::default().join(0), None);
    }

    #[test]
    fn part_for_is_at_least_the_amount_and_at_most_all() {
        let mut pool = Pool::default();
        let mine = pool.join(1_000).unwrap();
        pool.lose(333);
        let part = pool.part_for(mine, 100);
        assert!(pool.worth(part) >= 99 && part.count < 1_000);
        assert_eq!(pool.part_for(mine, 667), mine);
        assert_eq!(pool.part_for(mine, Balance::MAX), mine);
    }

    proptest! {
        #[test]
        fn pool_never_makes_money(
            joins in prop::collection::vec(1u128..1_000_000_000_000_000, 1..20),
            changes in prop::collection::vec((any::<bool>(), 0u128..1_000_000_000_000_000), 0..20),
        ) {
            let mut pool = Pool::default();
            let mut put_in: Balance = 0;
            let mut all = Vec::new();
            for (index, amount) in joins.into_iter().enumerate() {
                let before: Vec<Balance> = all.iter().map(|shares| pool.worth(*shares)).collect();
                if let Some(shares) = pool.join(amount) {
                    prop_assert!(pool.worth(shares) <= amount);
                    put_in += amount;
                    // Nobody is diluted.
                    for (shares, before) in all.iter().zip(before) {
                        prop_assert!(pool.worth(*shares) >= before);
                    }
                    all.push(shares);
                }
                match changes.get(index) {
                    Some((true, amount)) => put_in += pool.gain(*amount),
                    Some((false, amount)) => {
                        let amount = (*amount).min(pool.value);
                        pool.lose(amount);
                        put_in -= amount;
                    }
                    None => {}
                }
                prop_assert_eq!(pool.value, put_in);
                prop_assert_eq!(pool.value == 0, pool.shares == 0);
            }
            let taken: Balance = all.into_iter().map(|shares| pool.leave(shares)).sum();
            prop_assert_eq!(taken, put_in);
            prop_assert_eq!((pool.value, pool.shares), (0, 0));
        }
    }
}
