// SPDX-License-Identifier: Apache-2.0
//! The parameters that governance can change, as they are in effect.
//!
//! Metadata cannot tell them: it is fixed with the runtime, and they are not. Limits that only a new
//! runtime changes are constants of the pallets.

use crate::{Balance, BlockNumber};
use alloc::string::String;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_runtime::{Perbill, Permill};

/// All parameters, by the pallet that goes by them.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Parameters {
    /// The life of a job.
    pub jobs: JobParameters,
    /// Audits and committees.
    pub verification: VerificationParameters,
    /// Operators and their delegators.
    pub operators: OperatorParameters,
    /// Draws and scores.
    pub routing: RoutingParameters,
}

/// The parameters of jobs.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct JobParameters {
    /// Blocks in which an operator that was drawn can accept.
    pub accept_window: BlockNumber,
    /// Blocks between delivery and settlement of a job that is not audited.
    pub challenge_window: BlockNumber,
    /// Blocks for which a settled job stays readable.
    pub retention: BlockNumber,
    /// The part of its bond that a late operator loses.
    pub lateness_fraction: Permill,
    /// The part of the price of the tokens that each verifier earns.
    pub verifier_share: Permill,
    /// The bounty for whoever moves a stalled job on.
    pub bounty: Balance,
    /// The part of every payment that is burnt, or kept by the fund of juries.
    pub burn_share: Permill,
    /// The lowest fee of a verifier for each token of prompt and output.
    pub verification_price: Balance,
    /// The deposit of a job.
    pub deposit: Balance,
    /// The part of all stake that operators must hold which can check a job that requires verification.
    pub verifiers_stake: Permill,
    /// The fewest tokens that a model is taken to write in a block.
    pub generation_speed: u32,
    /// The part of an operator's slashed bond that goes to an account other than the client which
    /// challenged the output.
    pub challenge_reward: Permill,
}

/// The parameters of audits.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct VerificationParameters {
    /// Blocks in which verifiers can commit, in addition to the time in which they read.
    pub commit_window: BlockNumber,
    /// Blocks in which verifiers can reveal.
    pub reveal_window: BlockNumber,
    /// The lowest rate at which an operator's jobs are audited.
    pub audit_floor: Permill,
    /// The part of its bond that a verifier loses that neither commits nor vacates its seat.
    pub silence_fraction: Permill,
    /// Blocks with whose VRF outputs a draw of an audit is made.
    pub draw_blocks: BlockNumber,
    /// Tokens that verifiers read in a block.
    pub verification_speed: u32,
    /// The part of accepted audits that a jury looks at a second time.
    pub second_looks: Permill,
    /// Blocks in which an operator can publish what a jury could not fetch.
    pub produce_window: BlockNumber,
    /// The price of each byte that an operator publishes.
    pub publication_price: Balance,
    /// The most that the fund of juries keeps.
    pub fund_most: Balance,
    /// The payment from which on a job counts whole for its operator's record of audits.
    pub record_fee: Balance,
}

/// The parameters of operators.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct OperatorParameters {
    /// The least that an operator bonds.
    pub min_bond: Balance,
    /// Blocks from unbonding to withdrawing.
    pub unbonding_period: BlockNumber,
    /// The least that an account delegates to an operator.
    pub min_delegation: Balance,
    /// The most that can be delegated to an operator, in percent of its own stake.
    pub max_delegation_percent: u32,
    /// The most by which a commission rises at a time.
    pub max_commission_raise: Perbill,
    /// Blocks in which the slash for an offence against consensus can be cancelled.
    pub slash_delay: BlockNumber,
}

/// The parameters of routing.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct RoutingParameters {
    /// The fewest blocks of an epoch.
    pub epoch_length: BlockNumber,
    /// Blocks from its turn in which an operator can send its heartbeat.
    pub heartbeat_window: BlockNumber,
    /// The number of requests in a row that an operator can miss until it falls silent.
    pub max_misses: u32,
    /// The part of a model's jobs in an epoch beyond which an operator is drawn last.
    pub cap_share: Permill,
    /// The jobs that an operator can be given in an epoch, however small that part is.
    pub cap_minimum: u32,
    /// Whether scores are sums of uptime, speed and stake, and not shares times the uptime.
    pub additive: bool,
    /// The weight of uptime in sums, before weights react to medians.
    pub uptime_weight: Permill,
    /// The weight of speed, before weights react to medians. Stake has the rest.
    pub speed_weight: Permill,
    /// The part of itself by which a weight rises when its median falls.
    pub reaction: Permill,
    /// The part by which a median must fall to count as fallen.
    pub tolerance: Permill,
    /// The step of the moving average of weights.
    pub weight_smoothing: Permill,
    /// The step of the moving average of uptimes and speeds.
    pub smoothing: Permill,
    /// The uptime of an operator of which nothing is known.
    pub newcomer_uptime: Permill,
    /// The stake above which more adds nothing.
    pub stake_cap: Balance,
}

/// A range or an inequality that a set of parameters violates, with the numbers.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Violation {
    /// A parameter is below or above its range. Fractions are in their parts: those of a `Permill` in
    /// millionths, those of a `Perbill` in billionths.
    #[codec(index = 0)]
    OutOfRange {
        /// The name of the parameter.
        parameter: String,
        /// Its value.
        value: u128,
        /// The lowest value.
        least: u128,
        /// The highest value.
        most: u128,
    },
    /// An operator that lies does not lose more by its bond than it earns: audits are too rare, or
    /// their draws read too few blocks.
    #[codec(index = 1)]
    LyingPays {
        /// The rate at which a liar must expect audits that waits for its own blocks, in billionths.
        audited: u64,
        /// The part of audited lies that are found, in billionths.
        detected: u64,
        /// The bond of a job, in rewards.
        bond: u32,
        /// The lowest bond for which a lie loses money.
        least: u32,
    },
    /// Verifiers that collude do not lose more by second looks than they gain by an accepted lie.
    #[codec(index = 2)]
    CapturePays {
        /// The part of accepted audits that a jury looks at a second time, in millionths.
        second_looks: u32,
        /// The lowest part for which a captured committee loses money.
        least: u32,
    },
    /// Stake can be withdrawn before an offence or an output that it stands for is judged.
    #[codec(index = 3)]
    UnbondingTooShort {
        /// The blocks from unbonding to withdrawing.
        unbonding: BlockNumber,
        /// The fewest blocks.
        least: BlockNumber,
    },
    /// The window for challenges is over before it is known that an output is not audited.
    #[codec(index = 4)]
    ChallengeWindowTooShort {
        /// The blocks from the commitment to the end of the window.
        window: BlockNumber,
        /// The fewest blocks.
        least: BlockNumber,
    },
}
