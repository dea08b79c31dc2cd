// SPDX-License-Identifier: Apache-2.0
//! The events of the pallet.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    /// The events of jobs: one for each transition.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A job was created and its payment put on hold. It is open.
        JobCreated {
            /// The job.
            job: JobId,
            /// The client that bought it.
            client: T::AccountId,
            /// The payment that was put on hold, without the bounty.
            payment: Payment,
            /// Last block in which it can be assigned.
            until: BlockNumber,
        },
        /// The client of an open job offers more.
        PaymentRaised {
            /// The job.
            job: JobId,
            /// The whole payment now.
            payment: Payment,
        },
        /// An operator was drawn and its bond reserved.
        JobAssigned {
            /// The job.
            job: JobId,
            /// The operator that was drawn.
            operator: T::AccountId,
            /// Its prices.
            prices: Prices,
            /// Its bond.
            bond: Balance,
            /// Whether it was drawn among enough others that the job can count for its record and its
            /// speed.
            routed: bool,
            /// Last block in which it can accept.
            until: BlockNumber,
        },
        /// The operator that was drawn does not take the job. The job is open again, or settled as
        /// expired if that was its last attempt.
        JobDeclined {
            /// The job.
            job: JobId,
            /// The operator that was drawn.
            operator: T::AccountId,
            /// The reason.
            reason: DeclineReason,
        },
        /// The operator that was drawn did not answer in time. The job is open again, or settled as
        /// expired if that was its last attempt.
        AssignmentMissed {
            /// The job.
            job: JobId,
            /// The operator that was drawn.
            operator: T::AccountId,
        },
        /// An operator did not deliver in time and loses the job, which is open again.
        OperatorLate {
            /// The job.
            job: JobId,
            /// The operator.
            operator: T::AccountId,
            /// The amount taken out of its bond: the down payment, which is on hold again, and the
            /// fine, which is burnt.
            slashed: Balance,
        },
        /// The operator takes the job and was paid the down payment. It is running.
        JobAccepted {
            /// The job.
            job: JobId,
            /// The operator that runs it.
            operator: T::AccountId,
            /// Last block in which it can deliver.
            until: BlockNumber,
        },
        /// The output is complete. The job is delivered, and waits for its audit or for the draw that
        /// decides on one.
        OutputCommitted {
            /// The job.
            job: JobId,
            /// The operator that ran it.
            operator: T::AccountId,
            /// The commitment to its output.
            commitment: OutputCommitment,
            /// Last block of the challenge window.
            until: BlockNumber,
        },
        /// A delivered job is not audited: it is paid after its challenge window, or when the client
        /// confirms it.
        AuditWaived {
            /// The job.
            job: JobId,
        },
        /// A job is over.
        JobSettled {
            /// The job.
            job: JobId,
            /// The outcome and the amounts.
            settlement: Settlement<T::AccountId>,
        },
        /// The record of a job was removed.
        JobPruned {
            /// The job.
            job: JobId,
        },
    }
}
