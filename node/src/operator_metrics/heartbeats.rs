// SPDX-License-Identifier: Apache-2.0
//! Heartbeats that did not come. The chain deposits no event for one, but records in the operator's
//! member which epoch's heartbeat it still owes.

use assay_runtime::{AccountId, Hash, Runtime};
use pallet_routing::MemberOf;
use std::collections::BTreeMap;

/// The members as they stood after the block that was looked at last.
#[derive(Default)]
pub struct Heartbeats {
    block: Hash,
    members: BTreeMap<AccountId, MemberOf<Runtime>>,
}

impl Heartbeats {
    /// Goes on from the parent of the next block. If another block was looked at last, nothing is
    /// known of what came between.
    pub fn follow(&mut self, parent: Hash, block: Hash) {
        if self.block != parent {
            self.members.clear();
        }
        self.block = block;
    }

    /// Notes how an operator stands after the block, and returns whether the chain has closed one of
    /// its epochs there without a heartbeat. `answered` says whether a heartbeat came in the block.
    pub fn is_missed(&mut self, stash: &AccountId, now: MemberOf<Runtime>, answered: bool) -> bool {
        let owed = now.owes;
        let before = self.members.insert(stash.clone(), now);
        // The chain does not ask an operator that is draining or silent.
        let asked = before.filter(|before| before.active && !before.silent);
        asked.is_some_and(|before| owed > before.owes) && !answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(owes: u32) -> MemberOf<Runtime> {
        MemberOf::<Runtime> {
            slot: 0,
            stake: 0,
            counted: 0,
            active: true,
            silent: false,
            uptime: 0,
            conduct: Default::default(),
            misses: 0,
            answered_at: 0,
            owes,
            given: Default::default(),
            served: Default::default(),
        }
    }

    /// Follows a chain of blocks with these states of one operator, and returns those after which a
    /// heartbeat was missed.
    fn missed(states: &[(MemberOf<Runtime>, bool)]) -> Vec<usize> {
        let (mut heartbeats, stash) = (Heartbeats::default(), AccountId::new([1; 32]));
        let hash = |n: usize| Hash::from_low_u64_be(n as u64);
        let mut found = Vec::new();
        for (n, (state, answered)) in states.iter().enumerate() {
            heartbeats.follow(hash(n), hash(n + 1));
            if heartbeats.is_missed(&stash, state.clone(), *answered) {
                found.push(n);
            }
        }
        found
    }

    #[test]
    fn epoch_that_is_closed_without_a_heartbeat_is_missed() {
        let states = [(member(1), false), (member(1), false), (member(2), false)];
        assert_eq!(missed(&states), [2]);
    }

    #[test]
    fn epoch_that_a_heartbeat_closes_is_not_missed() {
        assert!(missed(&[(member(1), false), (member(2), true), (member(2), false)]).is_empty());
    }

    #[test]
    fn operator_that_is_not_asked_misses_nothing() {
        let silent = MemberOf::<Runtime> { silent: true, ..member(1) };
        assert!(missed(&[(silent, false), (member(2), false)]).is_empty());
        let draining = MemberOf::<Runtime> { active: false, ..member(1) };
        assert!(missed(&[(draining, false), (member(2), false)]).is_empty());
    }

    #[test]
    fn gap_between_blocks_says_nothing() {
        let (mut heartbeats, stash) = (Heartbeats::default(), AccountId::new([1; 32]));
        heartbeats.follow(Hash::zero(), Hash::repeat_byte(1));
        assert!(!heartbeats.is_missed(&stash, member(1), false));
        heartbeats.follow(Hash::repeat_byte(2), Hash::repeat_byte(3));
        assert!(!heartbeats.is_missed(&stash, member(2), false));
    }
}
