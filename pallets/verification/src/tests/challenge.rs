// SPDX-License-Identifier: Apache-2.0
//! Challenges of outputs that were not drawn for an audit.

use crate::{mock::*, Error, Event, PanelFailure, Phase, Records, Stage, WHOLE};
use assay_primitives::{
    job::{JobId, JobState},
    publication::Part,
    settlement::{AuditOutcome, Challenge, Outcome},
    traits::{AuditSubject, AuditedJobs},
    Balance, BlockNumber, Verdict,
};
use frame_support::{assert_noop, assert_ok, traits::Get};
use sp_runtime::DispatchResult;

/// The bond of a challenger: the least, which is more than 13 fees and what the job pays.
const CHALLENGE: Balance = 1_000;
/// What a job pays its operator.
const REWARD: Balance = 113;
/// The fee of a juror.
const FEE: Balance = 10;

fn challenge(who: AccountId, id: JobId) -> DispatchResult {
    frame_support::storage::with_storage_layer(|| Verification::challenge(signed(who), id))
}

/// Returns an operator that has not run the job.
fn other(operator: AccountId) -> AccountId {
    OPERATORS.into_iter().find(|other| *other != operator).unwrap()
}

/// Plays a challenge by the client, or by an operator, before a jury that finds these verdicts; returns
/// the job, its operator and the challenger.
fn heard(
    by_client: bool,
    verdict: impl Fn(usize) -> Verdict,
) -> (JobId, AccountId, AccountId, Vec<AccountId>) {
    let (id, operator) = waived();
    let by = if by_client { CLIENT } else { other(operator) };
    assert_ok!(challenge(by, id));
    run_to_draw(&id);
    let jury = judge(id, verdict);
    (id, operator, by, jury)
}

#[test]
fn challenge_calls_a_jury_without_a_committee_and_holds_the_bond() {
    with_operators(|| {
        let (id, operator) = waived();
        let by = other(operator);
        assert_eq!(Verification::challenge_bond(&id), Some(CHALLENGE));
        let before = wealth(by);
        assert_ok!(challenge(by, id));
        let expected = Event::OutputChallenged { job: id, challenger: by, bond: CHALLENGE };
        assert_eq!(events().last(), Some(&expected));
        assert_eq!(audit(&id).stage, Stage::Challenge);
        assert_eq!(Verification::challenge_bond(&id), Some(CHALLENGE));
        run_to_draw(&id);
        let jury = Verification::committee(&id);
        assert_eq!(jury.len(), 9);
        assert!(!jury.contains(&by) && !jury.contains(&operator), "{jury:?}");
        assert_eq!(wealth(by), before, "it is reserved and not taken");
        judge(id, |_| accepts());
    });
}

#[test]
fn jury_of_a_challenge_has_nobody_that_delegates_to_a_party() {
    with_operators(|| {
        let (id, operator) = waived();
        let by = other(operator);
        let mut rest = OPERATORS.into_iter().filter(|who| ![operator, by].contains(who));
        let (behind_operator, behind_challenger) = (rest.next().unwrap(), rest.next().unwrap());
        assert_ok!(Operators::delegate(signed(behind_operator), operator, STAKE / 20));
        assert_ok!(Operators::delegate(signed(behind_challenger), by, STAKE / 20));
        assert_ok!(challenge(by, id));
        run_to_draw(&id);
        let jury = Verification::committee(&id);
        // Eight are left, and a jury is odd.
        assert_eq!(jury.len(), 7);
        for party in [operator, by, behind_operator, behind_challenger] {
            assert!(!jury.contains(&party), "{party} is on {jury:?}");
        }
        judge(id, |_| accepts());
    });
}

#[test]
fn job_that_waits_for_its_audit_cannot_be_challenged() {
    with_operators(|| {
        let (id, _) = delivered();
        assert_noop!(challenge(CLIENT, id), Error::<Test>::AuditOpen);
        run_blocks(2);
        assert_noop!(challenge(CLIENT, id), Error::<Test>::AuditOpen);
        judge(id, |_| accepts());
    });
}

#[test]
fn bond_of_a_challenge_pays_all_jurors_that_can_agree_and_the_job() {
    with_operators(|| {
        let (id, _) = waived();
        let subject = Jobs::challengeable(&id).unwrap().subject;
        let subject = AuditSubject { fee: 100, reward: 5_000, ..subject };
        // Nine of a jury, and four of one before it that had no majority.
        assert_eq!(Verification::bond_of_challenge(&subject), 13 * 100 + 5_000);
    });
}

#[test]
fn output_of_an_order_that_does_not_require_verification_cannot_be_challenged() {
    with_operators(|| {
        for operator in OPERATORS {
            Records::<Test>::insert(operator, 1_000 * WHOLE);
        }
        let (id, operator) = loop {
            let (id, operator) = delivered();
            run_blocks(2);
            if is_over(&id) {
                break (id, operator);
            }
            judge(id, |_| accepts());
        };
        assert_eq!(Verification::challenge_bond(&id), None);
        for who in [CLIENT, other(operator)] {
            assert_noop!(challenge(who, id), Error::<Test>::VerificationNotRequired);
        }
    });
}

#[test]
fn challenges_draw_the_same_jury_whenever_they_come() {
    with_operators(|| {
        let (id, operator) = waived();
        let JobState::Delivered { until, .. } = state(&id) else { panic!("not delivered") };
        skip_blocks(until - now());
        assert_ok!(challenge(other(operator), id));
        assert_eq!(audit(&id).span.first, until + 1);
        run_to_draw(&id);
        judge(id, |_| accepts());
        let (id, operator) = waived();
        let JobState::Delivered { until, .. } = state(&id) else { panic!("not delivered") };
        assert_ok!(challenge(other(operator), id));
        assert_eq!(audit(&id).span.first, until + 1);
    });
}

#[test]
fn job_is_challenged_once() {
    with_operators(|| {
        let (id, operator) = waived();
        assert_ok!(challenge(CLIENT, id));
        assert_noop!(challenge(CLIENT, id), Error::<Test>::AuditOpen);
        assert_noop!(challenge(other(operator), id), Error::<Test>::AuditOpen);
    });
}

#[test]
fn job_that_is_not_delivered_cannot_be_challenged() {
    with_operators(|| {
        assert_noop!(challenge(CLIENT, JobId::zero()), Error::<Test>::JobNotDelivered);
        let (id, _) = waived();
        assert_ok!(Jobs::confirm_received(signed(CLIENT), id));
        assert_noop!(challenge(CLIENT, id), Error::<Test>::JobNotDelivered);
        assert_eq!(Verification::challenge_bond(&id), None);
    });
}

#[test]
fn output_cannot_be_challenged_after_its_window() {
    with_operators(|| {
        let (id, _) = waived();
        let JobState::Delivered { until, .. } = state(&id) else { panic!("not delivered") };
        skip_blocks(until - now());
        assert!(Verification::challenge_bond(&id).is_some());
        skip_blocks(1);
        assert_noop!(challenge(CLIENT, id), Error::<Test>::ChallengeWindowOver);
        assert_eq!(Verification::challenge_bond(&id), None);
    });
}

#[test]
fn account_that_could_not_verify_the_output_cannot_challenge_it() {
    with_operators(|| {
        let (id, operator) = waived();
        let delegator = other(operator);
        assert_ok!(Operators::delegate(signed(delegator), operator, STAKE / 20));
        let bound = OPERATORS.into_iter().find(|who| ![operator, delegator].contains(who)).unwrap();
        let all = Operators::view(&bound).unwrap().bonded;
        let duty = assay_primitives::traits::Duty::Verify(JobId::zero());
        use assay_primitives::traits::Operators as _;
        assert_ok!(Operators::reserve(&bound, duty, all));
        for who in [KEEPER, operator, delegator, bound] {
            assert_noop!(challenge(who, id), Error::<Test>::NotAVerifier);
        }
        Operators::release(&bound, duty);
    });
}

#[test]
fn client_needs_the_bond() {
    with_operators(|| {
        let (id, _) = waived();
        let spendable = Balances::free_balance(CLIENT) - 10;
        let left = spendable - CHALLENGE + 1;
        assert_ok!(Balances::transfer_keep_alive(signed(CLIENT), KEEPER, left));
        assert_noop!(challenge(CLIENT, id), pallet_escrow::Error::<Test>::BalanceTooLow);
        assert_ok!(Balances::transfer_keep_alive(signed(KEEPER), CLIENT, 1));
        assert_ok!(challenge(CLIENT, id));
        assert_ok!(Balances::transfer_keep_alive(signed(KEEPER), CLIENT, left - 1));
    });
}

#[test]
fn nobody_ends_a_challenged_job_before_the_jury() {
    with_operators(|| {
        let (id, operator) = waived();
        let JobState::Delivered { until, .. } = state(&id) else { panic!("not delivered") };
        assert_ok!(challenge(other(operator), id));
        let open = pallet_jobs::Error::<Test>::AuditOpen;
        assert_noop!(Jobs::confirm_received(signed(CLIENT), id), open);
        // Nobody of the jury says anything, in any of its draws.
        while now() <= until {
            run_blocks(1);
        }
        let open = pallet_jobs::Error::<Test>::AuditOpen;
        assert_noop!(Jobs::settle(signed(KEEPER), id), open);
    });
}

#[test]
fn client_that_is_right_gets_its_bond_back_and_what_the_output_cost() {
    with_operators(|| {
        let issuance = Balances::total_issuance();
        let (id, operator, _, jury) = heard(true, |_| rejects());
        assert_eq!(wealth(operator), before(operator) + PAYMENT.down - JOB_BOND);
        assert_eq!(wealth(CLIENT), before(CLIENT) + REWARD);
        for juror in &jury {
            assert_eq!(wealth(*juror), before(*juror) + FEE);
        }
        let settlement = settlement(&id);
        assert_eq!(
            (settlement.outcome, settlement.audit),
            (Outcome::Slashed, AuditOutcome::Rejected)
        );
        assert_eq!(settlement.challenge, Some(Challenge { challenger: CLIENT, reward: 0 }));
        let left = JOB_BOND - PAYMENT.down - 9 * FEE;
        assert_eq!(Balances::total_issuance(), issuance - (left - REWARD));
    });
}

#[test]
fn operator_that_is_right_is_rewarded_out_of_the_slash() {
    with_operators(|| {
        let issuance = Balances::total_issuance();
        let (id, operator, by, _) = heard(false, |_| rejects());
        let left = JOB_BOND - PAYMENT.down - 9 * FEE;
        // A tenth of it, as the configuration says.
        let reward = left / 10;
        assert_eq!(wealth(by), before(by) + reward);
        assert_eq!(wealth(CLIENT), before(CLIENT) + REWARD);
        assert_eq!(wealth(operator), before(operator) + PAYMENT.down - JOB_BOND);
        assert_eq!(settlement(&id).challenge, Some(Challenge { challenger: by, reward }));
        assert_eq!(settlement(&id).burnt, left - REWARD - reward);
        assert_eq!(Balances::total_issuance(), issuance - (left - REWARD - reward));
        let returned = Event::ChallengeBondReturned { job: id, challenger: by, amount: CHALLENGE };
        assert!(events().contains(&returned));
    });
}

#[test]
fn challenger_that_is_wrong_pays_the_jury_and_the_operator() {
    for by_client in [true, false] {
        with_operators(|| {
            let issuance = Balances::total_issuance();
            let (id, operator, by, jury) = heard(by_client, |_| accepts());
            for juror in &jury {
                assert_eq!(wealth(*juror), before(*juror) + FEE);
            }
            assert_eq!(wealth(operator), before(operator) + REWARD + REWARD);
            let price = if by_client { REWARD } else { 0 };
            assert_eq!(wealth(by), before(by) - CHALLENGE - price);
            let settlement = settlement(&id);
            assert_eq!(
                (settlement.outcome, settlement.audit),
                (Outcome::Paid, AuditOutcome::Accepted)
            );
            assert_eq!((settlement.paid, settlement.verifiers), (REWARD, 9));
            assert_eq!(settlement.challenge, Some(Challenge { challenger: by, reward: 0 }));
            let burnt = CHALLENGE - 9 * FEE - REWARD;
            assert_eq!(Balances::total_issuance(), issuance - burnt);
            let lost = Event::ChallengeLost { job: id, challenger: by, amount: CHALLENGE };
            assert!(events().contains(&lost));
        });
    }
}

#[test]
fn operator_gets_half_of_what_the_jury_leaves_of_a_small_bond() {
    // What is left of the bond is less than twice the reward.
    with_operators(|| {
        let (id, operator) = waived();
        assert_ok!(challenge(CLIENT, id));
        pallet_escrow::Escrows::<Test>::mutate(id, |record| {
            let record = record.as_mut().unwrap();
            (record.bond, record.left.bond) = (190, 190);
        });
        let hold = pallet_escrow::HoldReason::Job.into();
        use frame_support::traits::{fungible::MutateHold, tokens::Precision};
        assert_ok!(Balances::release(&hold, &CLIENT, CHALLENGE - 190, Precision::Exact));
        run_to_draw(&id);
        judge(id, |_| accepts());
        assert_eq!(wealth(operator), before(operator) + REWARD + (190 - 9 * FEE) / 2);
    });
}

#[test]
fn jurors_that_the_majority_contradicts_lose_their_bonds() {
    with_operators(|| {
        let (id, operator, _, jury) =
            heard(true, |place| if place < 2 { rejects() } else { accepts() });
        for juror in &jury[..2] {
            assert_eq!(wealth(*juror), before(*juror) - BOND);
        }
        // The bond of the challenger is enough for both.
        assert_eq!(wealth(operator), before(operator) + REWARD + REWARD);
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
    });
}

/// A challenge by an operator that ends without a finding: the job is paid for and the bond returned.
fn ends_as_if_there_was_none(id: JobId, operator: AccountId, by: AccountId) {
    let settlement = settlement(&id);
    assert_eq!((settlement.outcome, settlement.audit), (Outcome::Paid, AuditOutcome::NotAudited));
    assert_eq!(settlement.challenge, Some(Challenge { challenger: by, reward: 0 }));
    assert_eq!(wealth(operator), before(operator) + REWARD);
    assert_eq!(wealth(by), before(by));
    assert_eq!(wealth(CLIENT), before(CLIENT) - REWARD);
    let returned = Event::ChallengeBondReturned { job: id, challenger: by, amount: CHALLENGE };
    assert!(events().contains(&returned));
}

#[test]
fn challenge_without_a_jury_leaves_the_job_paid() {
    with_operators(|| {
        let (id, operator) = waived();
        let by = other(operator);
        // Four others are left.
        let others = OPERATORS.into_iter().filter(|who| ![operator, by].contains(who));
        for leaver in others.skip(4) {
            assert_ok!(Operators::set_draining(signed(leaver), true));
        }
        assert_ok!(challenge(by, id));
        run_to_draw(&id);
        assert_eq!(failures(), vec![(Stage::Challenge, PanelFailure::TooFewVerifiers)]);
        ends_as_if_there_was_none(id, operator, by);
    });
}

#[test]
fn challenge_without_a_majority_leaves_the_job_paid() {
    with_operators(|| {
        let (id, operator) = waived();
        let by = other(operator);
        assert_ok!(challenge(by, id));
        run_to_draw(&id);
        // Four accept and five withhold.
        let jury = Verification::committee(&id);
        for juror in &jury {
            assert_ok!(commit(*juror, id, accepts()));
        }
        for juror in &jury[..4] {
            assert_ok!(reveal(*juror, id, accepts()));
        }
        run_blocks(REVEAL_WINDOW + 1);
        assert_eq!(failures(), vec![(Stage::Challenge, PanelFailure::NoMajority)]);
        ends_as_if_there_was_none(id, operator, by);
    });
}

#[test]
fn challenge_of_a_payload_that_is_withheld_slashes_the_operator() {
    with_operators(|| {
        let (id, operator, by, _) = heard(false, |_| abstains());
        assert!(matches!(phase(&id), Phase::Producing { .. }));
        run_blocks(PRODUCE_WINDOW + 1);
        let settlement = settlement(&id);
        assert_eq!(
            (settlement.outcome, settlement.audit),
            (Outcome::Slashed, AuditOutcome::Withheld)
        );
        assert_eq!(wealth(by), before(by), "it has its bond back, and found no lie");
        assert_eq!(wealth(operator), before(operator) + PAYMENT.down - JOB_BOND);
    });
}

#[test]
fn operator_that_publishes_a_right_output_loses_nothing() {
    with_operators(|| {
        let (id, operator, by, _) = heard(false, |_| abstains());
        assert_ok!(publish(operator, id, Part::Request, REQUEST, 100));
        assert_ok!(publish(operator, id, Part::Transcript, TRANSCRIPT, 100));
        let spent = BYTE * (REQUEST.len() + TRANSCRIPT.len()) as Balance;
        assert_eq!(wealth(operator), before(operator) + PAYMENT.down - spent);
        run_blocks(2);
        let jury = judge(id, |_| accepts());
        assert_eq!(jury.len(), 9);
        assert_eq!(wealth(operator), before(operator) + REWARD + REWARD);
        assert_eq!(wealth(by), before(by) - CHALLENGE);
    });
}

#[test]
fn challenge_that_fails_after_a_publication_leaves_the_job_paid() {
    with_operators(|| {
        let (id, operator, by, _) = heard(false, |_| abstains());
        assert_ok!(publish(operator, id, Part::Request, REQUEST, 100));
        assert_ok!(publish(operator, id, Part::Transcript, TRANSCRIPT, 100));
        // All vacate, in all draws.
        while !is_over(&id) {
            for juror in Verification::committee(&id) {
                assert_ok!(vacate(juror, id));
            }
            run_blocks(1);
        }
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
        assert_eq!(wealth(by), before(by));
        let spent = BYTE * (REQUEST.len() + TRANSCRIPT.len()) as Balance;
        assert_eq!(wealth(operator), before(operator) + REWARD - spent);
    });
}

#[test]
fn accepted_challenge_is_no_way_to_a_record() {
    with_operators(|| {
        let (_, operator, _, _) = heard(false, |_| accepts());
        assert_eq!(Records::<Test>::get(operator), 1_000 * WHOLE);
    });
}

#[test]
fn rejected_challenge_ends_the_record() {
    with_operators(|| {
        let (_, operator, _, _) = heard(false, |_| rejects());
        assert_eq!(Records::<Test>::get(operator), 0);
    });
}

#[test]
fn challenge_ends_in_time_whatever_the_jury_does() {
    // The challenge window; then two panels, each with three draws and windows to commit, and between them
    // the window to publish.
    let window: BlockNumber = <Test as pallet_jobs::Config>::ChallengeWindow::get();
    let bound = window + 2 * (3 * (2 + COMMIT_WINDOW + 1) + REVEAL_WINDOW + 1) + PRODUCE_WINDOW + 1;
    type Conduct = fn(AccountId, JobId) -> DispatchResult;
    let conducts: [Conduct; 5] = [
        |_, _| Ok(()),
        vacate,
        |juror, id| commit(juror, id, accepts()),
        |juror, id| commit(juror, id, rejects()).or_else(|_| reveal(juror, id, rejects())),
        |juror, id| commit(juror, id, abstains()).or_else(|_| reveal(juror, id, abstains())),
    ];
    for publishes in [false, true] {
        for conduct in conducts {
            with_operators(|| {
                let (id, operator) = waived();
                assert_ok!(challenge(CLIENT, id));
                let begun = now();
                while !is_over(&id) {
                    assert!(now() <= begun + bound, "the challenge does not end in time");
                    let audit = audit(&id);
                    if publishes && matches!(audit.phase, Phase::Producing { .. }) {
                        let _ = publish(operator, id, Part::Request, REQUEST, 100);
                        let _ = publish(operator, id, Part::Transcript, TRANSCRIPT, 100);
                    }
                    if audit.phase.due() - 1 == now() {
                        for seat in &audit.seats {
                            // A report of another phase is refused, and changes nothing.
                            let _ = conduct(seat.verifier, id);
                        }
                    }
                    if !is_over(&id) {
                        run_blocks(1);
                    }
                }
                assert!(matches!(state(&id), JobState::Settled(_)));
                assert_eq!(everything(), Balances::total_issuance());
            });
        }
    }
}
