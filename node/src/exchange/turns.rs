// SPDX-License-Identifier: Apache-2.0
//! The requests that wait to be answered. Peers take turns, so that none waits for all requests of
//! another.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// What waits for each peer.
pub struct Turns<P, T> {
    waiting: HashMap<P, VecDeque<T>>,
    /// The peers for which something waits, the next first.
    order: VecDeque<P>,
}

impl<P: Copy + Eq + Hash, T> Turns<P, T> {
    /// Starts with nothing.
    pub fn new() -> Self {
        Self { waiting: HashMap::new(), order: VecDeque::new() }
    }

    /// Adds something of a peer.
    pub fn push(&mut self, peer: P, item: T) {
        let waiting = self.waiting.entry(peer).or_default();
        if waiting.is_empty() {
            self.order.push_back(peer);
        }
        waiting.push_back(item);
    }

    /// Removes what is next. The peer's next turn comes after those of all others.
    pub fn pop(&mut self) -> Option<(P, T)> {
        let peer = self.order.pop_front()?;
        let waiting = self.waiting.get_mut(&peer)?;
        let item = waiting.pop_front()?;
        if waiting.is_empty() {
            self.waiting.remove(&peer);
        } else {
            self.order.push_back(peer);
        }
        Some((peer, item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_take_turns() {
        let mut turns = Turns::new();
        for (peer, item) in [(1, 'a'), (1, 'b'), (1, 'c'), (2, 'd'), (3, 'e'), (2, 'f')] {
            turns.push(peer, item);
        }
        let order: String = std::iter::from_fn(|| turns.pop()).map(|(_, item)| item).collect();
        assert_eq!(order, "adebfc");
        assert!(turns.waiting.is_empty() && turns.order.is_empty());
    }
}
