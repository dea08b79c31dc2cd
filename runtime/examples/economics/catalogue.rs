// SPDX-License-Identifier: Apache-2.0
//! The strategies that are measured.

use crate::{
    assumptions::{PRICES, QUANTISED, TOKENS, WASHED, WRONG_MODEL},
    authors::{small_seats, Authors},
    costs::{self, FULL_BLOCKS},
    strategy::{
        Act, Ballot, Client, Conduct, Delivery, Members as Verifiers, Operator, Order, Serves,
    },
    tree::Members,
};
use assay_primitives::DeclineReason;
use assay_runtime::UNIT;

/// The members of the group among those that can be drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drawn {
    /// None.
    Nobody,
    /// The share of the pool.
    Share,
    /// One that has a seat on the committee.
    OnCommittee,
    /// One that has a seat on the jury of a second look.
    OnSecondLook,
}

impl Drawn {
    /// Returns the members if the group has that share.
    pub fn at(self, share: f64) -> Members {
        match self {
            Self::Nobody => Members::Share(0.0),
            Self::Share => Members::Share(share),
            Self::OnCommittee => Members::OnCommittee,
            Self::OnSecondLook => Members::OnSecondLook,
        }
    }
}

/// One way to follow a strategy; the best is chosen at each share.
#[derive(Clone, Debug)]
pub struct Variant {
    /// A few words.
    pub label: &'static str,
    /// The conduct of the group.
    pub conduct: Conduct,
    /// An additional cost of each job, in ASY.
    pub extra: f64,
    /// An additional cost of a slash, in ASY.
    pub when_slashed: f64,
}

impl Variant {
    fn new(label: &'static str, conduct: Conduct) -> Self {
        Self { label, conduct, extra: 0.0, when_slashed: 0.0 }
    }
}

/// The conduct of the same accounts if they are honest.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Honest {
    /// Nothing: they have no use for the job.
    Nothing,
    /// That.
    Job(Conduct),
}

/// A strategy.
#[derive(Clone, Debug)]
pub struct Strategy {
    /// Its name.
    pub name: &'static str,
    /// The members of the group.
    pub who: &'static str,
    /// A few words about it.
    pub what: &'static str,
    /// The ways to follow it.
    pub variants: Vec<Variant>,
    /// The members of the group that can be drawn.
    pub drawn: Drawn,
    /// The advantage of the group's authors, by its share.
    pub authors: fn(f64) -> Authors,
    /// The operator's cost, as a part of the cost of honest work for the reference job.
    pub work: f64,
    /// True if the client of the group has use for the text, which is then worth its price.
    pub wanted: bool,
    /// The honest alternative.
    pub honest: Honest,
}

impl Strategy {
    fn new(name: &'static str, who: &'static str, what: &'static str) -> Self {
        Self {
            name,
            who,
            what,
            variants: vec![],
            drawn: Drawn::Nobody,
            authors: |_| Authors::NONE,
            work: 0.0,
            wanted: false,
            honest: Honest::Nothing,
        }
    }

    fn by(mut self, label: &'static str, conduct: Conduct) -> Self {
        self.variants.push(Variant::new(label, conduct));
        self
    }
}

/// Returns all strategies; the first is honest work.
pub fn all() -> Vec<Strategy> {
    [operators(), verifiers(), groups(), clients(), blocks()].concat()
}

fn operator(name: &'static str, what: &'static str, work: f64) -> Strategy {
    let honest = Honest::Job(Conduct::HONEST);
    Strategy { work, honest, ..Strategy::new(name, "operator", what) }
}

/// An operator that delivers what no honest verifier accepts, of that length.
fn wrong(tokens: u32) -> Conduct {
    let order = Order { tokens, ..Order::REFERENCE };
    Conduct { order, delivery: Delivery::Wrong, ..Conduct::HONEST }
}

fn part_of_price(tokens: u32) -> f64 {
    let Order { input, .. } = Order::REFERENCE;
    PRICES.of(input, tokens) as f64 / PRICES.of(input, TOKENS) as f64
}

fn operators() -> Vec<Strategy> {
    let unserved = |serves| Conduct { serves, ..Conduct::HONEST };
    let newcomer = |conduct| Conduct { newcomer: true, ..conduct };
    let mut splitting = operator(
        "identity splitting",
        "each lie under a new name, with no record or with one that is bought",
        WRONG_MODEL,
    )
    .by("no record", newcomer(wrong(TOKENS)))
    .by("bought record", wrong(TOKENS));
    splitting.variants[1].when_slashed = costs::record();
    vec![
        honest(),
        operator("wrong model", "a model ten times smaller", WRONG_MODEL).by("", wrong(TOKENS)),
        operator("cheaper quantisation", "half of the bits of each weight", QUANTISED)
            .by("", wrong(TOKENS)),
        operator("one token", "ends after one token", part_of_price(1)).by("", wrong(1)),
        operator("truncation", "ends after half of the tokens", part_of_price(TOKENS / 2))
            .by("", wrong(TOKENS / 2)),
        operator("padding", "twice as many tokens, the rest junk", 1.0).by("", wrong(2 * TOKENS)),
        operator("withholding", "commits to nothing real and serves nobody", 0.0)
            .by("", Conduct { serves: Serves::Nobody, publishes: false, ..wrong(TOKENS) }),
        operator("serving some verifiers", "the right text, served to no committee", 1.0)
            .by("juries are served", unserved(Serves::Juries))
            .by("published on the chain", unserved(Serves::Nobody)),
        operator("copied commitment", "the hashes of an earlier job", 0.0).by("", wrong(TOKENS)),
        splitting,
    ]
}

fn verifiers() -> Vec<Strategy> {
    let seat = |members| Conduct { operator: Operator::Other, members, ..Conduct::HONEST };
    let honest = Honest::Job(seat(Verifiers::Honest));
    let verifier =
        |name, who, what, drawn| Strategy { drawn, honest, ..Strategy::new(name, who, what) };
    let member = |name, what| verifier(name, "committee member", what, Drawn::OnCommittee);
    let juror = |name, what| verifier(name, "juror of a second look", what, Drawn::OnSecondLook);
    let both = |act| seat(Verifiers::Do(act, act));
    vec![
        member("honest verifier", "checks").by("", seat(Verifiers::Honest)),
        member("lazy verifier", "does no check")
            .by("claims that the text is unavailable", both(Act::Blind(Ballot::Unavailable)))
            .by("vacates its seat", both(Act::Vacate))
            .by("rejects", both(Act::Blind(Ballot::Reject)))
            .by("is silent", both(Act::Silent)),
        member("copying verifier", "reveals what another has revealed").by("", both(Act::Copy)),
        member("unrevealed verdict", "checks, commits, and does not reveal")
            .by("", both(Act::Withhold(Ballot::Accept))),
        juror("honest juror", "checks").by("", seat(Verifiers::Honest)),
        juror("copying juror", "accepts with the digest root that the committee has revealed")
            .by("", both(Act::Blind(Ballot::Accept))),
    ]
}

fn groups() -> Vec<Strategy> {
    let with = |conduct: Conduct, members| Conduct { members, ..conduct };
    let cover = |strategy: Strategy| {
        strategy
            .by("members on a committee accept alone", with(wrong(TOKENS), Verifiers::Cover(1)))
            .by("two of three accept", with(wrong(TOKENS), Verifiers::Cover(2)))
            .by("three of three accept", with(wrong(TOKENS), Verifiers::Cover(3)))
    };
    let colluding = |name, what| Strategy {
        drawn: Drawn::Share,
        who: "operator and verifiers",
        ..operator(name, what, WRONG_MODEL)
    };
    let client = Conduct { client: Client::InGroup, operator: Operator::Other, ..Conduct::HONEST };
    let bait = |tokens, most, down, prices| Conduct {
        order: Order { tokens, most, down, prices, ..Order::REFERENCE },
        ..client
    };
    let mut framing = Strategy {
        drawn: Drawn::Share,
        ..Strategy::new(
            "framing",
            "client and verifiers",
            "a bait whose right output is rejected by friends",
        )
    };
    for (label, order) in [
        ("one token of 1,800", bait(1, 1_800, 0, PRICES)),
        ("one token of 1,800, with a down payment", bait(1, 1_800, UNIT, PRICES)),
        ("one token at the lowest price", bait(1, 1, 0, Order::TINY.prices)),
        ("the reference job", client),
    ] {
        for from in [1, 2, 3, 4] {
            framing = framing.by(label, with(order, Verifiers::Frame(from)));
        }
    }
    vec![
        cover(colluding("colluding", "a wrong model that friends accept")),
        Strategy {
            authors: Authors::grinding,
            who: "operator and authors",
            ..operator("author grinding", "a wrong model, committed before own blocks", WRONG_MODEL)
        }
        .by("", wrong(TOKENS)),
        Strategy {
            authors: Authors::patient,
            who: "operator and authors",
            ..operator(
                "patient author grinding",
                "the same, at the best moment of a day, which only long deadlines allow",
                WRONG_MODEL,
            )
        }
        .by("", wrong(TOKENS)),
        Strategy {
            authors: |share| Authors::grinding(small_seats(share)),
            who: "operator and authors",
            ..operator(
                "author grinding with small seats",
                "the same, with validators of half of the average stake",
                WRONG_MODEL,
            )
        }
        .by("", wrong(TOKENS)),
        Strategy {
            authors: Authors::withholding,
            who: "operator, verifiers and authors",
            ..cover(colluding("withheld blocks", "all of that, and blocks are withheld"))
        },
        Strategy {
            authors: |share| Authors::withholding(small_seats(share)),
            who: "operator, verifiers and authors",
            ..cover(colluding(
                "withheld blocks, twice the slots",
                "the same with half as large seats",
            ))
        },
        framing,
        Strategy {
            drawn: Drawn::Share,
            wanted: true,
            honest: Honest::Job(client),
            ..Strategy::new(
                "opportunistic framing",
                "client and verifiers",
                "a client with use for the text; friends reject only where they cannot lose",
            )
        }
        .by("only with a majority of a jury", with(client, Verifiers::Frame(4)))
        .by("or with a whole committee", with(client, Verifiers::Frame(3))),
    ]
}

fn clients() -> Vec<Strategy> {
    let client = Conduct { client: Client::InGroup, operator: Operator::Other, ..Conduct::HONEST };
    let declined = |name, what, reason| {
        Strategy::new(name, "client", what)
            .by("", Conduct { delivery: Delivery::Declined(reason), ..client })
    };
    let own = Conduct { client: Client::InGroup, ..Conduct::HONEST };
    vec![
        Strategy::new("self-dealing", "operator and client", "pays itself for a record")
            .by("at full price", own)
            .by(
                "one token at the lowest price, for nothing",
                Conduct { order: Order::TINY, ..own },
            ),
        declined("impossible jobs", "no operator can run them in time", DeclineReason::Resource),
        declined(
            "junk requests",
            "nobody can fetch the request",
            DeclineReason::PayloadUnavailable,
        ),
        declined(
            "false lengths",
            "the prompt is longer than it is said to be",
            DeclineReason::InputLength,
        ),
    ]
}

fn blocks() -> Vec<Strategy> {
    let client = Conduct { client: Client::InGroup, operator: Operator::Other, ..Conduct::HONEST };
    // As much as the chain takes with the shortest deadline.
    let quick = Order { deadline: 5, most: 300, tokens: 300, ..Order::REFERENCE };
    let late = Conduct { delivery: Delivery::Late(1), order: quick, ..client };
    let mut outsider = Strategy {
        wanted: true,
        ..Strategy::new(
            "block stuffing",
            "client",
            "blocks full of its extrinsics; reports are included all the same",
        )
    }
    .by("", Conduct { order: quick, ..client });
    outsider.variants[0].extra = f64::from(FULL_BLOCKS) * costs::full_block(false);
    let mut insider = Strategy::new(
        "block stuffing by operators",
        "client and operators",
        "blocks full of failing reports of many operators' worker keys, while ten jobs are due",
    )
    .by("ten jobs at once", late);
    insider.variants[0].extra = f64::from(FULL_BLOCKS) * costs::full_block(true) / 10.0;
    vec![
        Strategy::new(
            "bounty hunting",
            "anybody",
            "settles jobs of others in the first block in which that can be done",
        )
        .by("", Conduct { client: Client::Other, hunts: true, ..client }),
        outsider,
        insider,
        Strategy::new(
            "late by authors",
            "client and authors",
            "five blocks in a row of authors that include no reports of others",
        )
        .by("", late),
    ]
}

/// Returns honest work.
pub fn honest() -> Strategy {
    operator("honest", "the model that was ordered", 1.0).by("", Conduct::HONEST)
}

/// Returns a job that an operator orders of itself so that it counts as fast, at the price of the market. It
/// repeats a text that it has, so that it takes no work.
pub fn washed() -> Strategy {
    let order = Order { input: 1, most: WASHED.0, tokens: WASHED.0, ..Order::REFERENCE };
    let conduct = Conduct { order, client: Client::InGroup, ..Conduct::HONEST };
    Strategy::new("wash trading", "operator and client", "jobs of its own that it answers at once")
        .by("", conduct)
}
