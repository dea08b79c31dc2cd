// SPDX-License-Identifier: Apache-2.0
//! A runtime with this pallet alone: the test decides on operators, jobs and randomness.

mod steps;

pub use assay_primitives::testing::{model, ParentRandomness};
pub use steps::*;

use crate as pallet_routing;
use crate::{
    fixed::ONE,
    markets::StoredTree,
    score::Params,
    tree,
    types::{Buffer, Kind},
};
use assay_primitives::{
    traits::{Standing, Standings},
    Balance, BlockNumber, ModelId, Prices,
};
use frame_support::{
    construct_runtime, derive_impl, parameter_types,
    traits::{ConstU32, ConstU64},
};
use sp_runtime::{BuildStorage, Permill};
use std::collections::BTreeMap;

pub type AccountId = u64;

/// The operators of most tests.
pub const OPERATORS: [AccountId; 4] = [11, 12, 13, 14];
/// The stake above which more adds nothing.
pub const CAP: Balance = 1_000_000;
pub const MIN_STAKE: Balance = 1_000;
/// The stake of the operators.
pub const STAKE: Balance = 100_000;
pub const PRICES: Prices = Prices { input: 1, output: 5 };
/// The longest context that they offer.
pub const CONTEXT: u32 = 200;
pub const LENGTH: BlockNumber = 20;
pub const WINDOW: BlockNumber = 5;

construct_runtime! {
    pub enum Test {
        System: frame_system,
        Routing: pallet_routing,
    }
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type BlockHashCount = ConstU64<100>;
}

/// The parameters of scores here.
pub const PARAMS: Params = Params::even(MIN_STAKE, CAP);

parameter_types! {
    /// The parameters that scores are computed with.
    pub static Parameters: Params = PARAMS;
    pub static EpochLength: BlockNumber = LENGTH;
    pub static HeartbeatWindow: BlockNumber = WINDOW;
    /// The part of the jobs beyond which an operator is drawn last.
    pub static CapShare: Permill = Permill::from_percent(20);
    pub static CapMinimum: u32 = 1_000;
    pub static MaxOperators: u32 = 64;
    pub static MaxVisits: u32 = 4;
    pub static MaxTries: u32 = 4;
    /// The standing of each operator.
    pub static Stands: BTreeMap<AccountId, Standing> = BTreeMap::new();
}

impl Standings<AccountId> for Stands {
    fn standing(operator: &AccountId) -> Option<Standing> {
        Self::get().get(operator).cloned()
    }

    fn serving(model: &ModelId, start_after: Option<&AccountId>, limit: u32) -> Vec<AccountId> {
        let offers = |standing: &Standing| standing.models.iter().any(|next| next.model == *model);
        Self::get()
            .into_iter()
            .filter(|(operator, standing)| Some(operator) > start_after && offers(standing))
            .map(|(operator, _)| operator)
            .take(limit as usize)
            .collect()
    }
}

#[derive_impl(pallet_routing::config_preludes::TestDefaultConfig)]
impl pallet_routing::Config for Test {
    type Operators = Stands;
    type Parameters = Parameters;
    type EpochLength = EpochLength;
    type HeartbeatWindow = HeartbeatWindow;
    type MaxMisses = ConstU32<3>;
    type CapShare = CapShare;
    type CapMinimum = CapMinimum;
    type MaxOperators = MaxOperators;
    type MaxModels = ConstU32<3>;
    type MaxVisits = MaxVisits;
    type MaxTries = MaxTries;
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    Parameters::set(PARAMS);
    EpochLength::set(LENGTH);
    HeartbeatWindow::set(WINDOW);
    CapShare::set(Permill::from_percent(20));
    CapMinimum::set(1_000);
    MaxOperators::set(64);
    MaxVisits::set(4);
    MaxTries::set(4);
    ParentRandomness::reset();
    Stands::take();
    let storage = RuntimeGenesisConfig::default().build_storage().unwrap();
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.execute_with(|| System::set_block_number(0));
    ext
}

/// Runs the test in the first block with four operators that serve model 1, then checks the
/// invariants.
pub fn with_operators<R>(test: impl FnOnce() -> R) -> R {
    new_test_ext().execute_with(|| {
        for operator in OPERATORS {
            serve(operator, STAKE, &[model(1)]);
        }
        next_block();
        let result = test();
        check_state().unwrap();
        result
    })
}

/// Does the same without operators.
pub fn with_nobody<R>(test: impl FnOnce() -> R) -> R {
    new_test_ext().execute_with(|| {
        next_block();
        let result = test();
        check_state().unwrap();
        result
    })
}

/// The pallet's invariants; and that stakes in the trees are those of the records, and that nobody
/// with a stake and an uptime is without a score, which in a runtime holds but while parameters
/// change.
pub fn check_state() -> Result<(), sp_runtime::TryRuntimeError> {
    Routing::do_try_state()?;
    for (operator, member) in crate::Members::<Test>::iter() {
        assert_eq!(member.counted, member.backed(&Parameters::get()), "stake of {operator} in all");
        for served in &member.served {
            let stakes = StoredTree::<Test>::new(&served.model, Kind::Stakes);
            let stake = member.backed(&Parameters::get());
            assert_eq!(tree::leaf(&stakes, member.slot), stake, "stake of {operator}");
            for buffer in Buffer::ALL {
                let score = Routing::score_in(&served.model, buffer, member.slot);
                let scores = stake > 0 && member.uptime > ONE / 100;
                assert!(score > 0 || !scores, "{operator} has lost its score");
            }
        }
    }
    Ok(())
}

/// Returns [`crate::Config::MaxTries`].
pub fn max_tries() -> u32 {
    MaxTries::get()
}
