// SPDX-License-Identifier: Apache-2.0
//! The parameters in effect, for clients.

use super::*;
use assay_primitives::parameters::{
    JobParameters, OperatorParameters, Parameters, RoutingParameters, VerificationParameters,
};

/// Returns the parameters in effect, each kept in its range.
pub fn parameters() -> Parameters {
    Parameters {
        jobs: JobParameters {
            accept_window: AcceptWindow::get(),
            challenge_window: ChallengeWindow::get(),
            retention: Retention::get(),
            lateness_fraction: LatenessFraction::get(),
            verifier_share: VerifierShare::get(),
            bounty: Bounty::get(),
            burn_share: BurnShare::get(),
            verification_price: VerificationPrice::get(),
            deposit: Deposit::get(),
            verifiers_stake: VerifiersStake::get(),
            generation_speed: GenerationSpeed::get(),
            challenge_reward: ChallengeReward::get(),
        },
        verification: VerificationParameters {
            commit_window: CommitWindow::get(),
            reveal_window: RevealWindow::get(),
            audit_floor: AuditFloor::get(),
            silence_fraction: SilenceFraction::get(),
            draw_blocks: DrawBlocks::get(),
            verification_speed: VerificationSpeed::get(),
            second_looks: SecondLooks::get(),
            produce_window: ProduceWindow::get(),
            publication_price: PublicationPrice::get(),
            fund_most: FundMost::get(),
            record_fee: RecordFee::get(),
        },
        operators: OperatorParameters {
            min_bond: MinBond::get(),
            unbonding_period: UnbondingPeriod::get(),
            min_delegation: MinDelegation::get(),
            max_delegation_percent: MaxDelegationPercent::get(),
            max_commission_raise: MaxCommissionRaise::get(),
            slash_delay: SlashDelay::get(),
        },
        routing: RoutingParameters {
            epoch_length: EpochLength::get(),
            heartbeat_window: HeartbeatWindow::get(),
            max_misses: MaxMisses::get(),
            cap_share: CapShare::get(),
            cap_minimum: CapMinimum::get(),
            additive: dynamic_params::routing::Additive::get(),
            uptime_weight: UptimeWeight::get(),
            speed_weight: SpeedWeight::get(),
            reaction: Reaction::get(),
            tolerance: Tolerance::get(),
            weight_smoothing: WeightSmoothing::get(),
            smoothing: Smoothing::get(),
            newcomer_uptime: NewcomerUptime::get(),
            stake_cap: StakeCap::get(),
        },
    }
}
