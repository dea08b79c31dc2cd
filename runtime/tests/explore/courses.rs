// SPDX-License-Identifier: Apache-2.0
//! Courses that jobs take, from whose states on the exploration begins: each leads to another end.

use crate::{
    acts::{Act, Vote, TOKENS},
    snapshot::Snapshot,
};
use assay_primitives::{publication::Part, DeclineReason};

/// A course from a state on.
pub struct Course {
    pub start: Snapshot,
    pub acts: Vec<Act>,
}

const PASS: Act = Act::Pass { luck: 0 };
/// As many as a jury has seats, and more: an act without a seat has no effect.
const JURY: usize = 9;

/// Returns the courses.
pub fn all() -> Vec<Course> {
    let begin = |down| vec![PASS, Act::Create { down }, PASS];
    let delivered = |down| {
        let rest = vec![Act::Accept, Act::Deliver { tokens: TOKENS }, PASS];
        [begin(down), rest].concat()
    };
    // A panel that has committed wholly reveals at once, and the next one is drawn after some blocks.
    let votes = |votes: &[(Vote, usize)]| -> Vec<Act> {
        let each = |act: fn(Vote) -> Act| {
            votes.iter().flat_map(move |(vote, count)| vec![act(*vote); *count])
        };
        each(Act::Commit).chain(each(Act::Reveal)).chain([PASS]).collect()
    };
    let declines = || [Act::Decline(DeclineReason::PayloadUnavailable), PASS].repeat(3);
    let publication: Vec<_> = Part::ALL.map(Act::Publish).into_iter().chain([PASS]).collect();
    let drained =
        |but| [begin(false), vec![Act::Accept, Act::Drain { but }, Act::Deliver { tokens: 1 }]];
    let courses = [
        [begin(true), vec![Act::Cancel]].concat(),
        [begin(true), declines()].concat(),
        [begin(true), [Act::Accept, PASS, PASS].repeat(3)].concat(),
        [delivered(true), votes(&[(Vote::Accept, 3)])].concat(),
        [
            delivered(false),
            votes(&[(Vote::Accept, 2), (Vote::Reject, 1)]),
            votes(&[(Vote::Accept, JURY)]),
        ]
        .concat(),
        [delivered(true), votes(&[(Vote::Reject, 3)]), votes(&[(Vote::Reject, JURY)])].concat(),
        [
            delivered(false),
            votes(&[(Vote::Unavailable, 3)]),
            votes(&[(Vote::Unavailable, JURY)]),
            publication,
            votes(&[(Vote::Accept, JURY)]),
        ]
        .concat(),
        [
            delivered(false),
            votes(&[(Vote::Unavailable, 3)]),
            votes(&[(Vote::Unavailable, JURY)]),
            vec![PASS],
        ]
        .concat(),
        [vec![PASS, Act::Trust], delivered(true), vec![PASS]].concat(),
        [drained(1).concat(), vec![PASS, PASS, PASS]].concat(),
        [drained(4).concat(), vec![PASS], votes(&[(Vote::Accept, 1), (Vote::Reject, 1)])].concat(),
    ];
    // An output of a trusted operator is seldom audited.
    let confirmed = [0, 1, 2].map(|luck| {
        let delivered = delivered(true);
        let before = &delivered[..delivered.len() - 1];
        [&[PASS, Act::Trust][..], before, &[Act::Pass { luck }, Act::Confirm]].concat()
    });
    // Neither is one that is challenged, which a jury accepts, rejects, or cannot fetch.
    let challenged = [(true, Vote::Accept), (false, Vote::Reject), (false, Vote::Unavailable)]
        .into_iter()
        .flat_map(|(client, vote)| [0, 1, 2].map(|luck| (client, vote, luck)))
        .map(|(client, vote, luck)| {
            let delivered = delivered(false);
            let before = &delivered[..delivered.len() - 1];
            let challenge = [Act::Pass { luck }, Act::Challenge { client }, PASS];
            [&[PASS, Act::Trust][..], before, &challenge, &votes(&[(vote, JURY)])].concat()
        });
    courses
        .into_iter()
        .chain(confirmed)
        .chain(challenged)
        .map(|acts| Course { start: Snapshot::default(), acts })
        .collect()
}
