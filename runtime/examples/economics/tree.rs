// SPDX-License-Identifier: Apache-2.0
//! All ways that a job can go, with their probabilities.
//!
//! The tree is not written down here: the runtime plays each path of draws as far as it is known and
//! says which draw comes next, or how the job has ended. Each path is played once.

use crate::{
    assumptions::POOL,
    authors::Authors,
    probability::{hypergeometric, largest_of},
    stage::{self, Chance, Ended, Led},
    strategy::Conduct,
};
use assay_primitives::ticket::{self, TICKETS};
use assay_runtime::Runtime;
use frame_support::traits::Get;
use std::{cell::RefCell, collections::HashMap, rc::Rc};

/// Which of the operators that can be drawn belong to the group.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Members {
    /// A part of the pool.
    Share(f64),
    /// One, which has a seat on the committee.
    OnCommittee,
    /// One, which has a seat on the jury of a second look.
    OnSecondLook,
}

/// The circumstances of a job.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Setting {
    /// The members of the group that can be drawn.
    pub members: Members,
    /// The advantage of the group's authors.
    pub authors: Authors,
}

/// The rates of the runtime.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rates {
    /// The winning tickets of a block for an audit.
    pub audit: u32,
    /// The winning tickets of a block for a second look.
    pub second_look: u32,
    /// The blocks of a span.
    pub blocks: u32,
}

impl Rates {
    /// Reads the rates of the runtime.
    pub fn read() -> Self {
        stage::on_chain(|| {
            let blocks = <Runtime as pallet_verification::Config>::DrawBlocks::get();
            let audit = <Runtime as pallet_verification::Config>::AuditFloor::get();
            let look = <Runtime as pallet_verification::Config>::SecondLooks::get();
            Self {
                audit: ticket::threshold(audit, blocks),
                second_look: ticket::threshold(look, blocks),
                blocks,
            }
        })
    }
}

/// The seats drawn so far.
#[derive(Clone, Copy, Default, Debug)]
pub struct Drawn {
    /// All seats.
    pub seats: u32,
    /// Those of the group.
    pub members: u32,
}

impl Setting {
    /// Returns the members of the group in the pool.
    pub fn marked(&self) -> u32 {
        match self.members {
            Members::Share(share) => (share * f64::from(POOL)).round() as u32,
            Members::OnCommittee | Members::OnSecondLook => 1,
        }
    }

    /// Returns the probability of each result of a draw: of 0, 1, 2 and so on.
    pub fn distribution(&self, chance: Chance, drawn: Drawn, rates: &Rates) -> Vec<f64> {
        let certain =
            |result: u32, most: u32| (0..=most).map(|k| f64::from(u8::from(k == result))).collect();
        match (self.members, chance) {
            (Members::OnCommittee | Members::OnSecondLook, Chance::Audit) => certain(1, 1),
            (Members::OnSecondLook, Chance::SecondLook) => certain(1, 1),
            (Members::OnCommittee, Chance::Seats(n)) => certain(u32::from(drawn.seats == 0), n),
            (Members::OnSecondLook, Chance::Seats(n)) => {
                certain(u32::from(drawn.seats > 0 && drawn.members == 0), n)
            }
            (Members::Share(_), Chance::Audit) => self.tickets(rates.audit, rates),
            (_, Chance::SecondLook) => self.tickets(rates.second_look, rates),
            (Members::Share(_), Chance::Seats(n)) => {
                let (pool, marked) = (POOL - drawn.seats, self.marked() - drawn.members);
                let one: Vec<_> = (0..=n).map(|k| hypergeometric(pool, marked, n, k)).collect();
                let mut sum = vec![0.0; one.len()];
                for (tail, probability) in self.authors.tails().into_iter().enumerate() {
                    let best = largest_of(&one, tail as u32);
                    sum.iter_mut().zip(best).for_each(|(sum, best)| *sum += probability * best);
                }
                sum
            }
        }
    }

    /// Returns the probabilities that no ticket wins and that one does.
    fn tickets(&self, winning: u32, rates: &Rates) -> Vec<f64> {
        let foreseen = self.foreseen(winning == rates.audit);
        let wins = f64::from(winning) / f64::from(TICKETS) * (1.0 - self.authors.drops);
        let none = (1.0 - wins).powi((rates.blocks - foreseen) as i32);
        vec![none, 1.0 - none]
    }

    /// Returns the blocks whose outputs the group knows and avoids.
    pub fn foreseen(&self, is_audit: bool) -> u32 {
        if is_audit {
            self.authors.foreseen
        } else {
            self.authors.foreseen_looks
        }
    }
}

/// A way that a job can go.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    /// Its probability.
    pub probability: f64,
    /// Its end.
    pub ended: Ended,
}

/// The paths of one conduct that were played.
#[derive(Clone, Default)]
pub struct Played(Rc<RefCell<HashMap<Vec<u32>, Led>>>);

impl Played {
    /// Returns where the path leads.
    pub fn lead(&self, conduct: &Conduct, path: &[u32]) -> Led {
        if let Some(led) = self.0.borrow().get(path) {
            return *led;
        }
        let led = stage::play(conduct, path);
        self.0.borrow_mut().insert(path.to_vec(), led);
        led
    }

    /// Returns the number of paths to an end that were played.
    pub fn ends(&self) -> usize {
        self.0.borrow().values().filter(|led| matches!(led, Led::Over(_))).count()
    }
}

/// Returns all ways that a job can go.
pub fn leaves(conduct: &Conduct, setting: &Setting, rates: &Rates, played: &Played) -> Vec<Leaf> {
    let mut leaves = vec![];
    let lead = |path: &[u32]| played.lead(conduct, path);
    let distribution = |chance: Chance, drawn: Drawn| setting.distribution(chance, drawn, rates);
    grow(&mut leaves, &mut vec![], (1.0, Drawn::default()), &lead, &distribution);
    let sum: f64 = leaves.iter().map(|leaf| leaf.probability).sum();
    assert!((sum - 1.0).abs() < 1e-9, "the probabilities of all outcomes sum to {sum}");
    leaves
}

fn grow(
    leaves: &mut Vec<Leaf>,
    path: &mut Vec<u32>,
    (probability, drawn): (f64, Drawn),
    lead: &impl Fn(&[u32]) -> Led,
    distribution: &impl Fn(Chance, Drawn) -> Vec<f64>,
) {
    let chance = match lead(path) {
        Led::Over(ended) => return leaves.push(Leaf { probability, ended }),
        Led::To(chance) => chance,
    };
    for (result, part) in (0u32..).zip(distribution(chance, drawn)) {
        if part > 0.0 {
            path.push(result);
            grow(
                leaves,
                path,
                (probability * part, drawn.after(chance, result)),
                lead,
                distribution,
            );
            path.pop();
        }
    }
}

impl Drawn {
    /// Returns what is drawn after that result.
    pub fn after(self, chance: Chance, result: u32) -> Self {
        match chance {
            Chance::Seats(n) => Self { seats: self.seats + n, members: self.members + result },
            Chance::Audit | Chance::SecondLook => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::settlement::Outcome;

    const RATES: Rates = Rates { audit: 8_666_111, second_look: 6_563_399, blocks: 16 };

    fn setting(share: f64, authors: Authors) -> Setting {
        Setting { members: Members::Share(share), authors }
    }

    /// An audit of a committee of three and a jury of nine, without the runtime.
    fn lead(path: &[u32]) -> Led {
        match path {
            [] => Led::To(Chance::Audit),
            [1] => Led::To(Chance::Seats(3)),
            [1, 3] => Led::To(Chance::SecondLook),
            [1, 3, 1] => Led::To(Chance::Seats(9)),
            _ => Led::Over(Ended { gain: path.len() as i128, checks: 0, outcome: Outcome::Paid }),
        }
    }

    #[test]
    fn probabilities_of_all_leaves_sum_to_one() {
        for authors in [Authors::NONE, Authors::grinding(0.2), Authors::withholding(0.3)] {
            for share in [0.0, 0.05, 0.2, 0.3] {
                let setting = setting(share, authors);
                let mut leaves = vec![];
                grow(&mut leaves, &mut vec![], (1.0, Drawn::default()), &lead, &|chance, drawn| {
                    setting.distribution(chance, drawn, &RATES)
                });
                let sum: f64 = leaves.iter().map(|leaf| leaf.probability).sum();
                assert!((sum - 1.0).abs() < 1e-9, "{share}: {sum}");
            }
        }
    }

    #[test]
    fn rates_of_the_runtime_are_the_spread_parameters() {
        assert_eq!(Rates::read(), RATES);
        let audited =
            setting(0.2, Authors::NONE).distribution(Chance::Audit, Drawn::default(), &RATES);
        assert!((audited[1] - 0.13).abs() < 1e-6);
        // The effective rate in the specification of the protocol.
        let ground = setting(0.2, Authors::grinding(0.2));
        let audited = ground.distribution(Chance::Audit, Drawn::default(), &RATES);
        assert!((audited[1] - 0.059).abs() < 5e-4, "{audited:?}");
    }
}
