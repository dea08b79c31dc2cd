// SPDX-License-Identifier: Apache-2.0
//! A whole job in the real runtime. The test plays the workers' parts.

mod blocks;
mod chain;
mod tickets;

use assay_primitives::{
    job::{JobSpec, JobState},
    traits::BlockRandomness,
    verdict_hash, FinishReason, JobId, Outcome, OutputCommitment, Report, Verdict,
};
use assay_runtime::{
    configs::Randomness, presets, AccountId, Balance, Balances, BlockNumber, Jobs, Operators,
    Runtime, RuntimeOrigin, System, Verification, UNIT,
};
use frame_support::{
    assert_ok,
    traits::fungible::{Inspect, InspectHold},
};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_keyring::Sr25519Keyring;

/// Returns the development preset in its first block.
fn chain() -> sp_io::TestExternalities {
    let mut chain = sp_io::TestExternalities::new(chain::genesis(presets::development()));
    chain.execute_with(next_block);
    chain
}

/// Begins the next block, in which the heartbeats of all operators arrive.
fn next_block() {
    blocks::next_block(&operators());
}

fn operators() -> [AccountId; presets::DEVELOPMENT_OPERATORS.len()] {
    presets::DEVELOPMENT_OPERATORS.map(|stash| stash.to_account_id())
}

fn client() -> AccountId {
    Sr25519Keyring::Ferdie.to_account_id()
}

fn report(stash: &AccountId, report: Report) {
    assert!(blocks::report(stash, report), "a report was refused");
}

fn free(who: &AccountId) -> Balance {
    <Balances as Inspect<AccountId>>::balance(who)
}

fn held(who: &AccountId) -> Balance {
    <Balances as InspectHold<AccountId>>::total_balance_on_hold(who)
}

fn create() -> JobId {
    let spec = JobSpec {
        model: presets::TINY_MODEL,
        request_hash: H256(blake2_256(b"In the beginning")),
        input_tokens: 17,
        max_tokens: 8,
        verification: assay_primitives::Verification::Required,
        ..assay_primitives::testing::spec()
    };
    let quote = Jobs::quote(&spec.model, spec.input_tokens, spec.max_tokens).unwrap();
    let id = Jobs::next_job_id(&client(), &spec);
    let before = held(&client());
    assert_ok!(Jobs::create(RuntimeOrigin::signed(client()), spec, quote.payment));
    assert_eq!(held(&client()) - before, quote.total, "the hold differs from the quote");
    id
}

fn state(job: &JobId) -> JobState<AccountId> {
    Jobs::view(job).unwrap().state
}

/// Brings a job to `Delivered`, and returns its operator and the digest root.
fn deliver(job: &JobId) -> (AccountId, H256) {
    // Two blocks whose outputs decide, and one in which the draw is made.
    for _ in 0..3 {
        assert!(matches!(state(job), JobState::Open { .. }));
        next_block();
    }
    let JobState::Assigned { operator, .. } = state(job) else { panic!("{:?}", state(job)) };
    report(&operator, Report::Accept { job: *job });
    next_block();
    let digest_root = H256::repeat_byte(9);
    let commitment = OutputCommitment {
        output_hash: H256::repeat_byte(8),
        digest_commitment: H256(blake2_256(digest_root.as_bytes())),
        tokens: 8,
        finish: FinishReason::Length,
    };
    report(&operator, Report::CommitOutput { job: *job, commitment });
    (operator, digest_root)
}

/// Lets the next panel commit to the verdict and reveal it; returns the number of its members.
fn judge(job: &JobId, verdict: Verdict) -> usize {
    for _ in 0..3 {
        assert!(Verification::committee(job).is_empty());
        next_block();
    }
    let panel = Verification::committee(job);
    let seats = pallet_verification::Audits::<Runtime>::get(job).unwrap().seats;
    let salt = H256::repeat_byte(5);
    for seat in &seats {
        let hash = verdict_hash(job, seat.draw, &seat.verifier, &verdict, &salt);
        report(&seat.verifier, Report::CommitVerdict { job: *job, hash });
    }
    next_block();
    for verifier in &panel {
        report(verifier, Report::RevealVerdict { job: *job, verdict, salt });
    }
    panel.len()
}

#[test]
fn accepted_job_pays_operator_and_verifiers_and_conserves_money() {
    chain().execute_with(|| {
        let issuance = Balances::total_issuance();
        let before = free(&client());
        let job = create();
        let (operator, digest_root) = deliver(&job);
        let earned = free(&operator);
        assert_eq!(judge(&job, Verdict::Accept { digest_root }), 3);
        // The next two blocks decide that the output is not looked at a second time.
        for _ in 0..3 {
            assert!(matches!(state(&job), JobState::Delivered { .. }));
            tickets::next_block_of_look(&operators(), &job, false);
        }
        let JobState::Settled(settlement) = state(&job) else { panic!("{:?}", state(&job)) };
        assert_eq!(settlement.outcome, Outcome::Paid);
        assert_eq!((settlement.tokens, settlement.verifiers), (8, 3));
        assert_eq!(settlement.paid, presets::TINY_PRICES.of(17, 8));
        assert_eq!(before - free(&client()), settlement.paid);
        assert_eq!(held(&client()), 0);
        // A committee of three receives thirty hundredths, and the fund of juries five.
        assert_eq!(free(&operator) - earned, settlement.paid * 65 / 100);
        assert_eq!((settlement.burnt, settlement.fund), (0, settlement.paid * 5 / 100));
        assert_eq!(assay_runtime::Escrow::in_fund(), settlement.fund);
        assert_eq!(Balances::total_issuance(), issuance);
    });
}

#[test]
fn rejected_job_compensates_the_client_with_its_price_and_burns_the_rest() {
    chain().execute_with(|| {
        let issuance = Balances::total_issuance();
        let before = free(&client());
        let job = create();
        let (operator, _) = deliver(&job);
        let stake = held(&operator);
        let reason = assay_primitives::RejectReason::Integrity;
        let verdict = Verdict::Reject { position: 3, reason };
        assert_eq!(judge(&job, verdict), 3);
        // Twelve operators without the one that is judged and its committee are eight.
        assert_eq!(judge(&job, verdict), 7);
        let JobState::Settled(settlement) = state(&job) else { panic!("{:?}", state(&job)) };
        assert_eq!(settlement.outcome, Outcome::Slashed);
        let reward = presets::TINY_PRICES.of(17, 8);
        assert_eq!(settlement.slashed, 20 * reward);
        assert_eq!(stake - held(&operator), settlement.slashed);
        assert_eq!(free(&client()), before + reward);
        assert_eq!(held(&client()), 0);
        let burnt = issuance - Balances::total_issuance();
        let verifiers = 10 * (reward * 10 / 100);
        assert_eq!(burnt, settlement.slashed - verifiers - reward);
        assert_eq!(burnt, settlement.burnt);
    });
}

#[test]
fn operators_that_deliver_nothing_are_fined_in_turn_and_the_client_refunded() {
    chain().execute_with(|| {
        let before = free(&client());
        let job = create();
        let mut late = Vec::new();
        while !matches!(state(&job), JobState::Settled(_)) {
            next_block();
            if let JobState::Assigned { operator, .. } = state(&job) {
                report(&operator, Report::Accept { job });
                assert!(!late.contains(&operator), "an operator is drawn twice");
                late.push(operator);
            }
        }
        let JobState::Settled(settlement) = state(&job) else { panic!("{:?}", state(&job)) };
        assert_eq!(late.len(), 3);
        assert_eq!(settlement.outcome, Outcome::Refunded);
        assert!(settlement.slashed > 0);
        // The fines are burnt.
        assert_eq!(free(&client()), before);
    });
}

#[test]
fn development_windows_are_short_and_production_defaults_are_not() {
    use frame_support::traits::Get;
    chain().execute_with(|| {
        let challenge: BlockNumber = assay_runtime::parameters::ChallengeWindow::get();
        assert_eq!(challenge, 5);
    });
    sp_io::TestExternalities::default().execute_with(|| {
        let challenge: BlockNumber = assay_runtime::parameters::ChallengeWindow::get();
        assert!(challenge >= 200, "the challenge window is shorter than ten minutes");
    });
}

#[test]
fn parameter_out_of_its_range_is_read_as_the_nearest_in_it() {
    use assay_runtime::parameters::{dynamic_params::jobs, Bounty, RuntimeParameters};
    use frame_support::traits::{dynamic_params::AggregatedKeyValue, Get};
    chain().execute_with(|| {
        // As an upgrade can leave it that narrows the range.
        let (key, value) =
            RuntimeParameters::Jobs(jobs::Parameters::Bounty(jobs::Bounty, Some(1_000 * UNIT)))
                .into_parts();
        pallet_parameters::Parameters::<Runtime>::set(key, value);
        assert_eq!(<Bounty as Get<Balance>>::get(), UNIT);
    });
}

#[test]
fn only_the_development_preset_has_sudo() {
    assert!(presets::development().pointer("/sudo/key").is_some_and(|key| !key.is_null()));
    assert!(presets::local().pointer("/sudo/key").is_none_or(|key| key.is_null()));
}

#[test]
fn every_preset_builds_a_chain() {
    for name in presets::preset_names() {
        let preset = presets::get_preset(&name).unwrap();
        let genesis = chain::genesis(serde_json::from_slice(&preset).unwrap());
        sp_io::TestExternalities::new(genesis).execute_with(|| {
            assert_eq!(
                Operators::views(None, u32::MAX).len(),
                presets::DEVELOPMENT_OPERATORS.len()
            );
            assert!(!assay_runtime::Session::validators().is_empty());
        });
    }
}

#[test]
fn randomness_is_the_parents_vrf_output() {
    chain().execute_with(|| {
        let expected = blake2_256(&System::block_number().to_le_bytes());
        assert_ne!(Randomness::of_parent(), None);
        let with = Randomness::of_parent();
        next_block();
        assert_ne!(Randomness::of_parent(), with);
        assert_ne!(with, Some(H256(expected)), "the seed is not mixed with its purpose");
    });
}

#[test]
fn whole_lifecycle_fits_a_block_many_times() {
    let weights = assay_runtime::configs::BlockWeights::get();
    let limit = weights.get(frame_support::dispatch::DispatchClass::Normal).max_extrinsic.unwrap();
    let lifecycle = assay_runtime::configs::lifecycle_weight();
    assert!(lifecycle.all_lt(limit), "{lifecycle:?} of {limit:?}");
}
