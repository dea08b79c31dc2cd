// SPDX-License-Identifier: Apache-2.0
//! Verification: panels of verifiers that re-check a job's output, by commit and reveal.
//!
//! When a job is delivered, the chain draws whether it is audited: always for an operator's first
//! jobs and after a fault, then ever more seldom, down to a floor. Accepted audits lower the rate in
//! proportion to what the jobs paid, so that many cheap ones buy nothing. For an audit it draws a committee
//! in proportion to stake and reserves a bond of each member. The members re-run the job, commit to
//! the hash of what they found, and reveal it when all have committed. If all accept, the output
//! stands, though some of these outputs are looked at a second time. Otherwise a jury of other
//! operators is drawn, whose majority decides. If too many of it cannot fetch what they have to check,
//! the operator publishes it on the chain or loses its bond, and another jury checks that. An output
//! that could not be checked is not paid.
//!
//! A client can order an audit, and then pays the committee. An output that is not audited can be
//! challenged with a bond until the job is settled: a jury decides, without a committee, and whoever is
//! wrong pays.
//!
//! | phase | leaves by | after its deadline |
//! | --- | --- | --- |
//! | Drawing | the draw, made by the chain | made with later blocks if no block of its span has an output |
//! | Committing | the last commit, or the last vacated seat | silent verifiers lose their seats; vacant seats are drawn again, a few times; then reveals, if enough have committed |
//! | Revealing | the last reveal | tally |
//! | Producing | the last chunk of request and transcript | the operator loses its bond |
//!
//! # Why it is safe
//! - Draws use the VRF outputs of several blocks that come after what they decide on, and only the
//!   chain makes them: an author that knows the outputs of its own slots does not know the others.
//! - The verifier stands in its hash, so a copied hash cannot be revealed.
//! - An accepting verdict names the root over the logit digests, which before the first reveal only
//!   those know who ran the model. Nobody is seated on a panel after its first reveal; what one panel
//!   revealed is known to the next.
//! - Two colluders of three decide nothing: they can only call a jury, which can contradict them.
//! - Silence costs a fraction of the bond, a verdict against the jury's all of it, and a verdict that
//!   is withheld all of it too. To vacate a seat or to find a payload unavailable costs and pays
//!   nothing.
//!
//! # Neighbours
//! `Jobs` tells of deliveries through [`Auditor`](assay_primitives::traits::Auditor), hears of
//! outcomes through [`AuditedJobs`](assay_primitives::traits::AuditedJobs), and pays verifiers.
//! `Routing` draws committees. `Operators` holds the bonds; `Escrow` deposits what was taken out of
//! them, and holds the fund that pays jurors where nobody was wrong.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod auditor;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod bonds;
mod challenge;
mod duties;
#[cfg(test)]
mod mock;
mod panel;
mod phases;
pub mod publication;
mod tally;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
mod weighing;
pub mod weights;

pub use auditor::WHOLE;
pub use pallet::*;
pub use publication::{Progress, Publication};
pub use types::{Audit, Ballot, Offence, PanelFailure, Phase, Seat, Span, Stage};
pub use weights::WeightInfo;

/// The target of this pallet's log lines.
const LOG_TARGET: &str = "runtime::verification";

#[frame_support::pallet]
#[allow(unused_qualifications, reason = "the pallet macros write paths in full")]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use assay_primitives::{
        agenda::Agenda,
        job::JobId,
        publication::{ChunkBytes, Part},
        reason::VacateReason,
        settlement::AuditOutcome,
        ticket::MAX_BLOCKS,
        traits::{AuditedJobs, Escrow, Operators, PastRandomness, Routing},
        verdict::Verdict,
        Balance, BlockNumber,
    };
    use frame_support::{pallet_prelude::*, weights::WeightMeter};
    use frame_system::pallet_prelude::*;
    use sp_runtime::{Permill, SaturatedConversion};

    /// The configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The jobs that are audited.
        type Jobs: AuditedJobs<Self::AccountId>;
        /// Holds the bonds, and knows on what terms who serves which model.
        type Operators: Operators<
            Self::AccountId,
            Credit = <Self::Escrow as Escrow<Self::AccountId>>::Credit,
        >;
        /// Draws committees.
        type Routing: Routing<Self::AccountId>;
        /// Deposits what was taken out of bonds, and holds the fund of juries.
        type Escrow: Escrow<Self::AccountId>;
        /// The randomness with which audits and committees are drawn.
        type Randomness: PastRandomness;
        /// The number of blocks after an event with whose outputs the draw that follows is made; at
        /// most [`MAX_BLOCKS`].
        type DrawBlocks: Get<BlockNumber>;

        /// Members of a committee: an odd number, at most [`MAX_SEATS`](types::MAX_SEATS).
        #[pallet::constant]
        type CommitteeSize: Get<u32>;
        /// The most members of a jury: an odd number, at most [`MAX_SEATS`](types::MAX_SEATS).
        #[pallet::constant]
        type JurySize: Get<u32>;
        /// The fewest members of a jury: an odd number.
        #[pallet::constant]
        type MinJury: Get<u32>;
        /// The most draws for one panel.
        #[pallet::constant]
        type MaxRounds: Get<u8>;
        /// The part of accepted audits that a jury looks at a second time.
        type SecondLooks: Get<Permill>;
        /// Blocks in which verifiers can commit, in addition to the time in which they read.
        type CommitWindow: Get<BlockNumber>;
        /// The number of tokens that verifiers read in a block, prompt and output together.
        type VerificationSpeed: Get<u32>;
        /// Blocks in which they can reveal.
        type RevealWindow: Get<BlockNumber>;
        /// So many of an operator's jobs are audited without exception, counted from its first and
        /// from its last fault. One that pays less than [`Self::RecordFee`] counts less.
        #[pallet::constant]
        type AuditAllFirst: Get<u32>;
        /// The lowest rate at which an operator's jobs are audited.
        type AuditFloor: Get<Permill>;
        /// The payment from which on a job counts whole for its operator's record.
        type RecordFee: Get<Balance>;
        /// A verifier's bond is this many times what the job pays its operator.
        #[pallet::constant]
        type VerifierBondFactor: Get<u32>;
        /// The least bond of a verifier.
        #[pallet::constant]
        type MinVerifierBond: Get<Balance>;
        /// Blocks in which an operator can publish what a jury could not fetch.
        type ProduceWindow: Get<BlockNumber>;
        /// The price of each byte that an operator publishes. It is burnt out of the job's bond.
        type PublicationPrice: Get<Balance>;
        /// The part of its bond that a verifier loses that neither commits nor vacates its seat.
        type SilenceFraction: Get<Permill>;
        /// The most audits that are moved on in one block.
        #[pallet::constant]
        type MaxAuditsPerBlock: Get<u32>;
        /// Weights of the calls, the reports and the hooks.
        type WeightInfo: WeightInfo;
        /// Sets the scene for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: assay_primitives::benchmarking::BenchmarkHelper<Self::AccountId>;
        /// Jobs for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkJobs: assay_primitives::benchmarking::DeliveredJobs<Self::AccountId>;
    }

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The audits that are open, the draws that decide on one among them.
    #[pallet::storage]
    pub type Audits<T: Config> = StorageMap<_, Twox64Concat, JobId, Audit<T::AccountId>>;

    /// The jobs that an operator re-checks.
    #[pallet::storage]
    pub type SeatsOf<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, JobId, ()>;

    /// The jobs of which an operator has to publish request and transcript.
    #[pallet::storage]
    pub type ProducingOf<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, JobId, ()>;

    /// The progress of publications, from the phase Producing to the end of the audit.
    #[pallet::storage]
    pub type Publications<T: Config> = StorageMap<_, Twox64Concat, JobId, Publication>;

    /// The chunks that are published. They are removed after the end of the audit.
    #[pallet::storage]
    pub type Chunks<T: Config> =
        StorageDoubleMap<_, Twox64Concat, JobId, Twox64Concat, (Part, u32), ChunkBytes>;

    /// The rest of publications that are over.
    #[pallet::storage]
    pub type Obsolete<T: Config> = StorageMap<_, Twox64Concat, JobId, Publication>;

    /// The accepted audits of an operator's jobs since its last fault, in millionths of a job that pays
    /// [`Config::RecordFee`]. Jobs of a client that named its operators do not count.
    #[pallet::storage]
    pub type Records<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u64, ValueQuery>;

    /// The open audits, each by the block in which the chain moves it on.
    #[pallet::storage]
    pub type AgendaEntries<T: Config> =
        StorageDoubleMap<_, Twox64Concat, BlockNumber, Twox64Concat, JobId, ()>;

    /// The earliest block of [`AgendaEntries`] that is not yet worked off.
    #[pallet::storage]
    pub type AgendaCursor<T: Config> = StorageValue<_, BlockNumber, ValueQuery>;

    /// When which audit is to be moved on.
    pub(crate) type Due<T> = Agenda<AgendaEntries<T>, AgendaCursor<T>>;

    /// The events of audits.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Verifiers were drawn for a job and their bonds reserved.
        AuditDrawn {
            /// The job.
            job: JobId,
            /// The panel.
            stage: Stage,
            /// The number of draws before.
            round: u8,
            /// The verifiers that were drawn.
            committee: Vec<T::AccountId>,
            /// Last block in which its members can commit.
            until: BlockNumber,
        },
        /// A verifier has committed to a verdict.
        VerdictCommitted {
            /// The job.
            job: JobId,
            /// The verifier.
            verifier: T::AccountId,
        },
        /// The verifiers can tell their verdicts.
        RevealsOpened {
            /// The job.
            job: JobId,
            /// Last block in which they can.
            until: BlockNumber,
        },
        /// A verifier has told its verdict.
        VerdictRevealed {
            /// The job.
            job: JobId,
            /// The verifier.
            verifier: T::AccountId,
            /// Its verdict.
            verdict: Verdict,
        },
        /// A verifier lost a part of its bond.
        VerifierSlashed {
            /// The job.
            job: JobId,
            /// The verifier.
            verifier: T::AccountId,
            /// The reason.
            offence: Offence,
            /// The amount.
            amount: Balance,
        },
        /// A verifier has given up its seat before it committed to anything.
        SeatVacated {
            /// The job.
            job: JobId,
            /// The verifier.
            verifier: T::AccountId,
            /// The reason.
            reason: VacateReason,
        },
        /// The operator has to publish request and transcript, because a jury could not fetch them.
        PublicationDue {
            /// The job.
            job: JobId,
            /// The operator.
            operator: T::AccountId,
            /// Last block in which it can.
            until: BlockNumber,
        },
        /// A chunk of a payload was published.
        ChunkPublished {
            /// The job.
            job: JobId,
            /// The payload.
            part: Part,
            /// The number of chunks before this one.
            index: u32,
            /// Whether the payload is complete now.
            last: bool,
        },
        /// A panel cannot decide.
        PanelFailed {
            /// The job.
            job: JobId,
            /// The panel.
            stage: Stage,
            /// The number of its last draw.
            round: u8,
            /// The reason.
            failure: PanelFailure,
        },
        /// An account says that the output of a job is wrong, and its bond was put on hold or reserved.
        OutputChallenged {
            /// The job.
            job: JobId,
            /// The account.
            challenger: T::AccountId,
            /// Its bond.
            bond: Balance,
        },
        /// A challenger lost its bond, because the jury found the output right.
        ChallengeLost {
            /// The job.
            job: JobId,
            /// The account.
            challenger: T::AccountId,
            /// The amount.
            amount: Balance,
        },
        /// A challenger got its bond back.
        ChallengeBondReturned {
            /// The job.
            job: JobId,
            /// The account.
            challenger: T::AccountId,
            /// The amount.
            amount: Balance,
        },
        /// An audit is over.
        AuditConcluded {
            /// The job.
            job: JobId,
            /// The outcome.
            outcome: AuditOutcome,
            /// The verifiers who found it and are paid by the job.
            verifiers: Vec<T::AccountId>,
            /// The number of jurors who found the same and are not paid by the job.
            jurors: u32,
        },
    }

    /// The reasons for which calls and reports are refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The job is not under audit.
        AuditNotFound,
        /// The operator has no seat on the panel that checks the job.
        NotOnCommittee,
        /// The panel is not committing.
        NotCommitting,
        /// The panel is not revealing.
        NotRevealing,
        /// The deadline of the audit's phase is over.
        DeadlineOver,
        /// The verifier has committed already.
        AlreadyCommitted,
        /// The verifier has revealed already.
        AlreadyRevealed,
        /// The verdict, with its salt, is not what the verifier committed to.
        HashMismatch,
        /// The verdict is one for which a verifier vacates its seat instead of committing.
        NotABallot,
        /// The digest root is not what the operator committed to.
        DigestMismatch,
        /// The operator of the job has nothing to publish.
        NotProducing,
        /// The account is neither the job's operator nor its worker.
        NotTheOperator,
        /// The payload is published completely.
        PartComplete,
        /// The chunk is neither the first one nor the next one of its payload.
        ChunkOutOfOrder,
        /// The payload has more chunks than it can have, or chunks were replaced too often.
        PublicationTooLong,
        /// The chunks together do not have the hash that the job or the commitment names.
        WrongPayload,
        /// The deadline of the audit's phase is not yet over, or the audit waits for the chain's draw.
        NotDue,
        /// The job waits for its audit or for the draw that decides on one, or is challenged already.
        AuditOpen,
        /// The job is not delivered, or settled already.
        JobNotDelivered,
        /// The client did not require that there be operators that can check the output. A few that do could
        /// be of one mind.
        VerificationNotRequired,
        /// The challenge window of the job is over.
        ChallengeWindowOver,
        /// The account is neither the job's client nor an operator that could verify its output: one that
        /// serves the model with a long enough context, can reserve a verifier's bond, is not the job's
        /// operator and has not delegated to it.
        NotAVerifier,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            T::WeightInfo::on_initialize().saturating_add(Self::work_off(now.saturated_into()))
        }

        fn on_idle(_: BlockNumberFor<T>, limit: Weight) -> Weight {
            let mut meter = WeightMeter::with_limit(limit);
            Self::remove_obsolete(&mut meter);
            meter.consumed()
        }

        fn integrity_test() {
            let (committee, jury) = (T::CommitteeSize::get(), T::JurySize::get());
            for (panel, size) in
                [("committee", committee), ("jury", jury), ("smallest jury", T::MinJury::get())]
            {
                assert!(size % 2 == 1, "a {panel} must have an odd number of members");
                assert!(size <= types::MAX_SEATS, "a {panel} must fit into the record of an audit");
            }
            assert!(T::MinJury::get() <= jury, "a jury must be possible");
            assert!(committee < T::MinJury::get(), "a jury must be larger than a committee");
            assert!(
                (1..=MAX_BLOCKS).contains(&T::DrawBlocks::get()),
                "a draw must read from 1 to 16 blocks"
            );
            assert!(T::MaxRounds::get() > 0, "a committee must be drawn");
            // A committee and two juries.
            let seats = committee.saturating_add(jury.saturating_mul(2));
            assert!(
                seats.saturating_mul(T::MaxRounds::get().into()) <= types::MAX_LEFT,
                "verifiers that leave must fit into the record of an audit"
            );
            assert!(T::ProduceWindow::get() > 0, "publishing must be possible");
            assert!(T::VerificationSpeed::get() > 0, "verifiers must read");
            assert!(T::CommitWindow::get() > 0, "committing must be possible");
            assert!(T::RevealWindow::get() > 0, "revealing must be possible");
            assert!(T::MaxAuditsPerBlock::get() > 0, "audits must be moved on");
            assert!(T::AuditFloor::get().deconstruct() > 0, "every operator must fear an audit");
            assert!(T::RecordFee::get() > 0, "a record must cost something");
            assert!(T::MinVerifierBond::get() > 0, "a verifier must have something at stake");
            assert!(T::SilenceFraction::get().deconstruct() > 0, "silence must cost something");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Moves on an audit whose phase is over.
        ///
        /// ## Dispatch Origin
        /// Signed by anyone.
        ///
        /// ## Details
        /// The chain does the same at the beginning of each block, as far as its bound allows. It
        /// alone draws: who could choose the block of a draw would choose its randomness.
        ///
        /// ### Parameters
        /// - `job`: the job under audit.
        ///
        /// ## Errors
        /// [`Error::AuditNotFound`], [`Error::NotDue`].
        ///
        /// ## Events
        /// [`Event::RevealsOpened`], [`Event::VerifierSlashed`], [`Event::PanelFailed`],
        /// [`Event::AuditConcluded`].
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::advance().saturating_add(Pallet::<T>::dismiss_weight()))]
        pub fn advance(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_advance(&job)
        }

        /// Publishes a chunk of a payload that a jury could not fetch.
        ///
        /// ## Dispatch Origin
        /// Signed by the job's operator or by its worker.
        ///
        /// ## Details
        /// Chunks come in their order. The first one begins the payload anew. Each byte costs
        /// [`Config::PublicationPrice`], burnt out of the job's bond, of which a chunk takes at most
        /// half. A chunk that is paid for so costs no fee, unless it begins a payload anew. When the hashes of both payloads are right, another jury is drawn.
        ///
        /// ### Parameters
        /// - `job`: the job under audit.
        /// - `part`: the payload.
        /// - `index`: the number of chunks before this one.
        /// - `last`: whether it is the last one.
        /// - `bytes`: the chunk.
        ///
        /// ## Errors
        /// [`Error::AuditNotFound`], [`Error::NotProducing`], [`Error::NotTheOperator`],
        /// [`Error::DeadlineOver`], [`Error::PartComplete`], [`Error::ChunkOutOfOrder`],
        /// [`Error::PublicationTooLong`], [`Error::WrongPayload`].
        ///
        /// ## Events
        /// [`Event::ChunkPublished`].
        #[pallet::call_index(1)]
        pub fn publish(
            origin: OriginFor<T>,
            job: JobId,
            part: Part,
            index: u32,
            last: bool,
            bytes: ChunkBytes,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            Ok(Self::do_publish(&who, &job, part, index, last, bytes)?.into())
        }

        /// Challenges an output that was not drawn for an audit: a jury checks it.
        ///
        /// ## Dispatch Origin
        /// Signed by the job's client, or by the stash of an operator that could verify the output.
        ///
        /// ## Details
        /// A bond is put on hold from the client, or reserved of the operator's stake: the fees of the most
        /// jurors that can agree and what the job pays, at least [`Config::MinVerifierBond`]. If the jury
        /// rejects the output, the job's operator loses its bond, and a challenger other than the client
        /// gets a part of that. If it accepts, the challenger loses its bond, which pays the jury and the
        /// operator. Otherwise the job is paid for as if nobody had challenged it, unless its operator does
        /// not publish what a jury could not fetch. The jury is drawn after the end of the challenge
        /// window, so nobody chooses its draw by the block of a challenge, or cuts the window short.
        ///
        /// ### Parameters
        /// - `job`: the job.
        ///
        /// ## Errors
        /// [`Error::AuditOpen`], [`Error::JobNotDelivered`], [`Error::VerificationNotRequired`],
        /// [`Error::ChallengeWindowOver`], [`Error::NotAVerifier`]; those of the escrow where the client
        /// cannot put up the bond.
        ///
        /// ## Events
        /// [`Event::OutputChallenged`].
        #[pallet::call_index(2)]
        pub fn challenge(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let challenger = ensure_signed(origin)?;
            Self::do_challenge(&challenger, &job)
        }
    }

    impl<T: Config> Pallet<T> {
        /// The block being built.
        pub(crate) fn now() -> BlockNumber {
            frame_system::Pallet::<T>::block_number().saturated_into()
        }

        /// The panel that is at work on the job, without vacant seats; empty when none is.
        pub fn committee(job: &JobId) -> Vec<T::AccountId> {
            let seats = Audits::<T>::get(job).map(|audit| audit.seats).unwrap_or_default();
            seats.into_iter().map(|seat| seat.verifier).collect()
        }
    }
}
