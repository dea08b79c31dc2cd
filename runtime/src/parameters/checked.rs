// SPDX-License-Identifier: Apache-2.0
//! The inequalities that the parameters in effect keep to, so that honesty pays and stake stays as
//! long as it can be slashed. `docs/rpc.md` lists them.

use super::*;
use crate::{Runtime, Verification, EPOCH_DURATION_IN_SLOTS};
use assay_primitives::{
    honesty::{self, Panels},
    parameters::Violation,
};
use pallet_settings::CheckedParameters;

/// The fewest blocks after that of the draw in which an output that is not audited can be challenged.
const CHALLENGE_BLOCKS: BlockNumber = 2;

/// The parameters of this runtime, as `pallet-settings` checks them.
pub struct Checked;

impl CheckedParameters for Checked {
    type Change = RuntimeParameters;

    fn set(change: RuntimeParameters) {
        set(change);
    }

    fn violations() -> Vec<Violation> {
        let mut all = out_of_range();
        all.extend([lying(), capture(), unbonding(), challenges()].into_iter().flatten());
        all
    }
}

/// Returns the sizes of the panels that decide.
fn panels() -> Panels {
    Panels {
        committee: <Runtime as pallet_verification::Config>::CommitteeSize::get(),
        jury: <Runtime as pallet_verification::Config>::MinJury::get(),
    }
}

/// Checks that a lie costs its operator more than it earns.
fn lying() -> Option<Violation> {
    let audited = honesty::expected_rate(AuditFloor::get(), DrawBlocks::get());
    let detected = panels().detected();
    let bond = <Runtime as pallet_jobs::Config>::BondFactor::get();
    let least = honesty::least_bond(audited, detected);
    (bond < least).then_some(Violation::LyingPays { audited, detected, bond, least })
}

/// Checks that an accepted lie costs the verifiers that accept it more than it earns.
fn capture() -> Option<Violation> {
    let bond = <Runtime as pallet_jobs::Config>::BondFactor::get();
    let verifiers = <Runtime as pallet_verification::Config>::VerifierBondFactor::get();
    let least = honesty::least_second_looks(panels(), bond, verifiers);
    let second_looks = SecondLooks::get().deconstruct();
    (second_looks < least).then_some(Violation::CapturePays { second_looks, least })
}

/// Checks that stake stays until an offence against consensus is reported and its slash applied, and
/// for longer than a challenge window and the longest audit. Bonds of jobs and seats are reserved until
/// these are over in any case; this is a margin.
fn unbonding() -> Option<Violation> {
    // The sessions after an offence in which it can be reported, and its own.
    let sessions: u32 = <Runtime as pallet_operators::Config>::OffenceSessions::get();
    let session = BlockNumber::try_from(EPOCH_DURATION_IN_SLOTS).unwrap_or(BlockNumber::MAX);
    let reported = sessions.saturating_add(1).saturating_mul(session);
    let offences = reported.saturating_add(SlashDelay::get());
    let audits = ChallengeWindow::get().saturating_add(Verification::longest_audit());
    let least = offences.max(audits).saturating_add(1);
    let unbonding: BlockNumber = UnbondingPeriod::get();
    (unbonding < least).then_some(Violation::UnbondingTooShort { unbonding, least })
}

/// Checks that an output can be challenged in some blocks after the draw that does not audit it, which is
/// made in the block after its span at the earliest.
fn challenges() -> Option<Violation> {
    let window: BlockNumber = ChallengeWindow::get();
    let least = DrawBlocks::get().saturating_add(1).saturating_add(CHALLENGE_BLOCKS);
    (window < least).then_some(Violation::ChallengeWindowTooShort { window, least })
}
