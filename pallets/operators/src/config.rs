// SPDX-License-Identifier: Apache-2.0
//! What the pallet needs of its runtime.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod config {
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The currency of the stake.
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + Mutate<Self::AccountId>
            + MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + BalancedHold<Self::AccountId>;

        /// The runtime's hold reasons.
        type RuntimeHoldReason: From<HoldReason>;

        /// The stake below which an operator is no candidate for anything.
        type MinBond: Get<Balance>;

        /// From which the account of the vault is derived.
        #[pallet::constant]
        type PalletId: Get<PalletId>;

        /// The least that an account has delegated to an operator.
        type MinDelegation: Get<Balance>;

        /// The most that can be delegated to an operator, in percent of its own stake.
        type MaxDelegationPercent: Get<u32>;

        /// The most by which a commission rises at a time.
        type MaxCommissionRaise: Get<Perbill>;

        /// Blocks in which the slash for an offence against consensus can be cancelled.
        type SlashDelay: Get<BlockNumber>;

        /// Sessions in which an offence can be reported, beside that of the offence.
        type OffenceSessions: Get<SessionIndex>;

        /// Who can cancel it.
        type SlashCancelOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Blocks between unbonding and withdrawing. Longer than any duty can take to end, and than
        /// a misbehaviour can be reported.
        type UnbondingPeriod: Get<BlockNumber>;

        /// The most operators.
        #[pallet::constant]
        type MaxOperators: Get<u32>;

        /// The most models that an operator serves.
        #[pallet::constant]
        type MaxOffers: Get<u32>;

        /// The most slashes of an operator that wait at a time.
        #[pallet::constant]
        type MaxSlashes: Get<u32>;

        /// The most operators that stand for election: those with the most stake.
        #[pallet::constant]
        type MaxCandidates: Get<u32>;

        /// The most amounts that an operator, or a delegator of one, takes out at a time.
        #[pallet::constant]
        type MaxUnbonding: Get<u32>;

        /// The most jobs that an operator runs at a time.
        #[pallet::constant]
        type MaxConcurrency: Get<u32>;

        /// The most reports of one extrinsic.
        #[pallet::constant]
        type MaxReports: Get<u32>;

        /// The most reports of a block that pay no fee.
        #[pallet::constant]
        type MaxFreeReports: Get<u32>;

        /// The most validators.
        #[pallet::constant]
        type MaxValidators: Get<u32>;

        /// Blocks after which a worker sends reports again that the chain has not taken.
        #[pallet::constant]
        type ReportPatience: Get<BlockNumber>;

        /// Who has session keys: the session pallet.
        type Sessions: ValidatorRegistration<Self::AccountId>;

        /// Hears how operators stand.
        type Listener: OperatorChanged<Self::AccountId>;

        /// The pallets that lay duties on operators.
        type Duties: Duties<Self::AccountId>;

        /// The engine of the node, for the off-chain worker.
        type Engine: Engine;

        /// Signs and sends reports, for the off-chain worker.
        type Submitter: SubmitReports<Self::AccountId, Self::MaxReports>;

        /// Weights of this pallet's calls.
        type WeightInfo: WeightInfo;
    }
}
