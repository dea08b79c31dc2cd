// SPDX-License-Identifier: Apache-2.0
//! Jobs whose draws are made by the runtime's own functions, from simulated outputs of blocks.

use crate::{
    assumptions::POOL,
    authors::MAX_TAIL,
    stage::{Chance, Ended, Led},
    strategy::Conduct,
    tree::{Drawn, Members, Played, Rates, Setting},
};
use assay_primitives::{
    draw::{self, Purpose},
    ticket, JobId,
};
use codec::Encode;
use pallet_routing::tree::{self, InMemory, Urn};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

/// A simulation of jobs.
pub struct Draws<'a> {
    setting: &'a Setting,
    rates: &'a Rates,
    stakes: InMemory,
    name: &'a str,
}

impl<'a> Draws<'a> {
    /// Prepares the simulation of a strategy.
    pub fn new(name: &'a str, setting: &'a Setting, rates: &'a Rates) -> Self {
        let mut stakes = InMemory::default();
        for slot in 0..POOL {
            tree::set_leaf(&mut stakes, slot, 1_000_000);
        }
        Self { setting, rates, stakes, name }
    }

    /// Plays the `n`-th job.
    pub fn job(&self, n: u32, conduct: &Conduct, played: &Played) -> Ended {
        let job = H256(blake2_256(&(self.name, format!("{:?}", self.setting), n).encode()));
        let mut path = vec![];
        let mut drawn = Drawn::default();
        let mut known = vec![];
        loop {
            let chance = match played.lead(conduct, &path) {
                Led::Over(ended) => return ended,
                Led::To(chance) => chance,
            };
            let result = match (self.setting.members, chance) {
                (Members::Share(_), Chance::Seats(seats)) => {
                    self.panel(&job, path.len() as u8, seats, &mut known)
                }
                (Members::Share(_), Chance::Audit) => self.wins(&job, Purpose::Audit),
                (_, Chance::SecondLook) if self.setting.members != Members::OnSecondLook => {
                    self.wins(&job, Purpose::SecondLook)
                }
                // Only jobs are looked at in which the group has that seat.
                _ => {
                    let sure = self.setting.distribution(chance, drawn, self.rates);
                    sure.iter().position(|probability| *probability > 0.5).unwrap_or(0) as u32
                }
            };
            drawn = drawn.after(chance, result);
            path.push(result);
        }
    }

    /// Returns a random part of one.
    fn part(&self, job: &JobId, what: (&str, u32)) -> f64 {
        let seed = H256(blake2_256(&(job, what.0, what.1).encode()));
        draw::number_below(&seed, 0, 1_000_000_000_000) as f64 / 1e12
    }

    /// Returns 1 if the job's ticket of a block wins of which the group neither knows nor drops the
    /// output.
    fn wins(&self, job: &JobId, purpose: Purpose) -> u32 {
        let is_audit = purpose == Purpose::Audit;
        let threshold = if is_audit { self.rates.audit } else { self.rates.second_look };
        let unknown = self.setting.foreseen(is_audit)..self.rates.blocks;
        let wins = unknown.into_iter().any(|block| {
            let output = H256(blake2_256(&(job, purpose, block).encode()));
            let dropped = self.part(job, ("drop", block)) < self.setting.authors.drops;
            ticket::wins(&output, job, purpose, threshold) && !dropped
        });
        wins.into()
    }

    /// Draws a panel, from the best span for the group of those between which it can choose, and returns
    /// the seats that are the group's. `known` are the slots with earlier seats.
    fn panel(&self, job: &JobId, draw: u8, seats: u32, known: &mut Vec<u32>) -> u32 {
        let mut tail = 0;
        while tail < MAX_TAIL
            && self.part(job, ("tail", u32::from(draw) * 8 + tail)) < self.setting.authors.tail
        {
            tail += 1;
        }
        let marked = self.setting.marked();
        let panel = |choice: u32| -> Vec<u32> {
            let span = H256(blake2_256(&(job, "span", draw, choice).encode()));
            let seed = draw::seed(&span, job, Purpose::Committee(draw));
            let mut urn = Urn::new(&self.stakes, seed);
            std::iter::from_fn(|| urn.draw())
                .map(|(slot, _)| slot)
                .filter(|slot| !known.contains(slot))
                .take(seats as usize)
                .collect()
        };
        let members = |panel: &Vec<u32>| panel.iter().filter(|slot| **slot < marked).count();
        let best = (0..1u32 << tail).map(panel).max_by_key(members).expect("there is a choice");
        let count = members(&best) as u32;
        known.extend(best);
        count
    }
}
