// SPDX-License-Identifier: Apache-2.0
//! The fines of verifiers, their recipients, and the pay of jurors where nobody lost enough.

use crate::{
    types::{Audit, Ballot, Offence},
    Config, Event, Pallet,
};
use alloc::vec::Vec;
use assay_primitives::{
    job::JobId,
    traits::{Duty, Escrow, Operators},
    Balance,
};
use frame_support::traits::Get;

/// Money out of a bond.
type CreditOf<T> =
    <<T as Config>::Escrow as Escrow<<T as frame_system::Config>::AccountId>>::Credit;

impl<T: Config> Pallet<T> {
    /// Returns the bond of each verifier of a job that pays `reward`.
    pub(crate) fn bond_of(reward: Balance) -> Balance {
        let factor = T::VerifierBondFactor::get().into();
        reward.saturating_mul(factor).max(T::MinVerifierBond::get())
    }

    /// Takes the seats of verifiers that have not committed, and a fraction of their bonds, which is
    /// burnt.
    pub(crate) fn expel_silent(job: &JobId, audit: &mut Audit<T::AccountId>) {
        for seat in Self::take_seats(audit, |ballot| *ballot != Ballot::Awaited) {
            let bond = T::Operators::reserved(&seat.verifier, Duty::Verify(*job));
            let fine = T::SilenceFraction::get().mul_ceil(bond);
            // Dropped, and with that burnt.
            let _burnt = Self::slash(job, &seat.verifier, Offence::Silent, fine);
            Self::leave(job, audit, seat.verifier);
        }
    }

    /// Takes the seats of verifiers that have not revealed what they committed to, and their whole
    /// bonds, which are burnt: to withhold a vote never costs less than to lose it. Returns how many
    /// there were.
    pub(crate) fn expel_withholding(job: &JobId, audit: &mut Audit<T::AccountId>) -> u32 {
        let revealed = |ballot: &Ballot| matches!(ballot, Ballot::Revealed { .. });
        let mut expelled = 0u32;
        for seat in Self::take_seats(audit, revealed) {
            let bond = T::Operators::reserved(&seat.verifier, Duty::Verify(*job));
            let _burnt = Self::slash(job, &seat.verifier, Offence::Withheld, bond);
            Self::leave(job, audit, seat.verifier);
            expelled = expelled.saturating_add(1);
        }
        expelled
    }

    /// Takes all of the bond of a verifier that was wrong: jurors are paid what they are owed out of
    /// it, half of the rest goes to the party that was right, and what is left is burnt. That party gets
    /// no more than its `loss` out of all these bonds, so that nobody gains by having verifiers
    /// contradicted.
    pub(crate) fn slash_contradicted(
        job: &JobId,
        verifier: &T::AccountId,
        right: &T::AccountId,
        owed: &mut [(T::AccountId, Balance)],
        loss: &mut Balance,
    ) {
        let bond = T::Operators::reserved(verifier, Duty::Verify(*job));
        let slashed = Self::slash(job, verifier, Offence::Contradicted, bond);
        Self::give_half(Self::pay_jurors(slashed, owed), right, loss);
    }

    /// Pays jurors what they are owed out of `credit`, as far as it goes, and returns the rest.
    pub(crate) fn pay_jurors(
        credit: CreditOf<T>,
        owed: &mut [(T::AccountId, Balance)],
    ) -> CreditOf<T> {
        let mut rest = credit;
        for (juror, amount) in owed.iter_mut() {
            let (pay, left) = T::Escrow::split(rest, *amount);
            rest = left;
            let paid = T::Escrow::value(&pay);
            *amount = amount.saturating_sub(paid);
            if paid > 0 {
                T::Operators::reward(juror, pay);
            }
        }
        rest
    }

    /// Gives half of `credit` to the party that was right, at most its `loss`, which that lowers. What is
    /// left is burnt.
    pub(crate) fn give_half(credit: CreditOf<T>, right: &T::AccountId, loss: &mut Balance) {
        let given = (T::Escrow::value(&credit) / 2).min(*loss);
        *loss = loss.saturating_sub(given);
        let (credit, _burnt) = T::Escrow::split(credit, given);
        if given > 0 {
            T::Escrow::deposit(right, credit);
        }
    }

    /// Pays jurors what they are still owed, as far as the fund goes and at most `most` in equal shares.
    pub(crate) fn pay_from_fund(owed: Vec<(T::AccountId, Balance)>, most: Balance) {
        let count = Balance::try_from(owed.len()).unwrap_or(Balance::MAX);
        let share = most.checked_div(count).unwrap_or(0);
        for (juror, amount) in owed {
            let pay = T::Escrow::draw_fund(amount.min(share));
            if T::Escrow::value(&pay) > 0 {
                T::Operators::reward(&juror, pay);
            }
        }
    }

    /// Takes up to `amount` out of the bond of a verifier.
    fn slash(
        job: &JobId,
        verifier: &T::AccountId,
        offence: Offence,
        amount: Balance,
    ) -> CreditOf<T> {
        let credit = T::Operators::seize(verifier, Duty::Verify(*job), amount);
        Self::deposit_event(Event::VerifierSlashed {
            job: *job,
            verifier: verifier.clone(),
            offence,
            amount: T::Escrow::value(&credit),
        });
        credit
    }
}
