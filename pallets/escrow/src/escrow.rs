// SPDX-License-Identifier: Apache-2.0
//! The escrow as other pallets see it.

use crate::{
    pallet::{Config, Error, Escrows, Event, Pallet},
    types::{job_hold, CreditOf, EscrowOf, EscrowRecord, Part},
    LOG_TARGET,
};
use assay_primitives::{
    traits::{Escrow, Levied},
    Balance, JobId, Payment,
};
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{
        fungible::{Inspect, MutateHold},
        tokens::{Fortitude, Preservation},
        Imbalance,
    },
};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Escrow<T::AccountId> for Pallet<T> {
    type Credit = CreditOf<T>;

    fn open(
        job: &JobId,
        client: &T::AccountId,
        payment: Payment,
        bounty: Balance,
        deposit: Balance,
    ) -> DispatchResult {
        ensure!(!Escrows::<T>::contains_key(job), Error::<T>::EscrowExists);
        let record = EscrowRecord::new(client.clone(), payment, bounty, deposit)
            .ok_or(Error::<T>::AmountOverflow)?;
        let total = record.left.total().ok_or(Error::<T>::AmountOverflow)?;
        Self::hold(client, total)?;
        Escrows::<T>::insert(job, record);
        let client = client.clone();
        Self::deposit_event(Event::Opened { job: *job, client, payment, bounty, deposit });
        Ok(())
    }

    fn raise(job: &JobId, more: Payment) -> DispatchResult {
        let record = Escrows::<T>::get(job).ok_or(Error::<T>::NoEscrow)?;
        let total = more.total().ok_or(Error::<T>::AmountOverflow)?;
        let record = record.raise(&more).ok_or(Error::<T>::AmountOverflow)?;
        Self::hold(&record.client, total)?;
        Escrows::<T>::insert(job, record);
        Self::deposit_event(Event::Raised { job: *job, more });
        Ok(())
    }

    fn hold_audit(job: &JobId, amount: Balance) -> DispatchResult {
        if amount == 0 {
            return Ok(());
        }
        let record = Escrows::<T>::get(job).ok_or(Error::<T>::NoEscrow)?;
        let record = record.add_audit(amount).ok_or(Error::<T>::AmountOverflow)?;
        Self::hold(&record.client, amount)?;
        Escrows::<T>::insert(job, record);
        Self::deposit_event(Event::AuditHeld { job: *job, amount });
        Ok(())
    }

    fn draw_audit(job: &JobId, verifier: &T::AccountId, amount: Balance) -> CreditOf<T> {
        Self::draw_part(job, verifier, Part::Audit, amount)
    }

    fn hold_bond(job: &JobId, amount: Balance) -> DispatchResult {
        let record = Escrows::<T>::get(job).ok_or(Error::<T>::NoEscrow)?;
        let record = record.add_bond(amount).ok_or(Error::<T>::AmountOverflow)?;
        Self::hold(&record.client, amount)?;
        Escrows::<T>::insert(job, record);
        Self::deposit_event(Event::BondHeld { job: *job, amount });
        Ok(())
    }

    fn bond(job: &JobId) -> Balance {
        Escrows::<T>::get(job).map_or(0, |record| record.left.bond)
    }

    fn seize_bond(job: &JobId) -> CreditOf<T> {
        let credit = Self::take_part(job, Part::Bond, Balance::MAX);
        if credit.peek() > 0 {
            Self::deposit_event(Event::BondSeized { job: *job, amount: credit.peek() });
        }
        credit
    }

    fn release_bond(job: &JobId) -> Balance {
        let client = Escrows::<T>::get(job).map(|record| record.client);
        client.map_or(0, |client| Self::pay_part(job, &client, Part::Bond, Balance::MAX))
    }

    fn payment(job: &JobId) -> Option<Payment> {
        Escrows::<T>::get(job).map(|record| record.payment)
    }

    fn draw_down(job: &JobId, operator: &T::AccountId) -> CreditOf<T> {
        Self::draw_part(job, operator, Part::Down, Balance::MAX)
    }

    fn draw(job: &JobId, operator: &T::AccountId, amount: Balance) -> CreditOf<T> {
        Self::draw_part(job, operator, Part::Price, amount)
    }

    fn burn_down(job: &JobId, amount: Balance) -> Balance {
        Self::burn_part(job, Part::Down, amount)
    }

    fn levy(job: &JobId, amount: Balance) -> Levied {
        Self::keep(job, Self::take_part(job, Part::Price, amount))
    }

    fn draw_fund(amount: Balance) -> CreditOf<T> {
        Self::take_from_fund(amount)
    }

    fn put_back(job: &JobId, credit: CreditOf<T>) {
        let Some(mut record) = Escrows::<T>::get(job) else {
            log::error!(target: LOG_TARGET, "{job:?} has no escrow: {} burnt", credit.peek());
            return;
        };
        let client = record.client.clone();
        let amount = Self::give(&client, credit);
        if amount == 0 {
            return;
        }
        // Money that became a claim of the client's is not there to be held.
        let held = with_storage_layer::<_, DispatchError, _>(|| {
            T::Currency::hold(&job_hold::<T>(), &client, amount)
        });
        if let Err(error) = held {
            log::warn!(target: LOG_TARGET, "{amount} of {job:?} stays with its client: {error:?}");
            return;
        }
        record.left.down = record.left.down.saturating_add(amount);
        Escrows::<T>::insert(job, record);
        Self::deposit_event(Event::PutBack { job: *job, client, amount });
    }

    fn pay(job: &JobId, payee: &T::AccountId, amount: Balance) -> Balance {
        Self::pay_part(job, payee, Part::Price, amount)
    }

    fn pay_bounty(job: &JobId, payee: &T::AccountId) -> Balance {
        Self::pay_part(job, payee, Part::Bounty, Balance::MAX)
    }

    fn burn_deposit(job: &JobId) -> Balance {
        Self::burn_part(job, Part::Deposit, Balance::MAX)
    }

    fn refund(job: &JobId) -> Balance {
        let Some(record) = Escrows::<T>::get(job) else { return 0 };
        // The sum is at most what is on hold.
        let amount = record.left.total().unwrap_or_default();
        if amount > 0 {
            if let Err(error) = Self::send(&record.client, &record.client, amount) {
                log::error!(target: LOG_TARGET, "refund of {job:?}: {error:?}");
                return 0;
            }
        }
        Escrows::<T>::remove(job);
        Self::deposit_event(Event::Refunded { job: *job, client: record.client, amount });
        amount
    }

    fn deposit(payee: &T::AccountId, credit: CreditOf<T>) -> Balance {
        Self::give(payee, credit)
    }

    fn value(credit: &CreditOf<T>) -> Balance {
        credit.peek()
    }

    fn split(credit: CreditOf<T>, amount: Balance) -> (CreditOf<T>, CreditOf<T>) {
        credit.split(amount)
    }
}

impl<T: Config> Pallet<T> {
    /// The escrow of a job.
    pub fn escrow(job: &JobId) -> Option<EscrowOf<T>> {
        Escrows::<T>::get(job)
    }

    /// Puts `amount` of the client's money on hold and leaves its account the existential deposit.
    fn hold(client: &T::AccountId, amount: Balance) -> DispatchResult {
        let spendable =
            T::Currency::reducible_balance(client, Preservation::Preserve, Fortitude::Polite);
        ensure!(amount <= spendable, Error::<T>::BalanceTooLow);
        with_storage_layer::<_, DispatchError, _>(|| {
            T::Currency::hold(&job_hold::<T>(), client, amount)
        })
    }

    /// Takes up to `amount` out of one part of the job's escrow.
    fn take_part(job: &JobId, part: Part, amount: Balance) -> CreditOf<T> {
        let Some(mut record) = Escrows::<T>::get(job) else { return CreditOf::<T>::zero() };
        let left = part.of(&mut record.left);
        let credit = Self::take_held(&record.client, amount.min(*left));
        if credit.peek() > 0 {
            *left = left.saturating_sub(credit.peek());
            Escrows::<T>::insert(job, record);
        }
        credit
    }

    /// Takes up to `amount` out of one part of the job's escrow for the operator.
    fn draw_part(job: &JobId, operator: &T::AccountId, part: Part, amount: Balance) -> CreditOf<T> {
        let credit = Self::take_part(job, part, amount);
        let amount = credit.peek();
        if amount > 0 {
            Self::deposit_event(Event::Paid { job: *job, payee: operator.clone(), amount });
        }
        credit
    }

    /// Burns up to `amount` of one part of the job's escrow; returns what was burnt.
    fn burn_part(job: &JobId, part: Part, amount: Balance) -> Balance {
        // Money that belongs to nobody is burnt when it is dropped.
        let amount = Self::take_part(job, part, amount).peek();
        if amount > 0 {
            Self::deposit_event(Event::Burnt { job: *job, amount });
        }
        amount
    }

    /// Pays up to `amount` out of one part of the job's escrow, and returns the amount paid.
    fn pay_part(job: &JobId, payee: &T::AccountId, part: Part, amount: Balance) -> Balance {
        let Some(mut record) = Escrows::<T>::get(job) else { return 0 };
        let left = part.of(&mut record.left);
        let amount = amount.min(*left);
        if amount == 0 {
            return 0;
        }
        *left = left.saturating_sub(amount);
        if let Err(error) = Self::send(&record.client, payee, amount) {
            // It stays on hold and goes back to the client with the refund.
            log::error!(target: LOG_TARGET, "{part:?} of {job:?}: {error:?}");
            return 0;
        }
        Escrows::<T>::insert(job, record);
        Self::deposit_event(Event::Paid { job: *job, payee: payee.clone(), amount });
        amount
    }
}
