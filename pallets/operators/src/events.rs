// SPDX-License-Identifier: Apache-2.0
//! The pallet's events.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An account became an operator.
        Registered {
            /// The operator's stash.
            operator: T::AccountId,
            /// The operator's worker.
            worker: T::AccountId,
            /// The operator's own stake.
            bond: Balance,
        },
        /// An operator raised its stake.
        Bonded {
            /// The operator's stash.
            operator: T::AccountId,
            /// The amount added.
            amount: Balance,
        },
        /// An operator is taking stake out.
        Unbonded {
            /// The operator's stash.
            operator: T::AccountId,
            /// The amount.
            amount: Balance,
            /// The block from which the amount can be withdrawn.
            until: BlockNumber,
        },
        /// An operator withdrew what it had unbonded.
        Withdrawn {
            /// The operator's stash.
            operator: T::AccountId,
            /// The amount.
            amount: Balance,
        },
        /// An account is no longer an operator.
        Removed {
            /// The former stash.
            operator: T::AccountId,
        },
        /// An operator changed what it serves.
        OffersSet {
            /// The operator's stash.
            operator: T::AccountId,
            /// The models that the operator serves now.
            offers: OffersOf<T>,
        },
        /// An operator changed its worker.
        WorkerSet {
            /// The operator's stash.
            operator: T::AccountId,
            /// The new worker.
            worker: T::AccountId,
        },
        /// An operator's previous worker can still report on the duties that are open.
        WorkerRetiring {
            /// The operator's stash.
            operator: T::AccountId,
            /// The previous worker.
            worker: T::AccountId,
            /// The last block in which it can report.
            until: BlockNumber,
        },
        /// An operator's previous worker can report no more: its duties have ended, or the stash has
        /// ended it.
        WorkerRetired {
            /// The operator's stash.
            operator: T::AccountId,
            /// The previous worker.
            worker: T::AccountId,
        },
        /// An operator changed its concurrency.
        ConcurrencySet {
            /// The operator's stash.
            operator: T::AccountId,
            /// The number of jobs that the operator runs at a time.
            concurrency: u32,
        },
        /// A duty reserved a part of an operator's stake.
        Reserved {
            /// The operator's stash.
            operator: T::AccountId,
            /// The duty.
            duty: Duty,
            /// The amount.
            amount: Balance,
        },
        /// An operator takes no more jobs of a client.
        ClientRefused {
            /// The operator's stash.
            operator: T::AccountId,
            /// The client.
            client: T::AccountId,
        },
        /// An operator takes jobs of a client again.
        ClientAdmitted {
            /// The operator's stash.
            operator: T::AccountId,
            /// The client.
            client: T::AccountId,
        },
        /// A duty reserves less than before.
        Shrunk {
            /// The operator's stash.
            operator: T::AccountId,
            /// The duty.
            duty: Duty,
            /// The amount that it still reserves.
            amount: Balance,
        },
        /// A duty is over.
        Released {
            /// The operator's stash.
            operator: T::AccountId,
            /// The duty.
            duty: Duty,
            /// The amount that is no longer reserved.
            amount: Balance,
        },
        /// Stake that a duty reserved was taken.
        Seized {
            /// The operator's stash.
            operator: T::AccountId,
            /// The duty.
            duty: Duty,
            /// The amount.
            amount: Balance,
        },
        /// An operator takes no new duties, or takes them again.
        DrainingSet {
            /// The operator's stash.
            operator: T::AccountId,
            /// Whether the operator takes no new duties.
            draining: bool,
        },
        /// An operator changed its payout account.
        PayoutSet {
            /// The operator's stash.
            operator: T::AccountId,
            /// The payout account.
            payout: T::AccountId,
        },
        /// An operator changed its commission.
        CommissionSet {
            /// The operator's stash.
            operator: T::AccountId,
            /// The new commission.
            commission: Perbill,
            /// The block from which the new commission applies.
            from: BlockNumber,
        },
        /// An operator changed the contact of its node.
        ContactSet {
            /// The operator's stash.
            operator: T::AccountId,
            /// The new contact.
            contact: Contact,
        },
        /// An account delegated to an operator.
        Delegated {
            /// The operator's stash.
            operator: T::AccountId,
            /// The delegator.
            delegator: T::AccountId,
            /// The amount.
            amount: Balance,
        },
        /// A delegator began to take a delegation back.
        Undelegated {
            /// The operator's stash.
            operator: T::AccountId,
            /// The delegator.
            delegator: T::AccountId,
            /// The amount, unless it is slashed.
            amount: Balance,
            /// The block from which the amount can be withdrawn.
            until: BlockNumber,
        },
        /// A delegator withdrew an amount that it had taken back.
        DelegationWithdrawn {
            /// The operator's stash.
            operator: T::AccountId,
            /// The delegator.
            delegator: T::AccountId,
            /// The amount.
            amount: Balance,
        },
        /// An operator and its delegators were paid.
        Rewarded {
            /// The operator's stash.
            operator: T::AccountId,
            /// The amount paid to the payout account.
            amount: Balance,
            /// The amount that the delegators' shares gained.
            delegated: Balance,
        },
        /// An offence against consensus was recorded: its slash is pending and can be cancelled.
        SlashRecorded {
            /// The operator's stash.
            operator: T::AccountId,
            /// The slash's number.
            slash: SlashId,
            /// The session of the offence.
            session: SessionIndex,
            /// The amount added to the slash.
            amount: Balance,
        },
        /// A slash was cancelled.
        SlashCancelled {
            /// The operator's stash.
            operator: T::AccountId,
            /// The slash's number.
            slash: SlashId,
        },
        /// A slash was applied.
        Slashed {
            /// The operator's stash.
            operator: T::AccountId,
            /// The slash's number.
            slash: SlashId,
            /// The amount that the slash took.
            amount: Balance,
            /// The account that received half of the operator's own loss; the rest was burnt.
            reporter: Option<T::AccountId>,
        },
        /// A report was refused.
        ReportRefused {
            /// The stash of the operator whose worker sent it.
            operator: T::AccountId,
            /// The job that the report belongs to.
            job: JobId,
            /// The reason.
            error: DispatchError,
        },
    }
}
