// SPDX-License-Identifier: Apache-2.0
//! Why the pallet refuses a call.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod errors {
    #[pallet::error]
    pub enum Error<T> {
        /// The account is an operator.
        AlreadyOperator,
        /// The account is no operator.
        NotOperator,
        /// The account is no operator's worker.
        NotWorker,
        /// The account is the worker of an operator.
        WorkerTaken,
        /// The account is the stash of an operator, so it cannot be a worker.
        WorkerIsStash,
        /// There are as many operators as there can be.
        OperatorsFull,
        /// What is bonded would be less than the minimum and not nothing.
        BondBelowMinimum,
        /// The amount is zero.
        AmountZero,
        /// The free balance, less the existential deposit, is smaller than the amount.
        BalanceTooLow,
        /// The amount exceeds the operator's own stake that no duty reserves.
        StakeReserved,
        /// As many amounts are being unbonded as can be at a time.
        UnbondingQueueFull,
        /// Nothing that was unbonded can be withdrawn yet.
        NothingToWithdraw,
        /// The same model is offered twice.
        DuplicateOffer,
        /// A model is offered for nothing.
        PriceZero,
        /// A model is offered with a context of no tokens.
        ContextZero,
        /// An operator that runs no jobs at a time.
        ConcurrencyZero,
        /// More jobs at a time than an operator can run.
        ConcurrencyTooHigh,
        /// The duty has a reservation already.
        DutyReserved,
        /// The operator runs as many jobs as it can.
        NoFreeSlot,
        /// There are no reports.
        NoReports,
        /// The report belongs to no pallet.
        ReportUnknown,
        /// The amount exceeds what the operator itself has bonded.
        StakeTooLow,
        /// The operator takes no new duties and no new delegations.
        OperatorDraining,
        /// A slash of the operator waits for its appeal.
        SlashPending,
        /// There is no slash with that number that is not yet applied.
        SlashUnknown,
        /// The slash can still be appealed.
        SlashNotDue,
        /// The commission rises by more than it can at a time.
        CommissionRaiseTooHigh,
        /// An operator cannot delegate to itself.
        SelfDelegation,
        /// The account has delegated nothing to the operator that is worth anything.
        NotDelegator,
        /// What is delegated would be less than the minimum and not nothing.
        DelegationBelowMinimum,
        /// More would be delegated to the operator than its own stake allows.
        DelegationsAboveCap,
        /// A share of the operator's pool is worth too much or too little for the amount.
        SharePriceOutOfRange,
        /// What was delegated to the account when it was an operator is not all withdrawn.
        DelegationsLeft,
        /// The peer id is not that of an ed25519 key.
        PeerIdMalformed,
        /// An address has no bytes.
        AddressEmpty,
        /// The contact is not signed by the network key that its peer id names.
        ContactSignatureWrong,
    }
}
