// SPDX-License-Identifier: Apache-2.0
//! Runtime APIs, through which nodes, clients and dApps read the state.

// The macro writes the bound of `AccountId` twice.
#![allow(clippy::multiple_bound_locations)]

use crate::{
    contact::Contact,
    job::{JobId, JobSpec, JobState, ModelId, Payment},
    parameters::{Parameters, Violation},
    prices::Prices,
    Balance, BlockNumber,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::Permill;

/// The most entries of a page.
pub const MAX_PAGE: u32 = 256;

/// Returns the number of entries of a page for which a reader asks at most `limit`.
pub fn page(limit: u32) -> usize {
    usize::try_from(limit.min(MAX_PAGE)).unwrap_or_default()
}

/// The cost of a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Quote {
    /// The prices of a token.
    pub prices: Prices,
    /// The payment to create the job with.
    pub payment: Payment,
    /// The lowest cost with which the job can be created. Perhaps no operator runs it for that.
    pub least_cost: Balance,
    /// The bounty, held in addition to the payment for whoever settles the job if its own parties
    /// do not.
    pub bounty: Balance,
    /// The deposit, held in addition to the payment. It returns unless as many operators as a job is given
    /// to declined, because they could not fetch the request, it was not one, or its prompt had another
    /// length, or the client cancels the job after all that were drawn did.
    pub deposit: Balance,
    /// The total that creating the job puts on hold.
    pub total: Balance,
    /// The amount that is put on hold in addition if the job asks for an audit: the most that its
    /// committee can cost.
    pub audit: Balance,
    /// The operators that could check the job.
    pub verifiers: Verifiers,
    /// The tokens that the model is taken to write in a block.
    pub tokens_per_block: u32,
    /// The shortest deadline of a job that names no operators: the blocks that it takes at that speed.
    pub shortest_deadline: BlockNumber,
    /// The shortest deadline with which the job counts for the record and the speed of its operator. It is long
    /// enough for operators at half the speed of the model.
    pub routed_deadline: BlockNumber,
}

/// The operators that could be drawn to check a job, whichever operator runs it: the one of them with the
/// most stake is left out. A job that requires verification is assigned only where they suffice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Verifiers {
    /// Their number.
    pub operators: u32,
    /// Their part of the stake of all operators.
    pub stake: Permill,
    /// The fewest that suffice.
    pub fewest_operators: u32,
    /// The smallest part of all stake that suffices.
    pub least_stake: Permill,
}

impl Verifiers {
    /// Returns whether a job that requires verification can be assigned.
    pub fn suffice(&self) -> bool {
        self.operators >= self.fewest_operators && self.stake >= self.least_stake
    }
}

/// The reasons for which a job has no quote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum QuoteError {
    /// No operator serves the model.
    ModelNotServed,
    /// The prompt and the output exceed the longest context that an operator of the model offers.
    ContextExceeded {
        /// That context in tokens.
        context: u32,
    },
    /// The request asks for no tokens.
    MaxTokensZero,
    /// The prompt is empty.
    InputEmpty,
}

/// A job as the chain records it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct JobView<AccountId> {
    /// The client that ordered the job.
    pub client: AccountId,
    /// The specification of the job.
    pub spec: JobSpec<AccountId>,
    /// The payment put on hold.
    pub payment: Payment,
    /// The block in which the job was created.
    pub created: BlockNumber,
    /// The number of operators drawn for the job so far.
    pub attempts: u8,
    /// The state of the job.
    pub state: JobState<AccountId>,
    /// The committee, while one is at work.
    pub committee: Vec<AccountId>,
    /// The bond of whoever challenges the output, or of the account that does; `None` where the output
    /// is not open to challenges.
    pub challenge_bond: Option<Balance>,
}

/// A model that an operator serves.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct OfferView {
    /// The model.
    pub model: ModelId,
    /// The prices of a token.
    pub prices: Prices,
    /// The longest context in tokens, prompt and output together.
    pub context: u32,
    /// The most that the operator earns with one job.
    pub max_reward: Balance,
    /// The most of its stake that it puts up for one job.
    pub max_bond: Balance,
}

/// A fraction in billionths.
pub type Billionths = u32;

/// An operator's commission as the chain records it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, TypeInfo)]
pub struct CommissionView {
    /// The current commission.
    pub current: Billionths,
    /// The pending higher commission and the block from which it applies.
    pub raise: Option<(Billionths, BlockNumber)>,
}

/// A slash that is not yet applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct SlashView {
    /// The slash's number.
    pub id: u32,
    /// The amount that the slash takes.
    pub amount: Balance,
    /// The block from which the slash can be applied, and until which it can be cancelled.
    pub due: BlockNumber,
}

/// An account's delegation to an operator.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct DelegationView<AccountId> {
    /// The operator's stash.
    pub operator: AccountId,
    /// The current worth of the delegation.
    pub worth: Balance,
    /// Amounts being taken back, each with the block from which it can be withdrawn.
    pub unbonding: Vec<(Balance, BlockNumber)>,
    /// Whether the operator is gone, in which case everything can be withdrawn at once.
    pub operator_gone: bool,
}

/// An operator as the chain records it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct OperatorView<AccountId> {
    /// The cold account that owns the stake.
    pub stash: AccountId,
    /// The account that receives pay.
    pub payout: AccountId,
    /// The hot key that signs reports.
    pub worker: AccountId,
    /// The worker before that one, and the last block in which it can report on the duties from its
    /// time; `None` if it can report no more.
    pub retiring: Option<(AccountId, BlockNumber)>,
    /// The models served.
    pub offers: Vec<OfferView>,
    /// The number of jobs that the operator can run at a time.
    pub concurrency: u32,
    /// The number of jobs that the operator runs now.
    pub running: u32,
    /// Whether the operator takes no new duties.
    pub draining: bool,
    /// The operator's own stake, without amounts being unbonded.
    pub bonded: Balance,
    /// The amount delegated by others, without amounts that they are taking back.
    pub delegated: Balance,
    /// The amount that delegators are taking back.
    pub undelegating: Balance,
    /// The number of delegators.
    pub delegators: u32,
    /// The part of the stake that duties reserve.
    pub reserved: Balance,
    /// Amounts being unbonded, each with the block from which it can be withdrawn.
    pub unbonding: Vec<(Balance, BlockNumber)>,
    /// The fraction of the pay that the operator keeps before it is shared with its delegators.
    pub commission: CommissionView,
    /// The slashes that are not yet applied.
    pub slashes: Vec<SlashView>,
    /// The clients of which the operator takes no jobs.
    pub refused: Vec<AccountId>,
    /// The contact of the operator's node; `None` for an operator of genesis that has not set one.
    pub contact: Option<Contact>,
}

/// The factors that decide an operator's part of a model's jobs. Fractions are in billionths,
/// speeds in thousandths of a token per second.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Allocation<AccountId> {
    /// The operator's stash.
    pub operator: AccountId,
    /// Whether the operator can be drawn: it takes duties, has enough stake, and answers.
    pub drawable: bool,
    /// The uptime, smoothed over epochs.
    pub uptime: u64,
    /// The speed with the model, smoothed over epochs.
    pub speed: u64,
    /// The operator's part of the speed of all operators of the model, each speed limited to what
    /// the operator's stake backs.
    pub speed_share: u64,
    /// The operator's part of the stake that counts.
    pub stake_share: u64,
    /// The weight of uptime; 0 where uptime is a factor of the whole score.
    pub uptime_weight: u64,
    /// The weight of speed.
    pub speed_weight: u64,
    /// The weight of stake.
    pub stake_weight: u64,
    /// The score in this epoch.
    pub score: u64,
    /// The part of the draws that the operator wins while all operators are equally busy.
    pub draw_share: u64,
    /// The number of the model's jobs assigned to the operator in this epoch.
    pub assigned: u32,
    /// The most jobs that the operator could have been assigned by now.
    pub cap: u32,
}

sp_api::decl_runtime_apis! {
    /// The distribution of jobs among operators, and the reasons for it.
    pub trait RoutingApi<AccountId: codec::Codec> {
        /// Returns an operator's part of a model's jobs with each factor; `None` where the operator
        /// does not serve the model.
        fn allocation(model: ModelId, operator: AccountId) -> Option<Allocation<AccountId>>;
        /// Returns a page of the allocations of the model's operators, at most `limit` of them and at
        /// most [`MAX_PAGE`]. It begins after the operator with that stash, or with the first.
        fn allocations(
            model: ModelId,
            start_after: Option<AccountId>,
            limit: u32,
        ) -> Vec<Allocation<AccountId>>;
        /// Returns a page of the models that operators offer, at most `limit` of them and at most
        /// [`MAX_PAGE`]. It begins after that model, or with the first.
        fn models(start_after: Option<ModelId>, limit: u32) -> Vec<ModelId>;
    }

    /// The check of changes of parameters, for whoever proposes them.
    pub trait SettingsApi<Change: codec::Codec> {
        /// Returns what `settings.set` refuses the changes for, with the numbers.
        fn check(changes: Vec<Change>) -> Result<(), Violation>;
    }

    /// The state that Assay's nodes and clients read.
    ///
    /// Lists whose function has a `limit` come in pages of at most `limit` entries, and at most
    /// [`MAX_PAGE`]; the others are whole. A page begins after the entry that `start_after` names, or with
    /// the first, in an order that is the same at every block. A page with fewer entries than the smaller
    /// of `limit` and [`MAX_PAGE`] is the last.
    #[api_version(3)]
    pub trait AssayApi<AccountId: codec::Codec> {
        /// Returns the amounts that creating a job of this size with this model puts on hold.
        fn quote(model: ModelId, input_tokens: u32, max_tokens: u32) -> Result<Quote, QuoteError>;
        /// Returns the identifier that the client's next job would have.
        fn next_job_id(client: AccountId, spec: JobSpec<AccountId>) -> JobId;
        /// Returns a job.
        fn job(id: JobId) -> Option<JobView<AccountId>>;
        /// Returns the payload with that hash that the operator of a job has published on the chain;
        /// `None` if it has not.
        fn published(id: JobId, hash: H256) -> Option<Vec<u8>>;
        /// Returns a page of the jobs of a client that are not yet pruned.
        fn jobs_of(client: AccountId, start_after: Option<JobId>, limit: u32) -> Vec<JobId>;
        /// Returns the jobs that were created in this block, each with the hash of its request.
        fn created_jobs() -> Vec<(JobId, H256)>;
        /// Returns those of `ids` that are neither settled nor unknown.
        fn live_jobs(ids: Vec<JobId>) -> Vec<JobId>;
        /// Returns an operator by its stash.
        fn operator(stash: AccountId) -> Option<OperatorView<AccountId>>;
        /// Returns the stash of the operator that an account can report for: that of its worker, or of
        /// the worker before it, as long as that one can report.
        fn stash_of_worker(worker: AccountId) -> Option<AccountId>;
        /// Returns a page of the operators.
        fn operators(start_after: Option<AccountId>, limit: u32) -> Vec<OperatorView<AccountId>>;
        /// Returns a page of the operators that offer a model.
        fn operators_of_model(
            model: ModelId,
            start_after: Option<AccountId>,
            limit: u32,
        ) -> Vec<OperatorView<AccountId>>;
        /// Returns all of the account's delegations, one per operator.
        fn delegations(account: AccountId) -> Vec<DelegationView<AccountId>>;
        /// Returns the amount that the account can withdraw with `escrow.claim`.
        fn claimable(account: AccountId) -> Balance;
        /// Returns the account that has registered the hash of an Assay address.
        fn account_of(address: [u8; 20]) -> Option<AccountId>;
        /// Returns the hash of the Assay address that an account has registered.
        fn address_of(account: AccountId) -> Option<[u8; 20]>;
        /// The parameters that governance can change, as they are in effect.
        fn parameters() -> Parameters;
    }
}
