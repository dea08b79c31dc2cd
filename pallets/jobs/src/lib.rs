// SPDX-License-Identifier: Apache-2.0
//! Jobs: the life of an inference job from its creation to its settlement.
//!
//! A client orders text from a model and puts the payment on hold ([`Pallet::create`]). The chain
//! draws an operator in proportion to score and reserves a bond out of its stake. The operator
//! accepts, runs the model, and commits to the output. Then the job is settled: at the end of its
//! challenge window, or as the committee that re-checked it says.
//!
//! Each state of a job carries what is valid in it and a block after which anyone can move the job
//! on; the chain does so itself with what is left of its blocks. No job is without an end:
//!
//! | state | leaves by | after its deadline |
//! | --- | --- | --- |
//! | Open | the draw of an operator; [`Pallet::cancel`] | expired, refunded |
//! | Assigned | the operator's `Accept` or `Decline` | another operator is drawn; after the last attempt expired |
//! | Running | the operator's `CommitOutput` | the operator is fined and another drawn; after the last attempt refunded |
//! | Delivered | the audit; a challenge; [`Pallet::confirm_received`] | paid |
//! | Settled | | pruned |
//!
//! # Neighbours
//! The pallet holds no money. `Escrow` holds the payments, `Operators` the stake. `Routing` draws
//! operators, and is told how they fulfil their duties. `Auditor` decides which deliveries are audited
//! and calls back through [`AuditedJobs`](assay_primitives::traits). Operators' workers report through
//! [`Duties`](assay_primitives::traits::Duties).
//!
//! # Money
//! - Every payment: a part of it is taken before anyone gets a share, so that paying oneself costs
//!   something. Of price and tip it goes to the fund of juries until that is full; the rest of it, and
//!   that of the down payment, is burnt.
//! - Paid: the operator earns its prices for the tokens read and delivered, and the tip. Each verifier
//!   takes its fee out of the price, which is never too low for that; what is left of the escrow
//!   returns to the client.
//! - Late: the operator did not deliver in time. The down payment comes back out of its bond, for the
//!   next operator; a fraction of the bond is fined and burnt.
//! - Refunded: the last attempt was late too. The escrow returns, the down payment with it.
//! - Slashed: the output was rejected. The escrow returns; out of the whole bond the down payment
//!   comes back and the verifiers are paid. At most half of the rest, and at most what the client paid
//!   for the job, goes to the client, and a part of the rest to an account that found the lie and
//!   challenged the output; what is left, at least half, is burnt.
//! - An audit that the client asked for: the verifiers that accepted are paid in addition to the price,
//!   and not out of it.
//! - Unverified: the output was drawn for an audit that could not be decided. Cost and tip return; the
//!   operator keeps the down payment, and its bond is free.
//! - Expired, Cancelled: the escrow returns. If [`Config::MaxAttempts`] operators declined because the
//!   request cannot be fetched, is not one, or its prompt has another length, the deposit is burnt; so it is
//!   if the client cancels a job that is open to all after all that were drawn did.
//!
//! An account that ends a job through [`Pallet::settle`] or [`Pallet::expire`] earns the bounty, which
//! otherwise returns to the client. It can do so from the block after the one in which the chain could have
//! ended the job by itself.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod assignment;
mod audit;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(feature = "std")]
pub mod config_preludes;
mod costs;
mod deadlines;
mod duties;
mod events;
#[cfg(test)]
mod mock;
mod order;
mod others;
mod query;
mod settle;
mod speed;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::Job;
pub use weights::WeightInfo;

use frame_support::pallet_macros::import_section;

/// The target of this pallet's log lines.
const LOG_TARGET: &str = "runtime::jobs";

// Events, which are mostly documentation, are in a file of their own.
#[import_section(events::events)]
#[frame_support::pallet]
#[allow(unused_qualifications, reason = "the pallet macros write paths in full")]
pub mod pallet {
    use super::*;
    use assay_primitives::{
        agenda::Agenda,
        draw::Purpose,
        job::{JobId, JobSpec, Payment, Sampling, MAX_ALLOWED_OPERATORS, MAX_PEER_ID_LENGTH},
        reason::DeclineReason,
        settlement::Settlement,
        traits::{Auditor, Escrow, Operators, PastRandomness, Performance, Routing},
        Balance, BlockNumber, OutputCommitment, Prices,
    };
    use frame_support::{pallet_prelude::*, weights::WeightMeter};
    use frame_system::pallet_prelude::*;
    use sp_core::H256;
    use sp_runtime::{Permill, SaturatedConversion};

    /// The configuration of the pallet.
    #[pallet::config(with_default)]
    pub trait Config: frame_system::Config<Hash = H256, RuntimeEvent: From<Event<Self>>> {
        /// Holds the payments.
        #[pallet::no_default]
        type Escrow: Escrow<Self::AccountId>;
        /// Holds the stake, and knows on what terms who serves which model.
        #[pallet::no_default]
        type Operators: Operators<
            Self::AccountId,
            Credit = <Self::Escrow as Escrow<Self::AccountId>>::Credit,
        >;
        /// Draws operators, and measures them.
        #[pallet::no_default]
        type Routing: Routing<Self::AccountId> + Performance<Self::AccountId>;
        /// Decides which deliveries are audited, and audits them.
        #[pallet::no_default]
        type Auditor: Auditor<Self::AccountId>;
        /// The randomness with which operators are drawn.
        type Randomness: PastRandomness;
        /// The number of blocks after a job's creation, or after it lost its operator, with whose
        /// outputs its operator is drawn. With 0 it is the block of the creation itself, whose author
        /// knows its output in advance.
        #[pallet::constant]
        type AssignmentBlocks: Get<BlockNumber>;

        /// The shortest deadline of a job, in blocks.
        #[pallet::constant]
        type MinDeadline: Get<BlockNumber>;
        /// The longest deadline of a job, in blocks.
        #[pallet::constant]
        type MaxDeadline: Get<BlockNumber>;
        /// The most blocks by which a job's first block can follow its creation.
        #[pallet::constant]
        type MaxDelay: Get<BlockNumber>;
        /// Blocks in which an operator that was drawn can accept.
        type AcceptWindow: Get<BlockNumber>;
        /// Blocks between delivery and settlement of a job that is not audited.
        type ChallengeWindow: Get<BlockNumber>;
        /// Blocks for which the record of a settled job is kept.
        type Retention: Get<BlockNumber>;
        /// The most operators that are drawn for one job, late ones among them; at most
        /// [`MAX_ATTEMPTS`](types::MAX_ATTEMPTS).
        #[pallet::constant]
        type MaxAttempts: Get<u8>;
        /// The longest prompt in tokens. A request has at most 1 MiB in addition:
        /// [`MAX_REQUEST_BYTES`](assay_primitives::request::MAX_REQUEST_BYTES).
        #[pallet::constant]
        type MaxInputTokens: Get<u32>;
        /// The longest output in tokens.
        #[pallet::constant]
        type MaxOutputTokens: Get<u32>;
        /// The bond of a job is this many times what it can earn its operator: the most until it is
        /// delivered, what was delivered afterwards.
        #[pallet::constant]
        type BondFactor: Get<u32>;
        /// The part of the bond that an operator loses when it delivers nothing in time.
        type LatenessFraction: Get<Permill>;
        /// The part of the price of an output that each of its verifiers gets, at least
        /// [`Config::VerificationPrice`] for each token.
        type VerifierShare: Get<Permill>;
        /// The part of every payment that is burnt, or kept by the fund of juries, before anyone gets a
        /// share of it.
        type BurnShare: Get<Permill>;
        /// The lowest fee of a verifier for each token that it reads, of prompt and output alike.
        type VerificationPrice: Get<Balance>;
        /// The most verifiers of one job.
        #[pallet::constant]
        type CommitteeSize: Get<u32>;
        /// The amount held in addition to a payment, for whoever ends the job if its own parties do not.
        type Bounty: Get<Balance>;
        /// The amount held in addition to a payment, and burnt if `MaxAttempts` operators declined
        /// because they could not fetch the request, it was not one, or its prompt had another length, or
        /// if the client cancels the job after all that were drawn did.
        type Deposit: Get<Balance>;
        /// The fewest tokens that a model is taken to write in a block.
        type GenerationSpeed: Get<u32>;
        /// The part of all stake that operators must hold which can check a job whose client requires that.
        type VerifiersStake: Get<Permill>;
        /// The part of what is left of the bond of an operator that goes to an account other than the
        /// client which challenged its output rightly.
        type ChallengeReward: Get<Permill>;
        /// The most jobs open to all operators for which one is sought for the first time in one block, be
        /// it since their creation or since the last operator lost them.
        #[pallet::constant]
        type MaxFirstTriesPerBlock: Get<u32>;
        /// The most jobs for which an operator is sought again in one block, or which name their operators.
        #[pallet::constant]
        type MaxAssignmentsPerBlock: Get<u32>;
        /// Weights of the calls, the reports and the hooks.
        type WeightInfo: WeightInfo;
        /// Sets the scene for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        #[pallet::no_default]
        type BenchmarkHelper: assay_primitives::benchmarking::BenchmarkHelper<Self::AccountId>;
    }

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// All jobs that are not yet pruned.
    #[pallet::storage]
    pub type Jobs<T: Config> = StorageMap<_, Twox64Concat, JobId, Job<T::AccountId>>;

    /// The number of jobs that a client has created.
    #[pallet::storage]
    pub type JobNonce<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u64, ValueQuery>;

    /// The jobs of a client that are not yet pruned.
    #[pallet::storage]
    pub type JobsOf<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, JobId, ()>;

    /// The jobs that an operator has to accept or to run.
    #[pallet::storage]
    pub type JobsOfOperator<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, JobId, ()>;

    /// The jobs open to all operators for which none was sought yet, each by the block in which that is due.
    #[pallet::storage]
    pub type FirstTryEntries<T: Config> =
        StorageDoubleMap<_, Twox64Concat, BlockNumber, Twox64Concat, JobId, ()>;

    /// The earliest block of [`FirstTryEntries`] that is not yet worked off.
    #[pallet::storage]
    pub type FirstTryCursor<T: Config> = StorageValue<_, BlockNumber, ValueQuery>;

    /// The open jobs that no operator could take, each by the block in which one is sought again.
    #[pallet::storage]
    pub type AssignmentEntries<T: Config> =
        StorageDoubleMap<_, Twox64Concat, BlockNumber, Twox64Concat, JobId, ()>;

    /// The earliest block of [`AssignmentEntries`] that is not yet worked off.
    #[pallet::storage]
    pub type AssignmentCursor<T: Config> = StorageValue<_, BlockNumber, ValueQuery>;

    /// All jobs, each by the block after the deadline of its state.
    #[pallet::storage]
    pub type DeadlineEntries<T: Config> =
        StorageDoubleMap<_, Twox64Concat, BlockNumber, Twox64Concat, JobId, ()>;

    /// The earliest block of [`DeadlineEntries`] that is not yet worked off.
    #[pallet::storage]
    pub type DeadlineCursor<T: Config> = StorageValue<_, BlockNumber, ValueQuery>;

    /// When an operator is sought for which job for the first time. Jobs that nobody takes wait on
    /// another agenda, so that they never hold up new ones.
    pub(crate) type FirstTries<T> = Agenda<FirstTryEntries<T>, FirstTryCursor<T>>;

    /// When an operator is sought for which job again.
    pub(crate) type Assignments<T> = Agenda<AssignmentEntries<T>, AssignmentCursor<T>>;

    /// When which job is to be moved on.
    pub(crate) type Deadlines<T> = Agenda<DeadlineEntries<T>, DeadlineCursor<T>>;

    /// The reasons for which calls and reports are refused.
    #[pallet::error]
    pub enum Error<T> {
        /// No tokens were asked for.
        MaxTokensZero,
        /// More tokens were asked for than a job can have.
        MaxTokensTooHigh,
        /// The prompt has no tokens.
        InputEmpty,
        /// The prompt has more tokens than a job can have.
        InputTooLong,
        /// A field of the sampling lies out of its range.
        SamplingOutOfRange,
        /// The deadline is shorter or longer than a job's can be.
        DeadlineOutOfRange,
        /// The deadline is shorter than the model takes for so many tokens: see the quote's
        /// `shortest_deadline`. Jobs that name their operators can have it.
        DeadlineTooShort,
        /// The order asks for an audit, and does not require that there be operators that can hold it:
        /// `verification` must be `Required`.
        AuditNotRequired,
        /// The job's first block lies too far ahead.
        NotBeforeTooFar,
        /// Sealed jobs are not available: privacy must be public and no output key given.
        SealedNotAvailable,
        /// The peer id is not a multihash of the kinds that peer ids are.
        PeerIdMalformed,
        /// No operator serves the model.
        ModelNotServed,
        /// Prompt and output exceed the longest context that an operator of the model offers.
        ContextExceeded,
        /// The cost is below what any operator of the model asks: see the quote's `least_cost`.
        CostBelowOffers,
        /// The sum of the payment's parts exceeds what a balance can be.
        PaymentOverflow,
        /// The client has created as many jobs as can be counted.
        NonceExhausted,
        /// There is no such job, or it is pruned.
        JobNotFound,
        /// The job is not open.
        JobNotOpen,
        /// The job is not assigned.
        JobNotAssigned,
        /// The job is not running.
        JobNotRunning,
        /// The job is not delivered.
        JobNotDelivered,
        /// The job is neither open nor assigned nor running.
        JobNotPending,
        /// The caller is not the job's client.
        NotTheClient,
        /// The job is with another operator.
        NotTheOperator,
        /// The deadline of the job's state is over.
        DeadlineOver,
        /// The deadline of the job's state is not yet over.
        NotDue,
        /// The job waits for its audit.
        AuditOpen,
        /// The commitment has no tokens, or more than the job asked for.
        TokensOutOfRange,
        /// The output ends for its length and is shorter than the job asked for.
        LengthNotReached,
    }

    #[pallet::extra_constants]
    impl<T: Config> Pallet<T> {
        /// The most operators that a job may name as the only ones allowed to run it.
        #[pallet::constant_name(MaxAllowedOperators)]
        fn max_allowed_operators() -> u32 {
            MAX_ALLOWED_OPERATORS
        }

        /// The most bytes of a peer id.
        #[pallet::constant_name(MaxPeerIdLength)]
        fn max_peer_id_length() -> u32 {
            MAX_PEER_ID_LENGTH
        }

        /// The highest temperature of a sampling, 65,536 being 1.0.
        #[pallet::constant_name(MaxTemperature)]
        fn max_temperature() -> u32 {
            Sampling::MAX_TEMPERATURE
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            let sought = Self::assign_due(now.saturated_into());
            let draws = Self::draw_weight().saturating_mul(sought.into());
            T::WeightInfo::on_initialize(sought).saturating_add(draws)
        }

        fn on_idle(now: BlockNumberFor<T>, limit: Weight) -> Weight {
            let mut meter = WeightMeter::with_limit(limit);
            Self::work_off_deadlines(now.saturated_into(), &mut meter);
            meter.consumed()
        }

        fn integrity_test() {
            assert!(T::MinDeadline::get() > 0, "a deadline must leave time");
            assert!(T::MinDeadline::get() <= T::MaxDeadline::get(), "deadlines must be possible");
            assert!(T::AcceptWindow::get() > 0, "accepting must be possible");
            assert!(T::ChallengeWindow::get() > 0, "confirming must be possible");
            assert!(T::Retention::get() > 0, "a settlement must be readable");
            assert!(T::MaxAttempts::get() > 0, "someone must be drawn");
            assert!(
                u32::from(T::MaxAttempts::get()) <= types::MAX_ATTEMPTS,
                "attempts must fit into the record of a job"
            );
            assert!(T::MaxInputTokens::get() > 0, "a prompt must be possible");
            assert!(T::MaxOutputTokens::get() > 0, "an output must be possible");
            assert!(T::GenerationSpeed::get() > 0, "a model must be able to write");
            assert!(T::MaxFirstTriesPerBlock::get() > 0, "new jobs must be assigned");
            assert!(T::MaxAssignmentsPerBlock::get() > 0, "jobs must be assigned");
            assert!(T::CommitteeSize::get() > 0, "a committee must have members");
            let verifiers = u64::from(T::VerifierShare::get().deconstruct())
                .saturating_mul(T::CommitteeSize::get().into());
            assert!(
                T::BurnShare::get() <= Permill::from_percent(20),
                "no more than a fifth is burnt"
            );
            assert!(verifiers <= 500_000, "verifiers must not take more than half of the price");
            assert!(T::BondFactor::get() > 0, "a bond must stand against each job");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Orders a job and puts its payment on hold.
        ///
        /// ## Dispatch Origin
        /// Signed by the client.
        ///
        /// ## Details
        /// The job is open until `spec.deadline` blocks from now, or from `spec.not_before` if that
        /// is later. In addition to the payment the bounty and the deposit are put on hold, and the most
        /// that the audit costs which the order asks for.
        ///
        /// ### Parameters
        /// - `spec`: what is ordered.
        /// - `payment`: what is paid for it at most.
        ///
        /// ## Errors
        /// One for each way in which the specification or the payment is out of range;
        /// [`Error::ModelNotServed`] and [`Error::ContextExceeded`] where no operator could run it;
        /// [`Error::DeadlineTooShort`] where none could do so in time;
        /// those of the escrow where the client cannot pay.
        ///
        /// ## Events
        /// [`Event::JobCreated`].
        #[pallet::call_index(0)]
        pub fn create(
            origin: OriginFor<T>,
            spec: JobSpec<T::AccountId>,
            payment: Payment,
        ) -> DispatchResult {
            let client = ensure_signed(origin)?;
            Self::do_create(client, spec, payment)
        }

        /// Offers more for a job that no operator was found for yet.
        ///
        /// ## Dispatch Origin
        /// Signed by the job's client.
        ///
        /// ## Details
        /// It counts from the next time that an operator is sought, which is in the next block or,
        /// for a job that has waited for long, an eighth of that time later.
        ///
        /// ### Parameters
        /// - `job`: the job.
        /// - `more`: what is added to each part of the payment.
        ///
        /// ## Errors
        /// [`Error::JobNotFound`], [`Error::NotTheClient`], [`Error::JobNotOpen`],
        /// [`Error::PaymentOverflow`]; those of the escrow where the client cannot pay.
        ///
        /// ## Events
        /// [`Event::PaymentRaised`].
        #[pallet::call_index(1)]
        pub fn raise_payment(origin: OriginFor<T>, job: JobId, more: Payment) -> DispatchResult {
            let client = ensure_signed(origin)?;
            Self::do_raise_payment(&client, &job, more)
        }

        /// Withdraws a job that no operator was found for yet: all is refunded, but for the deposit if the
        /// operators that were drawn did not get the prompt.
        ///
        /// ## Dispatch Origin
        /// Signed by the job's client.
        ///
        /// ### Parameters
        /// - `job`: the job.
        ///
        /// ## Errors
        /// [`Error::JobNotFound`], [`Error::NotTheClient`], [`Error::JobNotOpen`].
        ///
        /// ## Events
        /// [`Event::JobSettled`].
        #[pallet::call_index(2)]
        pub fn cancel(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let client = ensure_signed(origin)?;
            Self::do_cancel(&client, &job)
        }

        /// Accepts an output before its challenge window ends: the operator is paid.
        ///
        /// ## Dispatch Origin
        /// Signed by the job's client.
        ///
        /// ### Parameters
        /// - `job`: the job.
        ///
        /// ## Errors
        /// [`Error::JobNotFound`], [`Error::NotTheClient`], [`Error::JobNotDelivered`],
        /// [`Error::AuditOpen`].
        ///
        /// ## Events
        /// [`Event::JobSettled`].
        #[pallet::call_index(3)]
        #[pallet::weight(
            T::WeightInfo::confirm_received().saturating_add(T::Operators::release_weight())
        )]
        pub fn confirm_received(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let client = ensure_signed(origin)?;
            Self::do_confirm_received(&client, &job)
        }

        /// Pays for an output whose challenge window is over. The caller gets the bounty.
        ///
        /// ## Dispatch Origin
        /// Signed by anyone.
        ///
        /// ### Parameters
        /// - `job`: the job.
        ///
        /// ## Errors
        /// [`Error::JobNotFound`], [`Error::JobNotDelivered`], [`Error::AuditOpen`],
        /// [`Error::NotDue`].
        ///
        /// ## Events
        /// [`Event::JobSettled`].
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::settle().saturating_add(T::Operators::release_weight()))]
        pub fn settle(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let caller = ensure_signed(origin)?;
            Self::do_settle(&caller, &job)
        }

        /// Moves a job on whose operator, or whose chance of finding one, has let its deadline pass.
        /// The caller gets the bounty if that ends the job.
        ///
        /// ## Dispatch Origin
        /// Signed by anyone.
        ///
        /// ## Details
        /// An open job expires. An assigned one is open again, and expires after its last attempt. The
        /// operator of a running one is fined and the job open again; after its last attempt it is
        /// refunded.
        ///
        /// ### Parameters
        /// - `job`: the job.
        ///
        /// ## Errors
        /// [`Error::JobNotFound`], [`Error::JobNotPending`], [`Error::NotDue`].
        ///
        /// ## Events
        /// [`Event::AssignmentMissed`], [`Event::OperatorLate`], [`Event::JobSettled`].
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::expire().saturating_add(Pallet::<T>::reopen_weight()))]
        pub fn expire(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let caller = ensure_signed(origin)?;
            Self::do_expire(&caller, &job)
        }
    }

    impl<T: Config> Pallet<T> {
        /// The block being built.
        pub(crate) fn now() -> BlockNumber {
            frame_system::Pallet::<T>::block_number().saturated_into()
        }

        /// The purpose of the draw of a job's next operator.
        pub(crate) fn draw_of(job: &Job<T::AccountId>) -> Purpose {
            Purpose::Assignment(job.attempts())
        }
    }
}
