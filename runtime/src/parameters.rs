// SPDX-License-Identifier: Apache-2.0
//! The parameters that governance can change without an upgrade. Each has a default and a range.
//! `pallet-settings` refuses a value out of its range; a value that an upgrade leaves out of it is
//! clamped when it is read.

pub mod checked;
pub mod in_effect;

use crate::{
    Balance, BlockNumber, Runtime, DAYS, EXISTENTIAL_DEPOSIT, HOURS, MICRO_UNIT, MILLI_UNIT,
    MINUTES, UNIT,
};
use alloc::vec::Vec;
use assay_primitives::{parameters::Violation, ticket::MAX_BLOCKS};
use frame_support::{
    dynamic_params::{dynamic_pallet_params, dynamic_params},
    traits::{dynamic_params::AggregatedKeyValue, Get},
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

    /// Parameters of a job's life.
    #[dynamic_pallet_params]
    #[codec(index = 0)]
    pub mod jobs {
        /// The number of blocks that an operator has to accept a job that was assigned to it.
        #[codec(index = 0)]
        pub static AcceptWindow: BlockNumber = 10;
        /// The number of blocks from the delivery in which the client can confirm and claims can be
        /// made.
        #[codec(index = 1)]
        pub static ChallengeWindow: BlockNumber = 10 * MINUTES;
        /// The number of blocks for which a settled job stays readable.
        #[codec(index = 2)]
        pub static Retention: BlockNumber = 7 * DAYS;
        /// The fraction of a bond that lateness costs.
        #[codec(index = 3)]
        pub static LatenessFraction: Permill = Permill::from_percent(20);
        /// The fraction of the price of the tokens that each verifier receives.
        #[codec(index = 4)]
        pub static VerifierShare: Permill = Permill::from_percent(10);
        /// The bounty for whoever moves a stalled job on.
        #[codec(index = 5)]
        pub static Bounty: Balance = 10 * MILLI_UNIT;
        /// The fraction of every payment that is burnt, or kept by the fund of juries.
        #[codec(index = 6)]
        pub static BurnShare: Permill = Permill::from_percent(5);
        /// The lowest fee of a verifier for each token of prompt and output.
        #[codec(index = 7)]
        pub static VerificationPrice: Balance = 10 * MICRO_UNIT;
        /// The deposit of a job.
        #[codec(index = 8)]
        pub static Deposit: Balance = 100 * MILLI_UNIT;
        /// The part of all stake that operators must hold which can check a job whose client requires
        /// verification.
        #[codec(index = 9)]
        pub static VerifiersStake: Permill = Permill::from_percent(10);
        /// The fewest tokens that a model is taken to write in a block: a job whose deadline is too short
        /// for that is refused, unless its model was measured to be faster.
        #[codec(index = 10)]
        pub static GenerationSpeed: u32 = 60;
        /// The fraction of what is left of an operator's slashed bond that goes to an account other
        /// than the client which challenged the output.
        #[codec(index = 11)]
        pub static ChallengeReward: Permill = Permill::from_percent(10);
    }

    /// Parameters of committees.
    #[dynamic_pallet_params]
    #[codec(index = 1)]
    pub mod verification {
        /// The number of blocks that a committee has to commit to its verdicts.
        #[codec(index = 0)]
        pub static CommitWindow: BlockNumber = 3 * MINUTES;
        /// The number of blocks that a committee has to reveal its verdicts.
        #[codec(index = 1)]
        pub static RevealWindow: BlockNumber = 3 * MINUTES;
        /// The smallest fraction of jobs that is audited.
        #[codec(index = 2)]
        pub static AuditFloor: Permill = Permill::from_percent(13);
        /// The fraction of its bond that a silent verifier loses.
        #[codec(index = 3)]
        pub static SilenceFraction: Permill = Permill::from_percent(5);
        /// The number of blocks with whose VRF outputs a draw of an audit is made.
        #[codec(index = 4)]
        pub static DrawBlocks: BlockNumber = 16;
        /// The number of tokens, of prompt and output together, for which verifiers have another
        /// block to commit.
        #[codec(index = 5)]
        pub static VerificationSpeed: u32 = 60;
        /// The fraction of accepted audits that a jury looks at a second time.
        #[codec(index = 6)]
        pub static SecondLooks: Permill = Permill::from_percent(10);
        /// The number of blocks in which an operator can publish what a jury could not fetch.
        #[codec(index = 7)]
        pub static ProduceWindow: BlockNumber = 2 * HOURS;
        /// The price of each byte that an operator publishes: about an ASY for a mebibyte.
        #[codec(index = 8)]
        pub static PublicationPrice: Balance = MICRO_UNIT;
        /// The most that the fund of juries keeps of what is taken of payments for nobody.
        #[codec(index = 9)]
        pub static FundMost: Balance = 10_000 * UNIT;
        /// The payment from which on a job counts whole for its operator's record of audits.
        #[codec(index = 10)]
        pub static RecordFee: Balance = UNIT;
    }

    /// Parameters of operators.
    #[dynamic_pallet_params]
    #[codec(index = 2)]
    pub mod operators {
        /// The smallest bond of an operator.
        #[codec(index = 0)]
        pub static MinBond: Balance = 1_000 * UNIT;
        /// The number of blocks from unbonding to withdrawing, which is longer than a challenge
        /// window and an audit.
        #[codec(index = 1)]
        pub static UnbondingPeriod: BlockNumber = 7 * DAYS;
        /// The smallest delegation of an account to an operator.
        #[codec(index = 2)]
        pub static MinDelegation: Balance = UNIT;
        /// The largest sum of delegations to an operator, in percent of its own stake.
        #[codec(index = 3)]
        pub static MaxDelegationPercent: u32 = 400;
        /// The most by which a commission can rise at a time.
        #[codec(index = 4)]
        pub static MaxCommissionRaise: Perbill = Perbill::from_percent(5);
        /// The number of blocks in which a slash for an offence against consensus can be cancelled.
        #[codec(index = 5)]
        pub static SlashDelay: BlockNumber = 3 * DAYS;
    }

    /// Parameters of the distribution of jobs.
    #[dynamic_pallet_params]
    #[codec(index = 3)]
    pub mod routing {
        /// The number of blocks in an epoch of routing.
        #[codec(index = 0)]
        pub static EpochLength: BlockNumber = HOURS;
        /// The number of blocks in each epoch that an operator has to send its heartbeat.
        #[codec(index = 1)]
        pub static HeartbeatWindow: BlockNumber = 10 * MINUTES;
        /// The number of requests in a row that an operator can miss until it is excluded from
        /// draws.
        #[codec(index = 2)]
        pub static MaxMisses: u32 = 3;
        /// The fraction of a model's jobs in an epoch beyond which an operator is drawn last.
        #[codec(index = 3)]
        pub static CapShare: Permill = Permill::from_percent(20);
        /// The number of jobs that an operator can be assigned in an epoch regardless of
        /// `CapShare`.
        #[codec(index = 4)]
        pub static CapMinimum: u32 = 20;
        /// Whether scores are sums of uptime, speed and stake, and not shares of speed and stake
        /// times the uptime.
        #[codec(index = 5)]
        pub static Additive: bool = false;
        /// The weight of uptime in sums, before weights react to measurements.
        #[codec(index = 6)]
        pub static UptimeWeight: Permill = Permill::from_percent(30);
        /// The weight of speed, before weights react to measurements. Stake has the remaining
        /// weight.
        #[codec(index = 7)]
        pub static SpeedWeight: Permill = Permill::from_percent(50);
        /// The fraction of itself by which a weight rises when its median falls.
        #[codec(index = 8)]
        pub static Reaction: Permill = Permill::from_percent(25);
        /// The smallest fall of a median that counts as one.
        #[codec(index = 9)]
        pub static Tolerance: Permill = Permill::from_percent(2);
        /// The step of the moving average of weights.
        #[codec(index = 10)]
        pub static WeightSmoothing: Permill = Permill::from_percent(20);
        /// The step of the moving average of uptimes and speeds.
        #[codec(index = 11)]
        pub static Smoothing: Permill = Permill::from_percent(10);
        /// The initial uptime of an operator of which nothing is known.
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

/// Stores the value of a parameter, or its default where there is none, without any check.
pub(crate) fn set(change: RuntimeParameters) {
    let (key, value) = change.into_parts();
    pallet_parameters::Parameters::<Runtime>::set(key, value);
}

/// A value of a parameter as a number, for messages.
trait Number: Copy {
    /// Returns the number; of a fraction its parts.
    fn number(self) -> u128;
}

impl Number for u32 {
    fn number(self) -> u128 {
        self.into()
    }
}

impl Number for Balance {
    fn number(self) -> u128 {
        self
    }
}

impl Number for Permill {
    fn number(self) -> u128 {
        self.deconstruct().into()
    }
}

impl Number for Perbill {
    fn number(self) -> u128 {
        self.deconstruct().into()
    }
}

/// Reads a parameter and clamps it to its range.
macro_rules! clamped {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $parameter:path, $min:expr, $max:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Get<$type> for $name {
            fn get() -> $type {
                <$type>::clamp(<$parameter as Get<$type>>::get(), $min, $max)
            }
        }
    )*

        /// Returns the parameters that are stored out of their ranges.
        fn out_of_range() -> Vec<Violation> {
            let mut all = Vec::new();
            $(
                let value = <$parameter as Get<$type>>::get();
                let (least, most): ($type, $type) = ($min, $max);
                if !(least..=most).contains(&value) {
                    all.push(Violation::OutOfRange {
                        parameter: stringify!($name).into(),
                        value: value.number(),
                        least: least.number(),
                        most: most.number(),
                    });
                }
            )*
            all
        }
    };
}

clamped! {
    /// From 2 blocks to 10 minutes.
    AcceptWindow: BlockNumber = dynamic_params::jobs::AcceptWindow, 2, 10 * MINUTES;
    /// From 2 blocks to 7 days.
    ChallengeWindow: BlockNumber = dynamic_params::jobs::ChallengeWindow, 2, 7 * DAYS;
    /// From a minute to a year.
    Retention: BlockNumber = dynamic_params::jobs::Retention, MINUTES, 365 * DAYS;
    /// From 1 % to 100 %.
    LatenessFraction: Permill = dynamic_params::jobs::LatenessFraction,
        Permill::from_percent(1), Permill::from_percent(100);
    /// From 0 % to 10 %: by this share a committee of three never takes more than a third of the price.
    VerifierShare: Permill = dynamic_params::jobs::VerifierShare,
        Permill::zero(), Permill::from_percent(10);
    /// From 1 %, so that paying oneself always costs something, to 20 %.
    BurnShare: Permill = dynamic_params::jobs::BurnShare,
        Permill::from_percent(1), Permill::from_percent(20);
    /// From nothing to a thousandth of an ASY.
    VerificationPrice: Balance = dynamic_params::jobs::VerificationPrice, 0, MILLI_UNIT;
    /// From nothing to 100 ASY.
    Deposit: Balance = dynamic_params::jobs::Deposit, 0, 100 * UNIT;
    /// From 1 token a block to 100,000.
    GenerationSpeed: u32 = dynamic_params::jobs::GenerationSpeed, 1, 100_000;
    /// From 0 % to 50 %.
    VerifiersStake: Permill = dynamic_params::jobs::VerifiersStake,
        Permill::zero(), Permill::from_percent(50);
    /// From 0 % to 25 %. With more the bond of a challenger would no longer exceed by far what a captured
    /// jury can bring it.
    ChallengeReward: Permill = dynamic_params::jobs::ChallengeReward,
        Permill::zero(), Permill::from_percent(25);
    /// From 1 to 1,000 thousandths of an ASY: never below the existential deposit.
    Bounty: Balance = dynamic_params::jobs::Bounty, EXISTENTIAL_DEPOSIT, UNIT;
    /// From 4 blocks to an hour.
    CommitWindow: BlockNumber = dynamic_params::verification::CommitWindow, 4, HOURS;
    /// From 4 blocks to an hour.
    RevealWindow: BlockNumber = dynamic_params::verification::RevealWindow, 4, HOURS;
    /// From 1 % to 100 %. The rate from which a lie loses money follows from other parameters.
    AuditFloor: Permill = dynamic_params::verification::AuditFloor,
        Permill::from_percent(1), Permill::from_percent(100);
    /// From 1 % to 50 %.
    SilenceFraction: Permill = dynamic_params::verification::SilenceFraction,
        Permill::from_percent(1), Permill::from_percent(50);
    /// From 1 to 16 blocks.
    DrawBlocks: BlockNumber = dynamic_params::verification::DrawBlocks, 1, MAX_BLOCKS;
    /// From 1 token a block to 100,000.
    VerificationSpeed: u32 = dynamic_params::verification::VerificationSpeed, 1, 100_000;
    /// From 1 % to 100 %. The rate from which capturing a committee loses money follows from bonds.
    SecondLooks: Permill = dynamic_params::verification::SecondLooks,
        Permill::from_percent(1), Permill::from_percent(100);
    /// From a minute to a day. A worker publishes a chunk of 64 KiB every other block or so.
    ProduceWindow: BlockNumber = dynamic_params::verification::ProduceWindow, 20, DAYS;
    /// From nothing to a thousandth of an ASY.
    PublicationPrice: Balance = dynamic_params::verification::PublicationPrice, 0, MILLI_UNIT;
    /// From nothing to a million ASY.
    FundMost: Balance = dynamic_params::verification::FundMost, 0, 1_000_000 * UNIT;
    /// From a thousandth of an ASY to 1,000.
    RecordFee: Balance = dynamic_params::verification::RecordFee, MILLI_UNIT, 1_000 * UNIT;
    /// From 1 ASY to a million.
    MinBond: Balance = dynamic_params::operators::MinBond, UNIT, 1_000_000 * UNIT;
    /// From a minute to 60 days.
    UnbondingPeriod: BlockNumber = dynamic_params::operators::UnbondingPeriod, MINUTES, 60 * DAYS;
    /// From a thousandth of an ASY, which is the existential deposit, to 10,000 ASY.
    MinDelegation: Balance = dynamic_params::operators::MinDelegation,
        EXISTENTIAL_DEPOSIT, 10_000 * UNIT;
    /// From nothing to 20 times the own stake.
    MaxDelegationPercent: u32 = dynamic_params::operators::MaxDelegationPercent, 0, 2_000;
    /// From 1 % to 100 %.
    MaxCommissionRaise: Perbill = dynamic_params::operators::MaxCommissionRaise,
        Perbill::from_percent(1), Perbill::from_percent(100);
    /// From a minute to 30 days.
    SlashDelay: BlockNumber = dynamic_params::operators::SlashDelay, MINUTES, 30 * DAYS;
    /// From 3 blocks, within which a heartbeat can arrive, to 45 minutes.
    HeartbeatWindow: BlockNumber = dynamic_params::routing::HeartbeatWindow, 3, 45 * MINUTES;
    /// From 2 blocks more than the window of heartbeats to a week.
    EpochLength: BlockNumber = dynamic_params::routing::EpochLength,
        HeartbeatWindow::get().saturating_add(2), 7 * DAYS;
    /// From 1 to 100.
    MaxMisses: u32 = dynamic_params::routing::MaxMisses, 1, 100;
    /// From 1 % to 100 %.
    CapShare: Permill = dynamic_params::routing::CapShare,
        Permill::from_percent(1), Permill::from_percent(100);
    /// From 1 to a million.
    CapMinimum: u32 = dynamic_params::routing::CapMinimum, 1, 1_000_000;
    /// From [`MIN_WEIGHT`] to [`MAX_WEIGHT`].
    UptimeWeight: Permill = dynamic_params::routing::UptimeWeight,
        Permill::from_rational(MIN_WEIGHT, ONE), Permill::from_rational(MAX_WEIGHT, ONE);
    /// From [`MIN_WEIGHT`] to [`MAX_WEIGHT`].
    SpeedWeight: Permill = dynamic_params::routing::SpeedWeight,
        Permill::from_rational(MIN_WEIGHT, ONE), Permill::from_rational(MAX_WEIGHT, ONE);
    /// From 0 % to 100 %.
    Reaction: Permill = dynamic_params::routing::Reaction,
        Permill::zero(), Permill::from_percent(100);
    /// From 0 % to 50 %.
    Tolerance: Permill = dynamic_params::routing::Tolerance,
        Permill::zero(), Permill::from_percent(50);
    /// From 1 % to 100 %.
    WeightSmoothing: Permill = dynamic_params::routing::WeightSmoothing,
        Permill::from_percent(1), Permill::from_percent(100);
    /// From 1 % to 100 %.
    Smoothing: Permill = dynamic_params::routing::Smoothing,
        Permill::from_percent(1), Permill::from_percent(100);
    /// From 1 % to 100 %.
    NewcomerUptime: Permill = dynamic_params::routing::NewcomerUptime,
        Permill::from_percent(1), Permill::from_percent(100);
    /// From the minimum bond to 100 million ASY.
    StakeCap: Balance = dynamic_params::routing::StakeCap, MinBond::get(), 100_000_000 * UNIT;
}

/// The parameters of scores, read from storage.
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

/// Parameters set at genesis, which `pallet-parameters` does not support. The development preset
/// shortens every window to a few blocks.
#[frame_support::pallet]
#[allow(unused_qualifications, reason = "written by the macro")]
pub mod genesis {
    use super::*;
    use core::marker::PhantomData;
    use frame_support::pallet_prelude::*;

    /// A pallet without calls or storage, which only has a genesis.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// The configuration, which is empty: the pallet sets the parameters of this runtime.
    #[pallet::config]
    pub trait Config: frame_system::Config {}

    /// The windows of a network, and the rate of audits that fits its draws.
    #[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct Windows {
        /// The number of blocks to accept a job.
        pub accept: BlockNumber,
        /// The number of blocks of the challenge window.
        pub challenge: BlockNumber,
        /// The number of blocks for which a settled job is kept.
        pub retention: BlockNumber,
        /// The number of blocks to commit to a verdict.
        pub commit: BlockNumber,
        /// The number of blocks to reveal a verdict.
        pub reveal: BlockNumber,
        /// The number of blocks with whose outputs a draw of an audit is made.
        pub draw: BlockNumber,
        /// The smallest part of jobs that is audited, in millionths: a draw over few blocks can be
        /// foreseen, unless it always wins.
        pub audit_floor: u32,
        /// The number of blocks to publish what a jury could not fetch.
        pub produce: BlockNumber,
        /// The number of blocks to unbond.
        pub unbonding: BlockNumber,
        /// The number of blocks in which a slash can be cancelled.
        pub slash: BlockNumber,
        /// The number of blocks in an epoch of routing.
        pub epoch: BlockNumber,
        /// The number of blocks in each epoch to send a heartbeat.
        pub heartbeat: BlockNumber,
    }

    /// The initial windows; the defaults if there are none.
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
                RuntimeParameters::Verification(verification::Parameters::DrawBlocks(
                    verification::DrawBlocks,
                    Some(windows.draw),
                )),
                RuntimeParameters::Verification(verification::Parameters::AuditFloor(
                    verification::AuditFloor,
                    Some(Permill::from_parts(windows.audit_floor)),
                )),
                RuntimeParameters::Verification(verification::Parameters::ProduceWindow(
                    verification::ProduceWindow,
                    Some(windows.produce),
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
            all.into_iter().for_each(set);
        }
    }
}
