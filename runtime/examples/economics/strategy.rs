// SPDX-License-Identifier: Apache-2.0
//! The conduct of the group of accounts whose profit is measured, in one job.

use crate::assumptions::{INPUT, MOST, PRICES, TOKENS};
use assay_primitives::{Balance, BlockNumber, DeclineReason, Prices};
use pallet_verification::Stage;

/// The job that is ordered, and the length of its output.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Order {
    /// Tokens of the prompt.
    pub input: u32,
    /// The most tokens of the output.
    pub most: u32,
    /// The tokens that the operator delivers.
    pub tokens: u32,
    /// The down payment.
    pub down: Balance,
    /// The tip.
    pub tip: Balance,
    /// The prices of all operators.
    pub prices: Prices,
    /// The blocks in which the output is due.
    pub deadline: BlockNumber,
}

impl Order {
    /// The reference job.
    pub const REFERENCE: Self = Self {
        input: INPUT,
        most: MOST,
        tokens: TOKENS,
        down: 0,
        tip: 0,
        prices: PRICES,
        deadline: 100,
    };

    /// The cheapest job: one token of each kind, at the lowest price.
    pub const TINY: Self = Self {
        input: 1,
        most: 1,
        tokens: 1,
        prices: Prices { input: 0, output: 1 },
        ..Self::REFERENCE
    };
}

/// The side of the operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// It does.
    InGroup,
    /// It is honest.
    Other,
}

/// The side of the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    /// It does.
    InGroup,
    /// It is somebody else.
    Other,
}

/// The way of the job after it is assigned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// The right output is delivered.
    Right,
    /// An output is delivered that any honest verifier rejects.
    Wrong,
    /// All operators decline.
    Declined(DeclineReason),
    /// So many operators are late.
    Late(u32),
}

/// To whom the operator serves request and transcript.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Serves {
    /// To all verifiers.
    All,
    /// To juries, and not to the committee.
    Juries,
    /// To nobody.
    Nobody,
}

/// A verifier's finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ballot {
    /// The output is right.
    Accept,
    /// It is wrong.
    Reject,
    /// It cannot be fetched.
    Unavailable,
}

/// An action of a verifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// It checks the output and votes.
    Vote(Ballot),
    /// It votes without a check.
    Blind(Ballot),
    /// It commits to something and tries to reveal what others have revealed.
    Copy,
    /// It checks the output, commits to what it has found, and does not reveal it.
    Withhold(Ballot),
    /// It gives up its seat.
    Vacate,
    /// It does nothing.
    Silent,
}

/// The conduct of members of the group that have seats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Members {
    /// As honest verifiers do.
    Honest,
    /// They accept what is wrong: on a committee from so many members on, on a jury where they are the
    /// majority. Otherwise they reject it, as the others do.
    Cover(u32),
    /// They reject what is right, under the same conditions.
    Frame(u32),
    /// They do this on a committee and on a jury.
    Do(Act, Act),
}

/// A seat as its holder sees it when it acts.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    /// The panel.
    pub stage: Stage,
    /// True if its holder belongs to the group.
    pub member: bool,
    /// The seats of the panel that members of the group hold.
    pub colluders: u32,
    /// The seats of the panel.
    pub seats: u32,
}

/// The conduct of the group in a job.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Conduct {
    /// The job.
    pub order: Order,
    /// Its operator.
    pub operator: Operator,
    /// Its client.
    pub client: Client,
    /// The way of the job.
    pub delivery: Delivery,
    /// The verifiers that can fetch request and transcript.
    pub serves: Serves,
    /// True if the operator publishes payloads that a jury could not fetch.
    pub publishes: bool,
    /// True if the operator has no record, so that all its jobs are audited.
    pub newcomer: bool,
    /// The conduct of members of the group as verifiers.
    pub members: Members,
    /// True if a member of the group tries to settle the job before the chain does.
    pub hunts: bool,
}

impl Conduct {
    /// An honest operator of the group among honest others.
    pub const HONEST: Self = Self {
        order: Order::REFERENCE,
        operator: Operator::InGroup,
        client: Client::Other,
        delivery: Delivery::Right,
        serves: Serves::All,
        publishes: true,
        newcomer: false,
        members: Members::Honest,
        hunts: false,
    };

    /// Returns what the holder of a seat does.
    pub fn act(&self, seat: &Seat) -> Act {
        let Seat { stage, member, colluders, seats } = *seat;
        let served = match self.serves {
            Serves::All => true,
            Serves::Juries => stage != Stage::Committee,
            Serves::Nobody => stage == Stage::Published,
        };
        let found = match self.delivery {
            _ if !served => Ballot::Unavailable,
            Delivery::Wrong => Ballot::Reject,
            _ => Ballot::Accept,
        };
        let honest = Act::Vote(found);
        if !member {
            return honest;
        }
        let strong = |from: u32| {
            if stage.is_jury() {
                colluders > seats / 2
            } else {
                colluders >= from
            }
        };
        match self.members {
            Members::Honest => honest,
            Members::Cover(from) if strong(from) => Act::Blind(Ballot::Accept),
            Members::Frame(from) if strong(from) => Act::Blind(Ballot::Reject),
            // They know that it is wrong.
            Members::Cover(_) => Act::Blind(found),
            Members::Frame(_) => honest,
            Members::Do(_, on_jury) if stage.is_jury() => on_jury,
            Members::Do(on_committee, _) => on_committee,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(stage: Stage, member: bool, colluders: u32, seats: u32) -> Seat {
        Seat { stage, member, colluders, seats }
    }

    #[test]
    fn honest_verifier_says_what_it_finds() {
        let of = |delivery, serves, stage| {
            Conduct { delivery, serves, ..Conduct::HONEST }.act(&seat(stage, false, 0, 3))
        };
        let (committee, jury) = (Stage::Committee, Stage::Jury);
        assert_eq!(of(Delivery::Right, Serves::All, committee), Act::Vote(Ballot::Accept));
        assert_eq!(of(Delivery::Wrong, Serves::All, committee), Act::Vote(Ballot::Reject));
        assert_eq!(of(Delivery::Right, Serves::Juries, committee), Act::Vote(Ballot::Unavailable));
        assert_eq!(of(Delivery::Right, Serves::Juries, jury), Act::Vote(Ballot::Accept));
        assert_eq!(of(Delivery::Wrong, Serves::Nobody, jury), Act::Vote(Ballot::Unavailable));
        assert_eq!(
            of(Delivery::Wrong, Serves::Nobody, Stage::Published),
            Act::Vote(Ballot::Reject)
        );
    }

    #[test]
    fn colluders_lie_only_where_they_are_strong() {
        let cover =
            Conduct { delivery: Delivery::Wrong, members: Members::Cover(2), ..Conduct::HONEST };
        let act = |stage, colluders, seats| cover.act(&seat(stage, true, colluders, seats));
        assert_eq!(act(Stage::Committee, 1, 3), Act::Blind(Ballot::Reject));
        assert_eq!(act(Stage::Committee, 2, 3), Act::Blind(Ballot::Accept));
        assert_eq!(act(Stage::Jury, 4, 9), Act::Blind(Ballot::Reject));
        assert_eq!(act(Stage::Jury, 5, 9), Act::Blind(Ballot::Accept));
    }
}
