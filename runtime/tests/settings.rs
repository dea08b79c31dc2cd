// SPDX-License-Identifier: Apache-2.0
//! Parameters change by one call, which refuses every set with which honesty would not pay.

mod chain;

use assay_primitives::{api::runtime_decl_for_settings_api::SettingsApi, parameters::Violation};
use assay_runtime::{
    parameters::{
        checked::Checked,
        dynamic_params::{jobs, operators, routing, verification},
        in_effect::parameters,
        RuntimeParameters,
    },
    presets, BlockNumber, Parameters, Runtime, RuntimeCall, RuntimeOrigin, System, DAYS, MINUTES,
};
use frame_support::{assert_noop, assert_ok};
use pallet_settings::{CheckedParameters, Error};
use sp_runtime::{
    traits::Dispatchable, DispatchError, DispatchErrorWithPostInfo, DispatchResultWithInfo, Permill,
};

/// Runs the test with the default parameters.
fn with_defaults(test: impl FnOnce()) {
    sp_io::TestExternalities::default().execute_with(|| {
        System::set_block_number(1);
        test();
    });
}

fn floor(percent: u32) -> RuntimeParameters {
    let floor = Some(Permill::from_percent(percent));
    RuntimeParameters::Verification(verification::Parameters::AuditFloor(
        verification::AuditFloor,
        floor,
    ))
}

fn draw_blocks(blocks: BlockNumber) -> RuntimeParameters {
    RuntimeParameters::Verification(verification::Parameters::DrawBlocks(
        verification::DrawBlocks,
        Some(blocks),
    ))
}

fn second_looks(parts: u32) -> RuntimeParameters {
    RuntimeParameters::Verification(verification::Parameters::SecondLooks(
        verification::SecondLooks,
        Some(Permill::from_parts(parts)),
    ))
}

fn unbonding(blocks: BlockNumber) -> RuntimeParameters {
    RuntimeParameters::Operators(operators::Parameters::UnbondingPeriod(
        operators::UnbondingPeriod,
        Some(blocks),
    ))
}

fn slash_delay(blocks: BlockNumber) -> RuntimeParameters {
    RuntimeParameters::Operators(operators::Parameters::SlashDelay(
        operators::SlashDelay,
        Some(blocks),
    ))
}

fn challenge(blocks: BlockNumber) -> RuntimeParameters {
    RuntimeParameters::Jobs(jobs::Parameters::ChallengeWindow(jobs::ChallengeWindow, Some(blocks)))
}

fn burn(percent: u32) -> RuntimeParameters {
    let burnt = Some(Permill::from_percent(percent));
    RuntimeParameters::Jobs(jobs::Parameters::BurnShare(jobs::BurnShare, burnt))
}

fn commit_window(blocks: BlockNumber) -> RuntimeParameters {
    RuntimeParameters::Verification(verification::Parameters::CommitWindow(
        verification::CommitWindow,
        Some(blocks),
    ))
}

fn epoch(blocks: BlockNumber) -> RuntimeParameters {
    RuntimeParameters::Routing(routing::Parameters::EpochLength(routing::EpochLength, Some(blocks)))
}

fn heartbeat(blocks: BlockNumber) -> RuntimeParameters {
    RuntimeParameters::Routing(routing::Parameters::HeartbeatWindow(
        routing::HeartbeatWindow,
        Some(blocks),
    ))
}

/// Sets parameters as root.
fn set(
    changes: &[RuntimeParameters],
) -> DispatchResultWithInfo<frame_support::dispatch::PostDispatchInfo> {
    let changes = changes.to_vec().try_into().unwrap();
    RuntimeCall::from(pallet_settings::Call::set { changes }).dispatch(RuntimeOrigin::root())
}

/// Asserts that the changes are refused with that error, change nothing, and returns the numbers.
fn refused(changes: &[RuntimeParameters], error: Error<Runtime>) -> Violation {
    let before = (parameters(), System::event_count());
    let violation = Runtime::check(changes.to_vec()).unwrap_err();
    let refusal = set(changes).map_err(|DispatchErrorWithPostInfo { error, .. }| error);
    assert_eq!(refusal.unwrap_err(), DispatchError::from(error), "{violation:?}");
    assert_eq!((parameters(), System::event_count()), before);
    violation
}

#[test]
fn lower_floor_of_audits_is_refused_because_lying_would_pay() {
    with_defaults(|| {
        let violation = refused(&[floor(11)], Error::LyingPays);
        let Violation::LyingPays { audited, detected, bond, least } = violation else {
            panic!("{violation:?}")
        };
        assert_eq!((detected, bond, least), (934_543_360, 20, 21));
        assert!((49_000_000..50_000_000).contains(&audited), "{audited}");
        assert_ok!(set(&[floor(12)]));
    });
}

#[test]
fn draws_over_fewer_blocks_are_refused_because_lying_would_pay() {
    with_defaults(|| {
        let violation = refused(&[draw_blocks(8)], Error::LyingPays);
        assert!(matches!(violation, Violation::LyingPays { bond: 20, .. }), "{violation:?}");
    });
}

#[test]
fn rarer_second_looks_are_refused_because_capture_would_pay() {
    with_defaults(|| {
        let violation = refused(&[second_looks(42_459)], Error::CapturePays);
        assert_eq!(violation, Violation::CapturePays { second_looks: 42_459, least: 42_460 });
        assert_ok!(set(&[second_looks(42_460)]));
    });
}

#[test]
fn unbonding_is_refused_that_is_over_before_an_offence_is_slashed() {
    with_defaults(|| {
        // A day, the session of the offence, and the delay of slashes.
        let least = DAYS + 200 + 3 * DAYS + 1;
        let violation = refused(&[unbonding(4 * DAYS)], Error::UnbondingTooShort);
        assert_eq!(violation, Violation::UnbondingTooShort { unbonding: 4 * DAYS, least });
        refused(&[slash_delay(6 * DAYS)], Error::UnbondingTooShort);
        assert_ok!(set(&[unbonding(least)]));
    });
}

#[test]
fn unbonding_is_refused_that_is_over_before_an_audit_is() {
    with_defaults(|| {
        let violation = refused(&[challenge(7 * DAYS)], Error::UnbondingTooShort);
        let audit = assay_runtime::Verification::longest_audit();
        assert!((DAYS..2 * DAYS).contains(&audit), "{audit}");
        let least = 7 * DAYS + audit + 1;
        assert_eq!(violation, Violation::UnbondingTooShort { unbonding: 7 * DAYS, least });
    });
}

#[test]
fn challenge_window_is_refused_that_is_over_before_a_draw_is() {
    with_defaults(|| {
        let violation = refused(&[challenge(18)], Error::ChallengeWindowTooShort);
        assert_eq!(violation, Violation::ChallengeWindowTooShort { window: 18, least: 19 });
        assert_ok!(set(&[challenge(19)]));
    });
}

#[test]
fn values_out_of_their_ranges_are_refused() {
    with_defaults(|| {
        for (change, parameter, value, least, most) in [
            (burn(0), "BurnShare", 0, 10_000, 200_000),
            (burn(21), "BurnShare", 210_000, 10_000, 200_000),
            (commit_window(0), "CommitWindow", 0, 4, 1_200),
            (floor(0), "AuditFloor", 0, 10_000, 1_000_000),
            (draw_blocks(17), "DrawBlocks", 17, 1, 16),
        ] {
            let violation = refused(&[change], Error::ParameterOutOfRange);
            let parameter = parameter.into();
            assert_eq!(violation, Violation::OutOfRange { parameter, value, least, most });
        }
    });
}

#[test]
fn changes_pass_together_of_which_one_alone_does_not() {
    with_defaults(|| {
        refused(&[draw_blocks(8)], Error::LyingPays);
        assert_ok!(set(&[draw_blocks(8), floor(20)]));
        assert_eq!(parameters().verification.draw_blocks, 8);
        // Ranges depend on other parameters as well.
        refused(&[heartbeat(30 * MINUTES), epoch(30 * MINUTES)], Error::ParameterOutOfRange);
        refused(&[epoch(5 * MINUTES)], Error::ParameterOutOfRange);
        assert_ok!(set(&[epoch(5 * MINUTES), heartbeat(MINUTES)]));
    });
}

#[test]
fn one_wrong_change_among_right_ones_refuses_all() {
    with_defaults(|| {
        refused(&[burn(4), second_looks(10_000), commit_window(100)], Error::CapturePays);
    });
}

#[test]
fn parameters_cannot_be_set_directly() {
    with_defaults(|| {
        for origin in [RuntimeOrigin::root(), RuntimeOrigin::signed([1; 32].into())] {
            let call = Parameters::set_parameter(origin, burn(4));
            assert_noop!(call, DispatchError::BadOrigin);
        }
    });
}

#[test]
fn only_root_sets_parameters() {
    with_defaults(|| {
        let changes = vec![burn(4)].try_into().unwrap();
        let call = assay_runtime::Settings::set(RuntimeOrigin::signed([1; 32].into()), changes);
        assert_noop!(call, DispatchError::BadOrigin);
    });
}

#[test]
fn honesty_pays_by_default_and_on_development_chains() {
    with_defaults(|| assert_eq!(Checked::violations(), vec![]));
    for preset in [presets::development(), presets::local()] {
        sp_io::TestExternalities::new(chain::genesis(preset)).execute_with(|| {
            // A minute, so that a person can see stake return.
            let unbonding = parameters().operators.unbonding_period;
            let least = 5 + assay_runtime::Verification::longest_audit() + 1;
            let expected = vec![Violation::UnbondingTooShort { unbonding, least }];
            assert_eq!(Checked::violations(), expected);
            assert_ok!(set(&[burn(4)]));
            refused(&[floor(99)], Error::LyingPays);
        });
    }
}
