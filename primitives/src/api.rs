// SPDX-License-Identifier: Apache-2.0
//! Runtime APIs: what nodes, clients and dApps read of the state.

// The macro writes the bound of `AccountId` twice.
#![allow(clippy::multiple_bound_locations)]

use crate::{
    contact::Contact,
    job::{JobId, JobSpec, JobState, ModelId, Payment},
    parameters::Parameters,
    Balance, BlockNumber,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// What a job would cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Quote {
    /// Price per generated token.
    pub price: Balance,
    /// The payment to create the job with.
    pub payment: Payment,
    /// Held beside it, for whoever settles the job if its own parties do not.
    pub bounty: Balance,
    /// All that creating the job puts on hold.
    pub total: Balance,
}

/// Why there is no quote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum QuoteError {
    /// No operator serves the model.
    ModelNotServed,
    /// Prompt and output exceed the longest context that an operator of the model offers.
    ContextExceeded {
        /// That context in tokens.
        context: u32,
    },
    /// No tokens were asked for.
    MaxTokensZero,
    /// The prompt is empty.
    InputEmpty,
}

/// A job as the chain has it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct JobView<AccountId> {
    /// Who bought it.
    pub client: AccountId,
    /// What was ordered.
    pub spec: JobSpec<AccountId>,
    /// What was put on hold.
    pub payment: Payment,
    /// Block in which it was created.
    pub created: BlockNumber,
    /// Operators that were drawn for it so far.
    pub attempts: u8,
    /// Where it is.
    pub state: JobState<AccountId>,
    /// The committee, while one is at work.
    pub committee: Vec<AccountId>,
}

/// A model that an operator serves.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct OfferView {
    /// The model.
    pub model: ModelId,
    /// Price per generated token.
    pub price: Balance,
    /// Longest context in tokens, prompt and output together.
    pub context: u32,
}

/// A part of a whole, in billionths.
pub type Billionths = u32;

/// An operator's commission as the chain has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, TypeInfo)]
pub struct CommissionView {
    /// What it is now.
    pub current: Billionths,
    /// What it rises to, with the block from which it does.
    pub raise: Option<(Billionths, BlockNumber)>,
}

/// A slash that is not yet applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct SlashView {
    /// Its number.
    pub id: u32,
    /// How much it takes.
    pub amount: Balance,
    /// Block from which it can be applied, and until which it can be cancelled.
    pub due: BlockNumber,
}

/// What an account has delegated to an operator.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct DelegationView<AccountId> {
    /// The operator's stash.
    pub operator: AccountId,
    /// What it is worth now.
    pub worth: Balance,
    /// Amounts that are taken back, each with the block from which it can be withdrawn.
    pub unbonding: Vec<(Balance, BlockNumber)>,
    /// Whether the operator is gone, so that all can be withdrawn at once.
    pub operator_gone: bool,
}

/// An operator as the chain has it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct OperatorView<AccountId> {
    /// The cold account that owns the stake.
    pub stash: AccountId,
    /// The account that receives pay.
    pub payout: AccountId,
    /// The hot key that signs reports.
    pub worker: AccountId,
    /// Models served.
    pub offers: Vec<OfferView>,
    /// Jobs it can run at a time.
    pub concurrency: u32,
    /// Jobs it runs now.
    pub running: u32,
    /// Whether it takes no new duties.
    pub draining: bool,
    /// Its own stake, without what is being unbonded.
    pub bonded: Balance,
    /// What others have delegated to it, without what they take back.
    pub delegated: Balance,
    /// What they take back.
    pub undelegating: Balance,
    /// How many they are.
    pub delegators: u32,
    /// The part of the stake that duties reserve.
    pub reserved: Balance,
    /// Amounts being unbonded, each with the block from which it can be withdrawn.
    pub unbonding: Vec<(Balance, BlockNumber)>,
    /// Its part of the pay before its delegators have theirs.
    pub commission: CommissionView,
    /// Slashes that are not yet applied.
    pub slashes: Vec<SlashView>,
    /// Where its node is reached; `None` of an operator of genesis that has not said so.
    pub contact: Option<Contact>,
}

/// Why an operator gets the part of a model's jobs that it gets. Fractions are in billionths, speeds
/// in thousandths of a token per second.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Allocation<AccountId> {
    /// The operator's stash.
    pub operator: AccountId,
    /// Whether it can be drawn: it takes duties, has enough stake, and answers.
    pub drawable: bool,
    /// Its uptime, smoothed over epochs.
    pub uptime: u64,
    /// Its speed with the model, smoothed over epochs.
    pub speed: u64,
    /// Its part of the speed that all operators of the model have, as far as their stake backs it.
    pub speed_share: u64,
    /// Its part of the stake that counts.
    pub stake_share: u64,
    /// What uptime counts; 0 where it is a factor of the whole.
    pub uptime_weight: u64,
    /// What speed counts.
    pub speed_weight: u64,
    /// What stake counts.
    pub stake_weight: u64,
    /// Its score in this epoch.
    pub score: u64,
    /// The part of the draws that it wins while all are equally busy.
    pub draw_share: u64,
    /// Jobs of the model that it was given in this epoch.
    pub assigned: u32,
    /// The most that it could have been given by now.
    pub cap: u32,
}

sp_api::decl_runtime_apis! {
    /// Who gets jobs, and why.
    pub trait RoutingApi<AccountId: codec::Codec> {
        /// What an operator gets of a model's jobs, with each factor; `None` where it does not serve
        /// the model.
        fn allocation(model: ModelId, operator: AccountId) -> Option<Allocation<AccountId>>;
        /// The same of all operators of the model, in ascending order of their stashes.
        fn allocations(model: ModelId) -> Vec<Allocation<AccountId>>;
    }

    /// What Assay's nodes and clients read of the state.
    #[api_version(2)]
    pub trait AssayApi<AccountId: codec::Codec> {
        /// What a job of this size costs with this model: what creating it holds.
        fn quote(model: ModelId, input_tokens: u32, max_tokens: u32) -> Result<Quote, QuoteError>;
        /// The identifier that the client's next job would have.
        fn next_job_id(client: AccountId, spec: JobSpec<AccountId>) -> JobId;
        /// A job.
        fn job(id: JobId) -> Option<JobView<AccountId>>;
        /// The jobs of a client that are not yet pruned.
        fn jobs_of(client: AccountId) -> Vec<JobId>;
        /// Those of `ids` that are neither settled nor unknown.
        fn live_jobs(ids: Vec<JobId>) -> Vec<JobId>;
        /// An operator, by its stash.
        fn operator(stash: AccountId) -> Option<OperatorView<AccountId>>;
        /// All operators.
        fn operators() -> Vec<OperatorView<AccountId>>;
        /// What the account has delegated, by operator.
        fn delegations(account: AccountId) -> Vec<DelegationView<AccountId>>;
        /// What the account can withdraw with `escrow.claim`.
        fn claimable(account: AccountId) -> Balance;
        /// The account that has registered the hash of an Assay address.
        fn account_of(address: [u8; 20]) -> Option<AccountId>;
        /// The hash of the Assay address that an account has registered.
        fn address_of(account: AccountId) -> Option<[u8; 20]>;
        /// The parameters that governance can change, as they are in effect.
        fn parameters() -> Parameters;
    }
}
