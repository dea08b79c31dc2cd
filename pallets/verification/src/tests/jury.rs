// SPDX-License-Identifier: Apache-2.0
//! The draw of a jury, and the consequences of its votes.

use crate::{mock::*, Offence, PanelFailure, Phase, Stage};
use assay_primitives::{
    settlement::{AuditOutcome, Outcome},
    Verdict,
};

#[test]
fn jury_is_odd_bound_and_disjoint_from_all_others() {
    with_operators(|| {
        for stash in OPERATORS {
            // Everybody has a delegator that is an operator, which is drawn for no panel of it.
            let next = if stash == 22 { 11 } else { stash + 1 };
            Operators::delegate(signed(next), stash, STAKE / 20).unwrap();
        }
        let (id, operator, committee, jury) = appealed([rejects(), accepts(), accepts()]);
        // Twelve operators without the operator, its delegator and the committee are seven.
        assert_eq!(jury.len(), 7);
        let delegator = if operator == 22 { 11 } else { operator + 1 };
        for juror in &jury {
            assert!(!committee.contains(juror) && *juror != operator && *juror != delegator);
            assert!(reserved(*juror, &id) > 0);
        }
        judge(id, |_| accepts());
    });
}

#[test]
fn jury_of_an_even_number_loses_its_last_member() {
    with_operators(|| {
        let (id, _, _, jury) = appealed([rejects(); 3]);
        assert_eq!(jury.len(), 7, "eight are left");
        let free = OPERATORS.into_iter().filter(|other| reserved(*other, &id) == 0).count();
        assert_eq!(free, 2, "the operator, and the one that was drawn in vain");
    });
}

#[test]
fn jury_that_rejects_slashes_the_operator_and_pays_all_that_agree() {
    with_operators(|| {
        let (id, operator, committee, _) = appealed([rejects(); 3]);
        let jury = judge(id, |_| rejects());
        assert_eq!(settlement(&id).outcome, Outcome::Slashed);
        assert_eq!(settlement(&id).verifiers, 10);
        for verifier in committee.iter().chain(&jury) {
            assert_eq!(wealth(*verifier), ENDOWMENT + SHARE);
        }
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down - JOB_BOND);
        // The client would have paid as much.
        assert_eq!(wealth(CLIENT), ENDOWMENT + 113);
        let all = [committee, jury].concat();
        assert_eq!(conclusions(), vec![(AuditOutcome::Rejected, all)]);
    });
}

#[test]
fn jury_that_accepts_is_paid_by_those_that_were_wrong() {
    with_operators(|| {
        let issuance = Balances::total_issuance();
        let (id, operator, committee, _) = appealed([accepts(), rejects(), accepts()]);
        let jury = judge(id, |_| accepts());
        assert_eq!(slashes(), vec![(committee[1], Offence::Contradicted, BOND)]);
        assert_eq!(wealth(committee[1]), ENDOWMENT - BOND);
        for verifier in [&[committee[0], committee[2]], jury.as_slice()].concat() {
            assert_eq!(wealth(verifier), ENDOWMENT + SHARE);
        }
        // The operator that was right pays its committee alone, also the fee that one of it forfeits, which is
        // burnt here. It gets as much as was at stake for it.
        let rest = BOND - 7 * SHARE - 113;
        assert_eq!(wealth(operator), ENDOWMENT + 113 - 3 * SHARE + 113);
        assert_eq!(Balances::total_issuance(), issuance - rest - SHARE);
        assert_eq!((settlement(&id).outcome, settlement(&id).verifiers), (Outcome::Paid, 9));
    });
}

#[test]
fn jurors_that_the_jury_contradicts_lose_their_bonds() {
    with_operators(|| {
        let (id, operator, committee, jury) = appealed([rejects(); 3]);
        judge(id, |place| if place < 3 { accepts() } else { rejects() });
        let wrong: Vec<_> =
            jury[..3].iter().map(|juror| (*juror, Offence::Contradicted, BOND)).collect();
        assert_eq!(slashes(), wrong);
        assert_eq!(settlement(&id).verifiers, 3 + 4);
        assert_eq!(wealth(committee[0]), ENDOWMENT + SHARE);
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down - JOB_BOND);
    });
}

#[test]
fn jury_that_cannot_be_drawn_leaves_the_output_unverified() {
    // Of eight operators four are left: the jury would have fewer than five.
    with_some_operators(8, || {
        let (id, operator, _, jury) = appealed([rejects(), accepts(), accepts()]);
        assert!(jury.is_empty());
        assert_eq!(failures(), vec![(Stage::Jury, PanelFailure::TooFewVerifiers)]);
        assert_eq!(conclusions(), vec![(AuditOutcome::Undecided, vec![])]);
        assert_eq!(settlement(&id).outcome, Outcome::Unverified);
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down);
        assert_eq!(slashes(), vec![]);
    });
    with_some_operators(9, || {
        let (_, _, _, jury) = appealed([rejects(), accepts(), accepts()]);
        assert_eq!(jury.len(), 5);
    });
}

/// Returns what follows when the seven jurors find these verdicts.
fn outcome_of(verdict: impl Fn(usize) -> Verdict) -> Outcome {
    with_operators(|| {
        let (id, _, _, _) = appealed([rejects(), accepts(), accepts()]);
        judge(id, verdict);
        // Nobody publishes what could not be fetched.
        run_blocks(PRODUCE_WINDOW + 1);
        settlement(&id).outcome
    })
}

#[test]
fn jury_decides_if_a_majority_of_its_seats_votes() {
    let votes = |accept: usize, reject: usize| {
        outcome_of(|place| match place {
            place if place < accept => accepts(),
            place if place < accept + reject => rejects(),
            _ => abstains(),
        })
    };
    assert_eq!(votes(4, 0), Outcome::Paid);
    assert_eq!(votes(3, 1), Outcome::Paid);
    assert_eq!(votes(1, 3), Outcome::Slashed);
    assert_eq!(votes(4, 3), Outcome::Paid);
    // Three of seven are no majority, and three against three are a tie: what is unavailable has to
    // be published.
    assert_eq!(votes(3, 0), Outcome::Slashed);
    assert_eq!(votes(3, 3), Outcome::Slashed);
    assert_eq!(votes(0, 0), Outcome::Slashed);
}

#[test]
fn jury_that_is_tied_because_a_verdict_is_withheld_decides_nothing() {
    with_operators(|| {
        let (id, _, _, jury) = appealed([rejects(), accepts(), accepts()]);
        let verdict = |place: usize| if place < 4 { accepts() } else { rejects() };
        for (place, juror) in jury.iter().enumerate() {
            commit(*juror, id, verdict(place)).unwrap();
        }
        for (place, juror) in jury.iter().enumerate().skip(1) {
            reveal(*juror, id, verdict(place)).unwrap();
        }
        run_blocks(REVEAL_WINDOW + 1);
        assert_eq!(slashes(), vec![(jury[0], Offence::Withheld, BOND)]);
        assert_eq!(failures(), vec![(Stage::Jury, PanelFailure::NoMajority)]);
        assert_eq!(settlement(&id).outcome, Outcome::Unverified);
    });
}

#[test]
fn jury_in_which_nobody_acts_leaves_the_output_unverified() {
    with_operators(|| {
        let (id, _, _, jury) = appealed([rejects(), accepts(), accepts()]);
        for _ in 0..40 {
            if !is_over(&id) {
                run_blocks(1);
            }
        }
        assert!(is_over(&id));
        // One of eight was left for the second draw.
        assert!(jury.iter().all(|juror| wealth(*juror) == ENDOWMENT - SILENCE));
        assert_eq!(failures(), vec![(Stage::Jury, PanelFailure::TooFewVerifiers)]);
        assert_eq!(settlement(&id).outcome, Outcome::Unverified);
    });
}

#[test]
fn second_look_is_a_jury_of_an_accepted_output() {
    SecondLooks::set(sp_runtime::Permill::one());
    with_operators(|| {
        let (id, _, committee) = revealed([accepts(); 3]);
        assert_eq!(audit(&id).stage, Stage::SecondLook);
        run_blocks(2);
        let jury = judge(id, |_| accepts());
        assert_eq!(jury.len(), 7);
        assert_eq!((settlement(&id).outcome, settlement(&id).verifiers), (Outcome::Paid, 10));
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, committee)]);
    });
    // A captured committee loses its bonds, and the operator its own.
    with_operators(|| {
        let (id, operator, committee, jury) = appealed([accepts(); 3]);
        judge(id, |_| rejects());
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down - JOB_BOND);
        assert!(committee.iter().all(|verifier| wealth(*verifier) == ENDOWMENT - BOND));
        assert!(jury.iter().all(|juror| wealth(*juror) == ENDOWMENT + SHARE));
    });
}

#[test]
fn fund_pays_the_jurors_of_a_second_look_as_far_as_it_goes() {
    use frame_support::traits::fungible::Mutate;
    // The levy on the job is more than its jurors earn.
    SecondLooks::set(sp_runtime::Permill::one());
    BurnShare::set(sp_runtime::Permill::from_percent(70));
    with_operators(|| {
        Balances::mint_into(&Escrow::fund(), 5 * SHARE + 1).unwrap();
        let (id, operator, committee) = revealed([accepts(); 3]);
        run_blocks(2);
        let issuance = Balances::total_issuance();
        let jury = judge(id, |_| accepts());
        let earned = jury.iter().map(|juror| wealth(*juror) - ENDOWMENT).collect::<Vec<_>>();
        assert_eq!(earned, [SHARE, SHARE, SHARE, SHARE, SHARE, 1, 0]);
        assert!(committee.iter().all(|verifier| wealth(*verifier) == ENDOWMENT + SHARE));
        // The operator was right and pays its committee alone.
        let burnt = 70 + 2;
        assert_eq!(wealth(operator), ENDOWMENT + 106 - burnt - 3 * SHARE);
        assert_eq!((Escrow::in_fund(), Balances::total_issuance()), (0, issuance - burnt));
        assert_eq!(everything(), issuance - burnt);
    });
    BurnShare::set(sp_runtime::Permill::zero());
}

#[test]
fn fund_pays_the_jurors_of_a_job_no_more_than_such_jobs_bring() {
    use frame_support::traits::fungible::Mutate;
    SecondLooks::set(sp_runtime::Permill::one());
    BurnShare::set(sp_runtime::Permill::from_percent(20));
    with_operators(|| {
        Balances::mint_into(&Escrow::fund(), 100 * SHARE).unwrap();
        let (id, _, _) = revealed([accepts(); 3]);
        run_blocks(2);
        let jury = judge(id, |_| accepts());
        // A fifth of the price, in seven equal shares.
        assert!(jury.iter().all(|juror| wealth(*juror) == ENDOWMENT + 20 / 7));
        assert_eq!(Escrow::in_fund(), 100 * SHARE - 7 * (20 / 7));
    });
    BurnShare::set(sp_runtime::Permill::zero());
}

#[test]
fn fund_pays_jurors_only_what_contradicted_bonds_do_not() {
    use frame_support::traits::fungible::Mutate;
    with_operators(|| {
        Balances::mint_into(&Escrow::fund(), 100 * SHARE).unwrap();
        let (id, _, _, _) = appealed([accepts(), rejects(), accepts()]);
        let jury = judge(id, |_| accepts());
        assert!(jury.iter().all(|juror| wealth(*juror) == ENDOWMENT + SHARE));
        assert_eq!(Escrow::in_fund(), 100 * SHARE, "one bond pays all of them");
    });
    // Out of the bond of an operator that was wrong, too.
    with_operators(|| {
        Balances::mint_into(&Escrow::fund(), 100 * SHARE).unwrap();
        let (id, _, _, _) = appealed([rejects(); 3]);
        judge(id, |_| rejects());
        assert_eq!(Escrow::in_fund(), 100 * SHARE);
    });
}

#[test]
fn second_look_that_cannot_be_held_leaves_the_acceptance() {
    SecondLooks::set(sp_runtime::Permill::one());
    with_some_operators(5, || {
        let (id, _, committee) = revealed([accepts(); 3]);
        assert!(!is_over(&id));
        run_blocks(2);
        assert_eq!(failures(), vec![(Stage::SecondLook, PanelFailure::TooFewVerifiers)]);
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, committee)]);
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
    });
}

#[test]
fn second_look_in_which_nobody_acts_leaves_the_acceptance() {
    SecondLooks::set(sp_runtime::Permill::one());
    with_operators(|| {
        let (id, _, committee) = revealed([accepts(); 3]);
        run_blocks(40);
        assert!(is_over(&id));
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, committee)]);
    });
}

#[test]
fn second_looks_are_drawn_at_their_rate_after_the_last_vote() {
    SecondLooks::set(sp_runtime::Permill::from_percent(20));
    with_operators(|| {
        let mut looks = 0;
        for n in 0..50u8 {
            ParentRandomness::set(Some(sp_core::H256::repeat_byte(n)));
            let _ = crate::Records::<Test>::clear(u32::MAX, None);
            let (id, _, _) = revealed([accepts(); 3]);
            assert_eq!(phase(&id), Phase::Drawing { at: now() + 2 });
            run_blocks(2);
            if !is_over(&id) {
                looks += 1;
                judge(id, |_| accepts());
            }
            assert!(is_over(&id));
        }
        // 10 of 50 are expected with a deviation of 2.8.
        assert!((1..=20).contains(&looks), "{looks} of 50 were looked at again");
    });
}
