// SPDX-License-Identifier: Apache-2.0
//! The parameters that governance can change without an upgrade, each with its default and the range
//! that a value is kept in when it is read.

pub mod in_effect;

use crate::{
    Balance, BlockNumber, Runtime, DAYS, EXISTENTIAL_DEPOSIT, HOURS, MILLI_UNIT, MINUTES, UNIT,
};
use frame_support::{
    dynamic_params::{dynamic_pallet_params, dynamic_params},
    traits::Get,
};
use pallet_routing::{
    fixed::{Billionths, ONE},
    weighting::{Weights, MAX_WEIGHT, MIN_WEIGHT},
    Mode, Params,
};
use sp_runtime::{Perbill, Permill};

/// The parameters as `pallet-parameters` stores them.
#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
pub mod dynamic_params {
    use super::*;

    /// The life of a job.
    #[dynamic_pallet_params]
    #[codec(index = 0)]
    pub mod jobs {
        /// Blocks that an operator has to accept a job that was assigned to it.
        #[codec(index = 0)]
        pub static AcceptWindow: BlockNumber = 10;
        /// Blocks from the delivery in which the client can confirm and claims can be made.
        #[codec(index = 1)]
        pub static ChallengeWindow: BlockNumber = 10 * MINUTES;
        /// Blocks that a settled job stays readable.
        #[codec(index = 2)]
        pub static Retention: BlockNumber = 7 * DAYS;
        /// The part of a bond that lateness costs.
        #[codec(index = 3)]
        pub static LatenessFraction: Permill = Permill::from_percent(20);
        /// The part of the price of the tokens that each verifier gets.
        #[codec(index = 4)]
        pub static VerifierShare: Permill = Permill::from_percent(3);
        /// What whoever moves a stuck job on gets.
        #[codec(index = 5)]
        pub static Bounty: Balance = 10 * MILLI_UNIT;
    }

    /// Committees.
    #[dynamic_pallet_params]
    #[codec(index = 1)]
    pub mod verification {
        /// Blocks that a committee has to commit to its verdicts.
        #[codec(index = 0)]
        pub static CommitWindow: BlockNumber = 3 * MINUTES;
        /// Blocks that it has to reveal them.
        #[codec(index = 1)]
        pub static RevealWindow: BlockNumber = 3 * MINUTES;
        /// The part of jobs that is audited at the least.
        #[codec(index = 2)]
        pub static AuditFloor: Permill = Permill::from_percent(10);
        /// The part of its bond that a silent verifier loses.
        #[codec(index = 3)]
        pub static SilenceFraction: Permill = Permill::from_percent(5);
    }

    /// Operators.
    #[dynamic_pallet_params]
    #[codec(index = 2)]
    pub mod operators {
        /// The least that an operator bonds.
        #[codec(index = 0)]
        pub static MinBond: Balance = 1_000 * UNIT;
        /// Blocks from unbonding to withdrawing: longer than a challenge window and an audit.
        #[codec(index = 1)]
        pub static UnbondingPeriod: BlockNumber = 7 * DAYS;
        /// The least that an account has delegated to an operator.
        #[codec(index = 2)]
        pub static MinDelegation: Balance = UNIT;
        /// The most that can be delegated to an operator, in percent of its own stake.
        #[codec(index = 3)]
        pub static MaxDelegationPercent: u32 = 400;
        /// The most by which a commission rises at a time.
        #[codec(index = 4)]
        pub static MaxCommissionRaise: Perbill = Perbill::from_percent(5);
        /// Blocks in which the slash for an offence against consensus can be cancelled.
        #[codec(index = 5)]
        pub static SlashDelay: BlockNumber = 3 * DAYS;
    }

    /// Who gets which jobs.
    #[dynamic_pallet_params]
    #[codec(index = 3)]
    pub mod routing {
        /// Blocks of an epoch of routing.
        #[codec(index = 0)]
        pub static EpochLength: BlockNumber = HOURS;
        /// Blocks that an operator has in each of them to show that it is there.
        #[codec(index = 1)]
        pub static HeartbeatWindow: BlockNumber = 10 * MINUTES;
        /// How often in a row an operator can miss what it is asked until it is drawn no more.
        #[codec(index = 2)]
        pub static MaxMisses: u32 = 3;
        /// The part of an epoch's jobs of a model beyond which an operator is drawn last.
        #[codec(index = 3)]
        pub static CapShare: Permill = Permill::from_percent(20);
        /// So many jobs an operator is given whatever that part is.
        #[codec(index = 4)]
        pub static CapMinimum: u32 = 20;
        /// Whether scores are sums of uptime, speed and stake, and not shares of speed and stake
        /// times the uptime.
        #[codec(index = 5)]
        pub static Additive: bool = false;
        /// What uptime counts in sums, before weights react to what is measured.
        #[codec(index = 6)]
        pub static UptimeWeight: Permill = Permill::from_percent(30);
        /// What speed counts, before weights react; stake counts the rest.
        #[codec(index = 7)]
        pub static SpeedWeight: Permill = Permill::from_percent(50);
        /// By how much of itself a weight rises when its median falls.
        #[codec(index = 8)]
        pub static Reaction: Permill = Permill::from_percent(25);
        /// A median that falls by less has not fallen.
        #[codec(index = 9)]
        pub static Tolerance: Permill = Permill::from_percent(2);
        /// The step of the moving average of weights.
        #[codec(index = 10)]
        pub static WeightSmoothing: Permill = Permill::from_percent(20);
        /// The step of the moving average of uptimes and speeds.
        #[codec(index = 11)]
        pub static Smoothing: Permill = Permill::from_percent(10);
        /// The uptime of an operator of which nothing is known.
        #[codec(index = 12)]
        pub static NewcomerUptime: Permill = Permill::from_percent(50);
        /// The stake above which more adds nothing.
        #[codec(index = 13)]
        pub static StakeCap: Balance = 1_000_000 * UNIT;
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl Default for RuntimeParameters {
    fn default() -> Self {
        Self::Jobs(dynamic_params::jobs::Parameters::Bounty(
            dynamic_params::jobs::Bounty,
            Some(MILLI_UNIT),
        ))
    }
}

/// Reads a parameter and keeps it in its range.
macro_rules! clamped {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $parameter:path, $min:expr, $max:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Get<$type> for $name {
            fn get() -> $type {
                <$type>::clamp(<$parameter as Get<$type>>::get(), $min, $max)
            }
        }
    )*};
}

clamped! {
    /// 2 blocks to 10 minutes.
    AcceptWindow: BlockNumber = dynamic_params::jobs::AcceptWindow, 2, 10 * MINUTES;
    /// 2 blocks to 7 days.
    ChallengeWindow: BlockNumber = dynamic_params::jobs::ChallengeWindow, 2, 7 * DAYS;
    /// A minute to a year.
    Retention: BlockNumber = dynamic_params::jobs::Retention, MINUTES, 365 * DAYS;
    /// 1 % to 100 %.
    LatenessFraction: Permill = dynamic_params::jobs::LatenessFraction,
        Permill::from_percent(1), Permill::from_percent(100);
    /// 0 % to 10 %: a committee of three never takes more than a third of the price.
    VerifierShare: Permill = dynamic_params::jobs::VerifierShare,
        Permill::zero(), Permill::from_percent(10);
    /// 1 to 1,000 thousandths of an ASY: never below the existential deposit.
    Bounty: Balance = dynamic_params::jobs::Bounty, EXISTENTIAL_DEPOSIT, UNIT;
    /// 4 blocks to an hour.
    CommitWindow: BlockNumber = dynamic_params::verification::CommitWindow, 4, HOURS;
    /// 4 blocks to an hour.
    RevealWindow: BlockNumber = dynamic_params::verification::RevealWindow, 4, HOURS;
    /// 10 % to 100 %: with a bond of ten rewards, cheating loses money from 10 % on.
    AuditFloor: Permill = dynamic_params::verification::AuditFloor,
        Permill::from_percent(10), Permill::from_percent(100);
    /// 1 % to 50 %.
    SilenceFraction: Permill = dynamic_params::verification::SilenceFraction,
        Permill::from_percent(1), Permill::from_percent(50);
    /// 1 ASY to a million.
    MinBond: Balance = dynamic_params::operators::MinBond, UNIT, 1_000_000 * UNIT;
    /// A minute to 60 days.
    UnbondingPeriod: BlockNumber = dynamic_params::operators::UnbondingPeriod, MINUTES, 60 * DAYS;
    /// A thousandth of an ASY, which is the existential deposit, to 10,000 ASY.
    MinDelegation: Balance = dynamic_params::operators::MinDelegation,
        EXISTENTIAL_DEPOSIT, 10_000 * UNIT;
    /// Nothing to 20 times the own stake.
    MaxDelegationPercent: u32 = dynamic_params::operators::MaxDelegationPercent, 0, 2_000;
    /// 1 % to 100 %.
    MaxCommissionRaise: Perbill = dynamic_params::operators::MaxCommissionRaise,
        Perbill::from_percent(1), Perbill::from_percent(100);
    /// A minute to 30 days.
    SlashDelay: BlockNumber = dynamic_params::operators::SlashDelay, MINUTES, 30 * DAYS;
    /// 3 blocks, within which a heartbeat can arrive, to 45 minutes.
    HeartbeatWindow: BlockNumber = dynamic_params::routing::HeartbeatWindow, 3, 45 * MINUTES;
    /// Longer than the window of heartbeats by 2 blocks to a week.
    EpochLength: BlockNumber = dynamic_params::routing::EpochLength,
        HeartbeatWindow::get().saturating_add(2), 7 * DAYS;
    /// 1 to 100.
    MaxMisses: u32 = dynamic_params::routing::MaxMisses, 1, 100;
    /// 1 % to 100 %.
    CapShare: Permill = dynamic_params::routing::CapShare,
        Permill::from_percent(1), Permill::from_percent(100);
    /// 1 to a million.
    CapMinimum: u32 = dynamic_params::routing::CapMinimum, 1, 1_000_000;
    /// [`MIN_WEIGHT`] to [`MAX_WEIGHT`].
    UptimeWeight: Permill = dynamic_params::routing::UptimeWeight,
        Permill::from_rational(MIN_WEIGHT, ONE), Permill::from_rational(MAX_WEIGHT, ONE);
    /// [`MIN_WEIGHT`] to [`MAX_WEIGHT`].
    SpeedWeight: Permill = dynamic_params::routing::SpeedWeight,
        Permill::from_rational(MIN_WEIGHT, ONE), Permill::from_rational(MAX_WEIGHT, ONE);
    /// 0 % to 100 %.
    Reaction: Permill = dynamic_params::routing::Reaction,
        Permill::zero(), Permill::from_percent(100);
    /// 0 % to 50 %.
    Tolerance: Permill = dynamic_params::routing::Tolerance,
        Permill::zero(), Permill::from_percent(50);
    /// 1 % to 100 %.
    WeightSmoothing: Permill = dynamic_params::routing::WeightSmoothing,
        Permill::from_percent(1), Permill::from_percent(100);
    /// 1 % to 100 %.
    Smoothing: Permill = dynamic_params::routing::Smoothing,
        Permill::from_percent(1), Permill::from_percent(100);
    /// 1 % to 100 %.
    NewcomerUptime: Permill = dynamic_params::routing::NewcomerUptime,
        Permill::from_percent(1), Permill::from_percent(100);
    /// The minimum bond to 100 million ASY.
    StakeCap: Balance = dynamic_params::routing::StakeCap, MinBond::get(), 100_000_000 * UNIT;
}

/// What scores are reckoned with.
pub struct Scores;

impl Get<Params> for Scores {
    fn get() -> Params {
        let additive = <dynamic_params::routing::Additive as Get<bool>>::get();
        let mode = if additive { Mode::Additive } else { Mode::Shares };
        let uptime = if additive { billionths(UptimeWeight::get()) } else { 0 };
        let speed = billionths(SpeedWeight::get());
        let stake = ONE.saturating_sub(uptime).saturating_sub(speed);
        Params {
            mode,
            base: Weights::bounded(Weights { uptime, speed, stake }, mode),
            reaction: billionths(Reaction::get()),
            tolerance: billionths(Tolerance::get()),
            weight_smoothing: billionths(WeightSmoothing::get()),
            smoothing: billionths(Smoothing::get()),
            newcomer_uptime: billionths(NewcomerUptime::get()),
            min_stake: MinBond::get(),
            stake_cap: StakeCap::get(),
        }
    }
}

fn billionths(part: Permill) -> Billionths {
    u64::from(part.deconstruct()).saturating_mul(ONE / 1_000_000)
}

/// Sets parameters at genesis, which `pallet-parameters` has no means for: the development preset
/// shortens every window to a few blocks.
#[frame_support::pallet]
#[allow(unused_qualifications, reason = "written by the macro")]
pub mod genesis {
    use super::*;
    use core::marker::PhantomData;
    use frame_support::pallet_prelude::*;

    /// No calls, no storage: only a genesis.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// Nothing to configure: it sets the parameters of this runtime.
    #[pallet::config]
    pub trait Config: frame_system::Config {}

    /// The windows of a network.
    #[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct Windows {
        /// Blocks to accept a job.
        pub accept: BlockNumber,
        /// Blocks of the challenge window.
        pub challenge: BlockNumber,
        /// Blocks that a settled job is kept.
        pub retention: BlockNumber,
        /// Blocks to commit to a verdict.
        pub commit: BlockNumber,
        /// Blocks to reveal it.
        pub reveal: BlockNumber,
        /// Blocks to unbond.
        pub unbonding: BlockNumber,
        /// Blocks to appeal against a slash.
        pub slash: BlockNumber,
        /// Blocks of an epoch of routing.
        pub epoch: BlockNumber,
        /// Blocks to show in each of them that one is there.
        pub heartbeat: BlockNumber,
    }

    /// The windows to begin with; the defaults where there are none.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The windows.
        pub windows: Option<Windows>,
        #[doc(hidden)]
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            use dynamic_params::{jobs, operators, routing, verification};
            let Some(windows) = self.windows else { return };
            let all = [
                RuntimeParameters::Jobs(jobs::Parameters::AcceptWindow(
                    jobs::AcceptWindow,
                    Some(windows.accept),
                )),
                RuntimeParameters::Jobs(jobs::Parameters::ChallengeWindow(
                    jobs::ChallengeWindow,
                    Some(windows.challenge),
                )),
                RuntimeParameters::Jobs(jobs::Parameters::Retention(
                    jobs::Retention,
                    Some(windows.retention),
                )),
                RuntimeParameters::Verification(verification::Parameters::CommitWindow(
                    verification::CommitWindow,
                    Some(windows.commit),
                )),
                RuntimeParameters::Verification(verification::Parameters::RevealWindow(
                    verification::RevealWindow,
                    Some(windows.reveal),
                )),
                RuntimeParameters::Operators(operators::Parameters::UnbondingPeriod(
                    operators::UnbondingPeriod,
                    Some(windows.unbonding),
                )),
                RuntimeParameters::Operators(operators::Parameters::SlashDelay(
                    operators::SlashDelay,
                    Some(windows.slash),
                )),
                RuntimeParameters::Routing(routing::Parameters::EpochLength(
                    routing::EpochLength,
                    Some(windows.epoch),
                )),
                RuntimeParameters::Routing(routing::Parameters::HeartbeatWindow(
                    routing::HeartbeatWindow,
                    Some(windows.heartbeat),
                )),
            ];
            for parameter in all {
                let result = pallet_parameters::Pallet::<Runtime>::set_parameter(
                    frame_system::RawOrigin::Root.into(),
                    parameter,
                );
                debug_assert!(result.is_ok(), "root may set parameters");
            }
        }
    }
}
