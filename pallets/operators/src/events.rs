// SPDX-License-Identifier: Apache-2.0
//! What the pallet tells the world.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An account became an operator.
        Registered {
            /// Its stash.
            operator: T::AccountId,
            /// Its worker.
            worker: T::AccountId,
            /// Its stake.
            bond: Balance,
        },
        /// An operator raised its stake.
        Bonded {
            /// Its stash.
            operator: T::AccountId,
            /// How much was added.
            amount: Balance,
        },
        /// An operator is taking stake out.
        Unbonded {
            /// Its stash.
            operator: T::AccountId,
            /// How much.
            amount: Balance,
            /// Block from which it can be withdrawn.
            until: BlockNumber,
        },
        /// An operator withdrew what it had unbonded.
        Withdrawn {
            /// Its stash.
            operator: T::AccountId,
            /// How much.
            amount: Balance,
        },
        /// An account is no operator any more.
        Removed {
            /// What was its stash.
            operator: T::AccountId,
        },
        /// An operator changed what it serves.
        OffersSet {
            /// Its stash.
            operator: T::AccountId,
            /// What it serves.
            offers: OffersOf<T>,
        },
        /// An operator changed its worker.
        WorkerSet {
            /// Its stash.
            operator: T::AccountId,
            /// Its worker.
            worker: T::AccountId,
        },
        /// An operator changed how many jobs it runs at a time.
        ConcurrencySet {
            /// Its stash.
            operator: T::AccountId,
            /// That number.
            concurrency: u32,
        },
        /// A duty reserved a part of an operator's stake.
        Reserved {
            /// Its stash.
            operator: T::AccountId,
            /// The duty.
            duty: Duty,
            /// How much.
            amount: Balance,
        },
        /// A duty is over.
        Released {
            /// The operator's stash.
            operator: T::AccountId,
            /// The duty.
            duty: Duty,
            /// How much is no longer reserved.
            amount: Balance,
        },
        /// Stake that a duty reserved was taken.
        Seized {
            /// The operator's stash.
            operator: T::AccountId,
            /// The duty.
            duty: Duty,
            /// How much.
            amount: Balance,
        },
        /// An operator takes no new duties, or takes them again.
        DrainingSet {
            /// Its stash.
            operator: T::AccountId,
            /// Whether it takes none.
            draining: bool,
        },
        /// An operator named who receives its pay.
        PayoutSet {
            /// Its stash.
            operator: T::AccountId,
            /// That account.
            payout: T::AccountId,
        },
        /// An operator changed its commission.
        CommissionSet {
            /// Its stash.
            operator: T::AccountId,
            /// What it will be.
            commission: Perbill,
            /// Block from which it is.
            from: BlockNumber,
        },
        /// An operator said where its node is reached.
        ContactSet {
            /// Its stash.
            operator: T::AccountId,
            /// Where.
            contact: Contact,
        },
        /// An account delegated to an operator.
        Delegated {
            /// The operator's stash.
            operator: T::AccountId,
            /// The account.
            delegator: T::AccountId,
            /// How much.
            amount: Balance,
        },
        /// A delegator is taking back what it has delegated.
        Undelegated {
            /// The operator's stash.
            operator: T::AccountId,
            /// The account.
            delegator: T::AccountId,
            /// How much, unless it is slashed.
            amount: Balance,
            /// Block from which it can be withdrawn.
            until: BlockNumber,
        },
        /// A delegator got back what it had taken back.
        DelegationWithdrawn {
            /// The operator's stash.
            operator: T::AccountId,
            /// The account.
            delegator: T::AccountId,
            /// How much.
            amount: Balance,
        },
        /// An operator and its delegators were paid.
        Rewarded {
            /// Its stash.
            operator: T::AccountId,
            /// What went to its payout account.
            amount: Balance,
            /// What its delegators' shares gained.
            delegated: Balance,
        },
        /// An offence against consensus: a slash waits for its appeal.
        SlashRecorded {
            /// The operator's stash.
            operator: T::AccountId,
            /// Number of the slash.
            slash: SlashId,
            /// Session of the offence.
            session: SessionIndex,
            /// How much was added to it.
            amount: Balance,
        },
        /// A slash was cancelled.
        SlashCancelled {
            /// The operator's stash.
            operator: T::AccountId,
            /// Number of the slash.
            slash: SlashId,
        },
        /// A slash was applied.
        Slashed {
            /// The operator's stash.
            operator: T::AccountId,
            /// Number of the slash.
            slash: SlashId,
            /// How much it took.
            amount: Balance,
            /// Who got half of what the operator itself lost; the rest was burnt.
            reporter: Option<T::AccountId>,
        },
        /// A report was refused.
        ReportRefused {
            /// The stash of the operator whose worker sent it.
            operator: T::AccountId,
            /// The job that it is about.
            job: JobId,
            /// Why.
            error: DispatchError,
        },
    }
}
