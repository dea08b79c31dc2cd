// SPDX-License-Identifier: Apache-2.0
//! The steps that can happen, and their probabilities.

use crate::people::Who;
use assay_primitives::{publication::Part, Balance, DeclineReason, VacateReason};
use assay_runtime::UNIT;
use proptest::prelude::*;
use sp_staking::SessionIndex;
use std::ops::Range;

/// An act of somebody. Numbers of jobs, delegations, refusals and
/// rotations are reduced to existing ones.
#[derive(Clone, Debug)]
pub enum Act {
    Create {
        client: Who,
        payment: (u8, u8, u8),
        tokens: u32,
        delay: u32,
        only: Option<Who>,
        audit: bool,
    },
    Challenge {
        job: usize,
        who: Option<Who>,
    },
    Raise {
        job: usize,
        more: u8,
    },
    Cancel {
        job: usize,
    },
    Confirm {
        job: usize,
    },
    Settle {
        job: usize,
    },
    Expire {
        job: usize,
    },
    Advance {
        job: usize,
    },
    Work {
        commit: bool,
        tokens: u32,
    },
    Decline {
        job: usize,
        reason: DeclineReason,
    },
    CommitVerdicts {
        verdict: u8,
        keep_silent: usize,
    },
    VacateSeats {
        keep: usize,
        reason: VacateReason,
    },
    RevealVerdicts {
        verdict: u8,
        keep_silent: usize,
    },
    Judge {
        verdict: u8,
    },
    Publish {
        part: Part,
    },
    Register {
        who: Who,
        bond: Balance,
    },
    Bond {
        who: Who,
        amount: Balance,
    },
    Unbond {
        who: Who,
        amount: Balance,
    },
    Withdraw {
        who: Who,
    },
    Contact {
        who: Who,
    },
    Worker {
        who: Who,
        worker: u8,
    },
    RetireWorker {
        rotation: usize,
    },
    Rank {
        who: Who,
    },
    Offers {
        who: Who,
        price: Option<u8>,
    },
    Concurrency {
        who: Who,
        jobs: u32,
    },
    Refuse {
        who: Who,
        client: Who,
    },
    Admit {
        refusal: usize,
    },
    Drain {
        who: Who,
        draining: bool,
    },
    Leave {
        who: Who,
    },
    Payout {
        who: Who,
        to: Option<Who>,
    },
    Commission {
        who: Who,
        percent: u32,
    },
    Delegate {
        who: Who,
        operator: Who,
        amount: Balance,
    },
    Undelegate {
        delegation: usize,
        amount: Balance,
    },
    WithdrawDelegation {
        delegation: usize,
    },
    Offend {
        who: Who,
        percent: u32,
        reporter: Option<Who>,
        session: SessionIndex,
    },
    ApplySlash {
        slash: usize,
    },
    CancelSlash {
        slash: usize,
    },
    Elect {
        session: SessionIndex,
    },
    RegisterAddress,
    UnregisterAddress,
    Transfer {
        from: Who,
        to: Option<Who>,
        amount: Balance,
    },
    Bounty {
        hundredths: Option<u8>,
    },
}

/// A step of a sequence.
#[derive(Clone, Debug)]
pub enum Step {
    /// Somebody acts.
    Act(Act),
    /// `count` blocks pass, in which the heartbeats of those operators arrive whose bit is set.
    /// Extrinsics fill them or leave room for what the pallets do by themselves.
    Blocks { count: u8, alive: u16, full: bool },
}

/// Returns one of the first seven. The other operators run and verify jobs, and do nothing else before
/// everybody leaves.
fn who() -> impl Strategy<Value = Who> {
    0..7usize
}

/// Returns amounts of stake: dust, some, a lot, and more than there is.
fn stake() -> impl Strategy<Value = Balance> {
    prop_oneof![
        1 => 0..UNIT,
        6 => (0..4_000u128).prop_map(|units| units * UNIT),
        2 => (0..200_000u128).prop_map(|units| units * UNIT),
        1 => Just(Balance::MAX),
    ]
}

fn market() -> impl Strategy<Value = Act> {
    let job = || 0..100usize;
    prop_oneof![
        6 => (
            who(),
            any::<(u8, u8, u8)>(),
            0..20u32,
            0..6u32,
            prop::option::weighted(0.2, who()),
            prop::bool::weighted(0.2),
        )
            .prop_map(|(client, payment, tokens, delay, only, audit)| {
                Act::Create { client, payment, tokens, delay, only, audit }
            }),
        24 => (job(), prop::option::of(who())).prop_map(|(job, who)| Act::Challenge { job, who }),
        1 => (job(), any::<u8>()).prop_map(|(job, more)| Act::Raise { job, more }),
        1 => job().prop_map(|job| Act::Cancel { job }),
        4 => job().prop_map(|job| Act::Confirm { job }),
        4 => job().prop_map(|job| Act::Settle { job }),
        4 => job().prop_map(|job| Act::Expire { job }),
        8 => job().prop_map(|job| Act::Advance { job }),
        40 => (any::<bool>(), 0..20u32).prop_map(|(commit, tokens)| Act::Work { commit, tokens }),
        1 => (job(), prop::sample::select(DeclineReason::ALL.to_vec()))
            .prop_map(|(job, reason)| Act::Decline { job, reason }),
        1 => (1..12usize, prop::sample::select(VacateReason::ALL.to_vec()))
            .prop_map(|(keep, reason)| Act::VacateSeats { keep, reason }),
        24 => (0..8u8).prop_map(|verdict| Act::Judge { verdict }),
        6 => prop::sample::select(Part::ALL.to_vec()).prop_map(|part| Act::Publish { part }),
        6 => (0..8u8, 0..12usize)
            .prop_map(|(verdict, keep_silent)| Act::CommitVerdicts { verdict, keep_silent }),
        6 => (0..8u8, 0..12usize)
            .prop_map(|(verdict, keep_silent)| Act::RevealVerdicts { verdict, keep_silent }),
    ]
}

fn operators() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => (who(), stake()).prop_map(|(who, bond)| Act::Register { who, bond }),
        1 => (who(), stake()).prop_map(|(who, amount)| Act::Bond { who, amount }),
        2 => (who(), stake()).prop_map(|(who, amount)| Act::Unbond { who, amount }),
        2 => who().prop_map(|who| Act::Withdraw { who }),
        1 => who().prop_map(|who| Act::Contact { who }),
        3 => (0..12usize, 100..110u8).prop_map(|(who, worker)| Act::Worker { who, worker }),
        3 => (0..100usize).prop_map(|rotation| Act::RetireWorker { rotation }),
        1 => who().prop_map(|who| Act::Rank { who }),
        2 => (who(), prop::option::weighted(0.8, any::<u8>()))
            .prop_map(|(who, price)| Act::Offers { who, price }),
        1 => (who(), 0..6u32).prop_map(|(who, jobs)| Act::Concurrency { who, jobs }),
        1 => (who(), who()).prop_map(|(who, client)| Act::Refuse { who, client }),
        1 => (0..100usize).prop_map(|refusal| Act::Admit { refusal }),
        1 => (who(), any::<bool>()).prop_map(|(who, draining)| Act::Drain { who, draining }),
        1 => who().prop_map(|who| Act::Leave { who }),
        3 => (who(), prop::option::weighted(0.5, who()))
            .prop_map(|(who, to)| Act::Payout { who, to }),
        1 => (who(), 0..20u32).prop_map(|(who, percent)| Act::Commission { who, percent }),
        3 => (who(), who(), stake())
            .prop_map(|(who, operator, amount)| Act::Delegate { who, operator, amount }),
        2 => (0..100usize, stake())
            .prop_map(|(delegation, amount)| Act::Undelegate { delegation, amount }),
        2 => (0..100usize).prop_map(|delegation| Act::WithdrawDelegation { delegation }),
    ]
}

fn others() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => (who(), 0..101u32, prop::option::of(who()), 0..20u32).prop_map(
            |(who, percent, reporter, session)| Act::Offend { who, percent, reporter, session }
        ),
        3 => (0..100usize).prop_map(|slash| Act::ApplySlash { slash }),
        1 => (0..100usize).prop_map(|slash| Act::CancelSlash { slash }),
        1 => (0..20u32).prop_map(|session| Act::Elect { session }),
        1 => Just(Act::RegisterAddress),
        1 => Just(Act::UnregisterAddress),
        2 => (who(), prop::option::of(who()), stake())
            .prop_map(|(from, to, amount)| Act::Transfer { from, to, amount }),
        1 => prop::option::of(any::<u8>()).prop_map(|hundredths| Act::Bounty { hundredths }),
    ]
}

/// Returns some blocks, or a longer time in which all blocks are full.
fn blocks() -> impl Strategy<Value = Step> {
    let alive = || prop_oneof![any::<u16>(), Just(u16::MAX)];
    let step = |full| move |(count, alive)| Step::Blocks { count, alive, full };
    prop_oneof![
        6 => (1..6u8, alive()).prop_map(step(false)),
        1 => (1..30u8, alive()).prop_map(step(true)),
    ]
}

/// Returns sequences of so many steps.
pub fn sequence(steps: Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    let act = prop_oneof![6 * 100 => market(), 2 * 47 => operators(), 47 => others()];
    let step = prop_oneof![6 * 20 => blocks(), 6 * 100 + 3 * 47 => act.prop_map(Step::Act)];
    prop::collection::vec(step, steps)
}
