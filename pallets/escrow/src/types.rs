// SPDX-License-Identifier: Apache-2.0
//! The record of an escrow.

use crate::Config;
use assay_primitives::{Balance, Payment};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::fungible::Credit;
use scale_info::TypeInfo;

/// Money of the currency that belongs to no account.
pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;

/// The escrow of a job.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct EscrowRecord<AccountId> {
    /// The client whose money is on hold.
    pub client: AccountId,
    /// The payment, with all that it was raised by.
    pub payment: Payment,
    /// The bounty.
    pub bounty: Balance,
    /// The deposit.
    pub deposit: Balance,
    /// The fees of the audit that the client asks for.
    pub audit: Balance,
    /// The client's bond for a challenge.
    pub bond: Balance,
    /// The amounts that are still on hold of them.
    pub left: Left,
}

/// The amounts that an escrow still has on hold, by their purposes.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Left {
    /// Of the down payment.
    pub down: Balance,
    /// Of cost and tip.
    pub price: Balance,
    /// Of the bounty.
    pub bounty: Balance,
    /// Of the deposit.
    pub deposit: Balance,
    /// Of the fees of the audit.
    pub audit: Balance,
    /// Of the client's bond for a challenge.
    pub bond: Balance,
}

impl Left {
    /// All of it; `None` where the sum overflows.
    pub fn total(&self) -> Option<Balance> {
        let payment = self.down.checked_add(self.price)?;
        let extras = self.bounty.checked_add(self.deposit)?.checked_add(self.audit)?;
        payment.checked_add(extras)?.checked_add(self.bond)
    }
}

impl<AccountId> EscrowRecord<AccountId> {
    /// The record of a new escrow; `None` where its sum overflows.
    pub fn new(
        client: AccountId,
        payment: Payment,
        bounty: Balance,
        deposit: Balance,
    ) -> Option<Self> {
        let price = payment.cost.checked_add(payment.tip)?;
        let left = Left { down: payment.down, price, bounty, deposit, audit: 0, bond: 0 };
        left.total()?;
        Some(Self { client, payment, bounty, deposit, audit: 0, bond: 0, left })
    }

    /// Returns all that was put in; `None` where the sum overflows.
    pub fn put_in(&self) -> Option<Balance> {
        let paid = self.payment.total()?.checked_add(self.audit)?.checked_add(self.bond)?;
        paid.checked_add(self.bounty)?.checked_add(self.deposit)
    }

    /// Adds to the fees of the audit; `None` where a sum overflows.
    pub fn add_audit(self, amount: Balance) -> Option<Self> {
        let audit = self.audit.checked_add(amount)?;
        let left = Left { audit: self.left.audit.checked_add(amount)?, ..self.left };
        let raised = Self { audit, left, ..self };
        raised.put_in()?;
        Some(raised)
    }

    /// Adds to the bond for a challenge; `None` where a sum overflows.
    pub fn add_bond(self, amount: Balance) -> Option<Self> {
        let bond = self.bond.checked_add(amount)?;
        let left = Left { bond: self.left.bond.checked_add(amount)?, ..self.left };
        let raised = Self { bond, left, ..self };
        raised.put_in()?;
        Some(raised)
    }

    /// Adds to the payment; `None` where its sum overflows.
    pub fn raise(self, more: &Payment) -> Option<Self> {
        let payment = Payment {
            down: self.payment.down.checked_add(more.down)?,
            cost: self.payment.cost.checked_add(more.cost)?,
            tip: self.payment.tip.checked_add(more.tip)?,
        };
        let left = Left {
            down: self.left.down.checked_add(more.down)?,
            price: self.left.price.checked_add(more.cost)?.checked_add(more.tip)?,
            ..self.left
        };
        let raised = Self { payment, left, ..self };
        raised.put_in()?;
        Some(raised)
    }
}

/// The record of an escrow in the runtime `T`.
pub type EscrowOf<T> = EscrowRecord<<T as frame_system::Config>::AccountId>;

/// The parts of an escrow that a payout can draw on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// The down payment.
    Down,
    /// Cost and tip.
    Price,
    /// The bounty.
    Bounty,
    /// The deposit.
    Deposit,
    /// The fees of the audit.
    Audit,
    /// The client's bond for a challenge.
    Bond,
}

impl Part {
    /// Returns the amount that `left` has of this part.
    pub(crate) fn of(self, left: &mut Left) -> &mut Balance {
        match self {
            Self::Down => &mut left.down,
            Self::Price => &mut left.price,
            Self::Bounty => &mut left.bounty,
            Self::Deposit => &mut left.deposit,
            Self::Audit => &mut left.audit,
            Self::Bond => &mut left.bond,
        }
    }
}

/// Where an amount went that left an escrow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sent {
    /// To the payee.
    Payee,
    /// To the pot, for the payee to claim.
    Pot,
}

/// The hold reason of job money, in the runtime's terms.
pub(crate) fn job_hold<T: Config>() -> T::RuntimeHoldReason {
    crate::HoldReason::Job.into()
}
