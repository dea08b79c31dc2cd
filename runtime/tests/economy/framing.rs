// SPDX-License-Identifier: Apache-2.0
//! A client that has friends among the verifiers orders a long answer to a prompt that ends after one
//! token, lets the honest output be rejected, and is compensated out of the bonds of its operator and of
//! the honest verifiers that a jury of friends contradicts.

use crate::scene::*;
use assay_primitives::{
    job::{JobSpec, Payment},
    settlement::Outcome,
    Prices, Verdict,
};
use assay_runtime::{parameters::SecondLooks, presets::TINY_PRICES, AccountId, Balance, UNIT};
use frame_support::traits::Get;
use pallet_verification::Stage;

/// The chance that a group with a fifth of the stake has a majority of a jury of seven, in millionths.
const MAJORITY: Balance = 33_344;

/// One in millionths.
const ONE: Balance = 1_000_000;

/// Returns the verdict of a member of a jury on which the group has a bare majority.
fn of_captured_jury(seat: usize, seats: usize) -> Verdict {
    if seat <= seats / 2 {
        rejects()
    } else {
        accepts()
    }
}

/// A job, and the money that the client and its friends had before and have after it.
struct Played {
    outcome: Outcome,
    before: Balance,
    after: Balance,
    panels: Panels,
}

/// Plays a job of one token, with a second look where that is said. Whoever rejects is a friend of the
/// client.
fn played(
    spec: &JobSpec<AccountId>,
    payment: Payment,
    is_looked_at: bool,
    vote: impl Fn(Stage, usize, usize) -> Verdict,
) -> Played {
    let others: Vec<_> = operators().into_iter().map(|who| (wealth([&who]), who)).collect();
    let before = wealth(&[client()]);
    let job = create(spec.clone(), payment);
    deliver(&job, 1);
    let panels = judge_with_look(&job, is_looked_at, &vote);
    let rejected = |(stage, members): &(Stage, Vec<AccountId>), who: &AccountId| {
        let seat = members.iter().position(|member| member == who);
        seat.is_some_and(|seat| vote(*stage, seat, members.len()) == rejects())
    };
    let is_friend = |who: &AccountId| panels.iter().any(|panel| rejected(panel, who));
    let friends: Vec<_> = others.into_iter().filter(|(_, who)| is_friend(who)).collect();
    Played {
        outcome: settlement(&job).outcome,
        before: before + friends.iter().map(|(before, _)| before).sum::<Balance>(),
        after: wealth(&[client()]) + wealth(friends.iter().map(|(_, who)| who)),
        panels,
    }
}

/// The payments of baits: without a down payment, with one as high as a token's price, and with a high
/// one.
fn payments(quoted: Payment) -> [Payment; 3] {
    [0, TINY_PRICES.output, UNIT].map(|down| Payment { down, ..quoted })
}

#[test]
fn friend_on_a_committee_costs_more_than_a_jury_of_friends_gains() {
    let spec = spec(17, 2_000);
    for payment in payments(on_chain(|| quoted(&spec))) {
        let framed = on_chain(|| {
            played(&spec, payment, false, |stage, seat, seats| match stage {
                Stage::Committee if seat > 0 => accepts(),
                Stage::Committee => rejects(),
                _ => of_captured_jury(seat, seats),
            })
        });
        assert_eq!((framed.outcome, framed.panels[1].1.len()), (Outcome::Slashed, 7));
        let failed = on_chain(|| {
            played(&spec, payment, false, |stage, seat, _| match (stage, seat) {
                (Stage::Committee, 0) => rejects(),
                _ => accepts(),
            })
        });
        assert_eq!(failed.outcome, Outcome::Paid);
        let (gain, loss) = (framed.after - framed.before, failed.before - failed.after);
        assert!(
            gain * MAJORITY < loss * (ONE - MAJORITY),
            "with {payment:?} framing gains {gain} once and costs {loss} otherwise"
        );
    }
}

#[test]
fn second_look_by_a_jury_of_friends_gains_less_than_the_baits_for_it_cost() {
    // A job that costs next to nothing is the best bait: the bonds of verifiers do not follow it down.
    let cheap = Prices { input: 0, output: 1 };
    let second_looks = on_chain(|| Balance::from(SecondLooks::get().deconstruct()));
    for (prices, spec) in [(TINY_PRICES, spec(17, 2_000)), (cheap, spec(1, 1))] {
        let ask_all = || operators().iter().for_each(|operator| ask(operator, prices));
        let quoted = on_chain(|| {
            ask_all();
            quoted(&spec)
        });
        for payment in payments(quoted) {
            let bait = |is_looked_at| {
                on_chain(|| {
                    ask_all();
                    played(&spec, payment, is_looked_at, |stage, seat, seats| match stage {
                        Stage::SecondLook => of_captured_jury(seat, seats),
                        _ => accepts(),
                    })
                })
            };
            let (framed, paid) = (bait(true), bait(false));
            assert_eq!((framed.outcome, framed.panels[1].1.len()), (Outcome::Slashed, 7));
            assert_eq!((paid.outcome, paid.panels.len()), (Outcome::Paid, 1));
            let (gain, loss) = (framed.after - framed.before, paid.before - paid.after);
            let chance = MAJORITY * second_looks;
            assert!(
                gain * chance < loss * (ONE * ONE - chance),
                "with {payment:?} framing gains {gain} once and costs {loss} otherwise"
            );
        }
    }
}
