// SPDX-License-Identifier: Apache-2.0
//! Outputs that are right are challenged: by a client that wants its payment back, by a party that is
//! operator and challenger at once, and by a group that hopes for a jury of which it has the majority.

use crate::scene::*;
use assay_primitives::{
    job::{JobSpec, Payment},
    settlement::{AuditOutcome, Outcome},
    JobId, Prices, Verdict,
};
use assay_runtime::{
    presets::TINY_PRICES, AccountId, Balance, Balances, Escrow, Verification, UNIT,
};
use frame_support::traits::fungible::Inspect;
use pallet_verification::Stage;

/// The chance that a group with a fifth of the stake has a majority of the smallest jury, in millionths:
/// no larger jury is captured as often.
const MAJORITY: Balance = 57_920;

/// One in millionths.
const ONE: Balance = 1_000_000;

/// The account that challenges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Client,
    Operator,
}

/// A challenge that was played to its end.
struct Played {
    job: JobId,
    operator: AccountId,
    challenger: AccountId,
    /// What everybody had before the job.
    before: Vec<(AccountId, Balance)>,
    jury: Vec<AccountId>,
    bond: Balance,
    /// What the job pays its operator.
    reward: Balance,
}

impl Played {
    /// Returns what these accounts have gained, as a difference of what they have now and had before.
    fn gain(&self, group: &[&AccountId]) -> i128 {
        let before = |who: &AccountId| {
            let known = self.before.iter().find(|(account, _)| account == who);
            known.map_or(0, |(_, balance)| *balance)
        };
        let of = |who: &&AccountId| wealth([*who]) as i128 - before(who) as i128;
        let mut unique: Vec<&AccountId> = group.to_vec();
        unique.sort();
        unique.dedup();
        unique.iter().map(of).sum()
    }
}

/// Challenges an output that is right. `vote` returns the verdict of the juror with the seat.
fn played(
    by: By,
    spec: &JobSpec<AccountId>,
    payment: Payment,
    vote: impl Fn(usize, usize) -> Verdict,
) -> Played {
    let everybody: Vec<AccountId> = operators().into_iter().chain([client()]).collect();
    let mut before = Vec::new();
    let (job, operator) = waived(spec, payment, || {
        before = everybody.iter().map(|who| (who.clone(), wealth([who]))).collect();
    });
    let challenger = match by {
        By::Client => client(),
        By::Operator => operators().into_iter().find(|who| *who != operator).unwrap(),
    };
    let bond = Verification::challenge_bond(&job).unwrap();
    challenge(&job, &challenger);
    let panels = judge(&job, |stage, seat, seats| {
        assert_eq!(stage, Stage::Challenge);
        vote(seat, seats)
    });
    let jury = panels.into_iter().next().unwrap().1;
    let price = TINY_PRICES.of(spec.input_tokens, 1);
    let reward = payment.down + payment.tip + price.max(payment.cost.min(price));
    Played { job, operator, challenger, before, jury, bond, reward }
}

/// Returns the verdict of a juror where the group has a bare majority.
fn captured(seat: usize, seats: usize) -> Verdict {
    if seat <= seats / 2 {
        rejects()
    } else {
        accepts()
    }
}

const WAYS: [By; 2] = [By::Client, By::Operator];

#[test]
fn client_that_challenges_a_right_output_loses_more_than_its_payment() {
    on_chain(|| {
        let spec = spec(17, 2_000);
        let payment = quoted(&spec);
        for friends in [0, 1, 4] {
            let told = |seat: usize, _| if seat < friends { rejects() } else { accepts() };
            let played = played(By::Client, &spec, payment, told);
            assert_eq!(settlement(&played.job).outcome, Outcome::Paid);
            let mut group: Vec<&AccountId> = played.jury.iter().take(friends).collect();
            let client = client();
            group.push(&client);
            let paid = settlement(&played.job).paid as i128;
            let gain = played.gain(&group);
            assert!(gain <= -paid - played.bond as i128, "{friends} friends have {gain}");
        }
    });
}

#[test]
fn operator_that_is_right_never_pays_for_a_challenge() {
    on_chain(|| {
        let spec = spec(17, 2_000);
        let payment = Payment { down: UNIT, tip: UNIT, ..quoted(&spec) };
        // What the operator gets where nobody challenges it.
        let (job, operator) = waived(&spec, payment, || ());
        let settle = assay_runtime::RuntimeOrigin::signed(client());
        frame_support::assert_ok!(assay_runtime::Jobs::confirm_received(settle, job));
        assert_eq!(settlement(&job).operator, Some(operator));
        let unchallenged =
            (settlement(&job).paid - settlement(&job).burnt - settlement(&job).fund) as i128;
        for by in WAYS {
            for wrong in 0..=4 {
                let vote = |seat, _| if seat < wrong { rejects() } else { accepts() };
                let played = played(by, &spec, payment, vote);
                let gain = played.gain(&[&played.operator]);
                assert!(gain >= unchallenged, "{by:?}, {wrong} wrong: {gain} and {unchallenged}");
            }
        }
    });
}

#[test]
fn party_that_is_operator_and_challenger_draws_nothing_from_the_fund_or_the_burn() {
    on_chain(|| {
        let spec = spec(17, 2_000);
        let payment = Payment { down: UNIT, tip: UNIT, ..quoted(&spec) };
        // Some payments before, so that there is something in the fund.
        waived(&spec, payment, || ());
        for by in WAYS {
            for (outcome, verdict) in
                [(AuditOutcome::Accepted, accepts()), (AuditOutcome::Rejected, rejects())]
            {
                let played = played(by, &spec, payment, |_, _| verdict);
                assert_eq!(settlement(&played.job).audit, outcome);
                let client = client();
                let party = [&played.operator, &played.challenger, &client];
                let alone = played.gain(&party);
                assert!(alone < 0, "{by:?} {outcome:?}: the party gains {alone}");
                // With the whole jury on its side, too, it loses what is burnt.
                let all: Vec<_> = party.into_iter().chain(&played.jury).collect();
                let together = played.gain(&all);
                let least = (played.reward / 2) as i128;
                assert!(together <= -least, "{by:?} {outcome:?}: all together have {together}");
            }
        }
    });
}

#[test]
fn challenge_pays_no_juror_out_of_the_fund() {
    on_chain(|| {
        let spec = spec(17, 2_000);
        let payment = quoted(&spec);
        let (job, operator) = waived(&spec, payment, || ());
        let challenger = operators().into_iter().find(|who| *who != operator).unwrap();
        challenge(&job, &challenger);
        let before = Escrow::in_fund();
        judge(&job, |_, _, _| accepts());
        assert_eq!(Escrow::in_fund(), before + settlement(&job).fund);
    });
}

#[test]
fn challenge_conserves_the_money() {
    on_chain(|| {
        let spec = spec(17, 2_000);
        let payment = Payment { down: UNIT, tip: UNIT, ..quoted(&spec) };
        let everybody: Vec<AccountId> = operators().into_iter().chain([client()]).collect();
        for by in WAYS {
            for vote in [|_, _| accepts(), |_, _| rejects(), captured] {
                let issuance = <Balances as Inspect<AccountId>>::total_issuance();
                let sum = wealth(&everybody) + Escrow::in_fund();
                played(by, &spec, payment, vote);
                let burnt = issuance - <Balances as Inspect<AccountId>>::total_issuance();
                assert_eq!(sum - wealth(&everybody) - Escrow::in_fund(), burnt);
            }
        }
    });
}

#[test]
fn framing_by_a_challenge_costs_more_than_a_jury_of_friends_gains() {
    // A job that costs next to nothing is the best bait: the bonds of verifiers do not follow it down.
    let cheap = Prices { input: 0, output: 1 };
    for (prices, spec) in [(TINY_PRICES, spec(17, 2_000)), (cheap, spec(1, 1))] {
        let quoted = on_chain(|| {
            operators().iter().for_each(|operator| ask(operator, prices));
            quoted(&spec)
        });
        for payment in [0, TINY_PRICES.output, UNIT].map(|down| Payment { down, ..quoted }) {
            for by in WAYS {
                let play = |vote: fn(usize, usize) -> Verdict| {
                    on_chain(|| {
                        operators().iter().for_each(|operator| ask(operator, prices));
                        let played = played(by, &spec, payment, vote);
                        let friends = played.jury.iter().enumerate();
                        let seats = played.jury.len();
                        let friends = friends
                            .filter(|(seat, _)| vote(*seat, seats) == rejects())
                            .map(|(_, who)| who);
                        let client = client();
                        let group: Vec<_> = friends.chain([&played.challenger, &client]).collect();
                        (settlement(&played.job).outcome, played.gain(&group))
                    })
                };
                let (outcome, gain) = play(captured);
                assert_eq!(outcome, Outcome::Slashed);
                let (outcome, failed) = play(|_, _| accepts());
                assert_eq!(outcome, Outcome::Paid);
                let (gain, loss) = (gain.max(0) as Balance, failed.unsigned_abs());
                assert!(failed < 0);
                assert!(
                    gain * MAJORITY < loss * (ONE - MAJORITY),
                    "{by:?} with {payment:?}: framing gains {gain} once and costs {loss} otherwise"
                );
            }
        }
    }
}
