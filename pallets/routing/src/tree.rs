// SPDX-License-Identifier: Apache-2.0
//! A tree of sums over up to 32,768 leaves. Changing a leaf, and drawing one in proportion to its
//! value, each touch three nodes.
//!
//! Every node has 32 values. Those of the lowest level are the leaves; each of the others is the
//! sum of a node one level down. Nodes that are all zero need not be stored. The caller decides
//! where nodes are kept: [`Nodes`] is storage in the pallet and memory in tests and simulations.

use alloc::vec::Vec;
use assay_primitives::draw;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// The number of values of a node.
pub const FANOUT: u32 = 32;

/// The number of levels of the tree. The root is level 0.
pub const LEVELS: u8 = 3;

/// The most leaves: `FANOUT` to the power of `LEVELS`.
pub const CAPACITY: u32 = 32_768;

/// The largest value of a leaf, so that no sum overflows.
pub const MAX_LEAF: u64 = u64::MAX / CAPACITY as u64;

/// A node of the tree.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Node([u64; FANOUT as usize]);

impl Node {
    /// Returns the sum of the node's values.
    pub fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum, value| sum.saturating_add(*value))
    }

    /// Returns one of the node's values.
    pub fn get(&self, at: u32) -> u64 {
        usize::try_from(at).ok().and_then(|at| self.0.get(at)).copied().unwrap_or(0)
    }

    /// Replaces one of the node's values and returns the old one.
    pub fn replace(&mut self, at: u32, value: u64) -> u64 {
        let slot = usize::try_from(at).ok().and_then(|at| self.0.get_mut(at));
        slot.map_or(0, |slot| core::mem::replace(slot, value))
    }
}

/// The store in which a tree keeps its nodes.
pub trait Nodes {
    /// Returns a node; a node that is not stored is all zero.
    fn node(&self, level: u8, index: u32) -> Node;
    /// Stores a node, or removes it if it is all zero.
    fn put(&mut self, level: u8, index: u32, node: Node);
}

/// Returns the sum of all leaves.
pub fn total(nodes: &impl Nodes) -> u64 {
    nodes.node(0, 0).sum()
}

/// Returns the value of a leaf.
pub fn leaf(nodes: &impl Nodes, leaf: u32) -> u64 {
    nodes.node(LEVELS.saturating_sub(1), leaf / FANOUT).get(leaf % FANOUT)
}

/// Sets a leaf to at most [`MAX_LEAF`] and returns its old value. Leaves from [`CAPACITY`] on do
/// not exist.
pub fn set_leaf(nodes: &mut impl Nodes, leaf: u32, value: u64) -> u64 {
    if leaf >= CAPACITY {
        return 0;
    }
    let mut before = None;
    let mut value = value.min(MAX_LEAF);
    let mut index = leaf;
    for level in (0..LEVELS).rev() {
        let at = index % FANOUT;
        index /= FANOUT;
        let mut node = nodes.node(level, index);
        let old = node.replace(at, value);
        if old == value {
            // Nothing changes further up.
            return before.unwrap_or(old);
        }
        before = before.or(Some(old));
        value = node.sum();
        nodes.put(level, index, node);
    }
    before.unwrap_or(0)
}

/// An urn that draws leaves in proportion to their values, each at most once, without changing the
/// tree.
#[derive(Clone, Debug)]
pub struct Urn<'a, N> {
    nodes: &'a N,
    seed: H256,
    /// The leaves drawn, with their values.
    drawn: Vec<(u32, u64)>,
}

impl<'a, N: Nodes> Urn<'a, N> {
    /// Returns an urn with all leaves in it.
    pub fn new(nodes: &'a N, seed: H256) -> Self {
        Self { nodes, seed, drawn: Vec::new() }
    }

    /// Draws the next leaf and returns it with its value; `None` if only zeros are left.
    pub fn draw(&mut self) -> Option<(u32, u64)> {
        let gone = self.drawn.iter().fold(0u64, |sum, (_, value)| sum.saturating_add(*value));
        let left = total(self.nodes).saturating_sub(gone);
        if left == 0 {
            return None;
        }
        let n = u32::try_from(self.drawn.len()).unwrap_or(u32::MAX);
        let ticket = draw::number_below(&self.seed, n, left.into());
        let (leaf, value) = self.find(u64::try_from(ticket).ok()?)?;
        self.drawn.push((leaf, value));
        Some((leaf, value))
    }

    /// Returns the leaf whose part of the remaining values contains the ticket.
    fn find(&self, mut ticket: u64) -> Option<(u32, u64)> {
        let mut index = 0u32;
        let mut value = 0u64;
        // The number of leaves below one value of a node of the current level.
        let mut width = CAPACITY;
        for level in 0..LEVELS {
            let node = self.nodes.node(level, index);
            width /= FANOUT;
            let mut found = None;
            for at in 0..FANOUT {
                let child = index.saturating_mul(FANOUT).saturating_add(at);
                let left = node.get(at).saturating_sub(self.drawn_below(child, width));
                if ticket < left {
                    found = Some((child, node.get(at)));
                    break;
                }
                ticket = ticket.saturating_sub(left);
            }
            (index, value) = found?;
        }
        Some((index, value))
    }

    /// Returns the sum of the drawn leaves below a node.
    fn drawn_below(&self, child: u32, width: u32) -> u64 {
        self.drawn
            .iter()
            .filter(|(leaf, _)| leaf.checked_div(width) == Some(child))
            .fold(0, |sum, (_, value)| sum.saturating_add(*value))
    }
}

/// A tree in memory.
#[cfg(feature = "std")]
#[derive(Clone, Debug)]
pub struct InMemory(Vec<Node>);

#[cfg(feature = "std")]
impl Default for InMemory {
    fn default() -> Self {
        Self(vec![Node::default(); 1 + 32 + 32 * 32])
    }
}

#[cfg(feature = "std")]
impl InMemory {
    /// Returns the position of a node; the levels follow each other.
    fn place(level: u8, index: u32) -> usize {
        let before = match level {
            0 => 0,
            1 => 1,
            _ => 33,
        };
        usize::try_from(index).unwrap_or(usize::MAX).saturating_add(before)
    }
}

#[cfg(feature = "std")]
impl Nodes for InMemory {
    fn node(&self, level: u8, index: u32) -> Node {
        self.0.get(Self::place(level, index)).copied().unwrap_or_default()
    }

    fn put(&mut self, level: u8, index: u32, node: Node) {
        if let Some(place) = self.0.get_mut(Self::place(level, index)) {
            *place = node;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn tree(leaves: &BTreeMap<u32, u64>) -> InMemory {
        let mut nodes = InMemory::default();
        for (leaf, value) in leaves {
            set_leaf(&mut nodes, *leaf, *value);
        }
        nodes
    }

    #[test]
    fn draw_follows_the_values() {
        let nodes = tree(&BTreeMap::from([(0, 1_000), (31, 2_000), (32, 3_000), (32_767, 4_000)]));
        let mut wins = BTreeMap::<u32, u32>::new();
        let draws = (0..10_000).map(|n| Urn::new(&nodes, H256::from_low_u64_be(n)).draw());
        for (leaf, _) in draws.flatten() {
            *wins.entry(leaf).or_default() += 1;
        }
        assert_eq!(wins.values().sum::<u32>(), 10_000);
        // Chi-square with three degrees of freedom: 16.3 has a probability of 0.1 %.
        let chi: f64 = [(0, 1_000.0), (31, 2_000.0), (32, 3_000.0), (32_767, 4_000.0)]
            .iter()
            .map(|(leaf, expected)| (f64::from(wins[leaf]) - expected).powi(2) / expected)
            .sum();
        assert!(chi < 16.3, "chi-square {chi} of {wins:?}");
    }

    #[test]
    fn draw_of_an_empty_tree_is_none() {
        assert_eq!(Urn::new(&InMemory::default(), H256::zero()).draw(), None);
    }

    #[test]
    fn leaf_out_of_capacity_is_not_stored() {
        let mut nodes = InMemory::default();
        set_leaf(&mut nodes, CAPACITY, 1);
        assert!(nodes.0.iter().all(|node| *node == Node::default()));
    }

    #[test]
    fn full_tree_of_the_largest_leaves_does_not_overflow() {
        let mut nodes = InMemory::default();
        for leaf in 0..CAPACITY {
            set_leaf(&mut nodes, leaf, u64::MAX);
        }
        assert_eq!(total(&nodes), MAX_LEAF * u64::from(CAPACITY));
        let mut urn = Urn::new(&nodes, H256::repeat_byte(7));
        assert!((0..100).all(|_| urn.draw().is_some()));
    }

    proptest! {
        #[test]
        fn sums_are_right_whatever_is_set(
            changes in proptest::collection::vec((0..CAPACITY, prop_oneof![Just(0), 0..1_000u64]), 0..200),
        ) {
            let mut nodes = InMemory::default();
            let mut leaves = BTreeMap::new();
            for (at, value) in changes {
                let before = set_leaf(&mut nodes, at, value);
                prop_assert_eq!(before, leaves.insert(at, value).unwrap_or(0));
            }
            prop_assert_eq!(total(&nodes), leaves.values().sum::<u64>());
            for (at, value) in &leaves {
                prop_assert_eq!(leaf(&nodes, *at), *value);
            }
            for (level, count) in [(1, 32), (2, 32 * 32)] {
                for index in 0..count {
                    let above = nodes.node(level - 1, index / FANOUT).get(index % FANOUT);
                    prop_assert_eq!(above, nodes.node(level, index).sum());
                }
            }
        }

        #[test]
        fn urn_draws_every_leaf_once(
            leaves in proptest::collection::btree_map(0..CAPACITY, 0..1_000u64, 0..60),
            seed in any::<[u8; 32]>(),
        ) {
            let nodes = tree(&leaves);
            let mut urn = Urn::new(&nodes, H256(seed));
            let mut drawn: Vec<u32> = core::iter::from_fn(|| urn.draw()).map(|it| it.0).collect();
            drawn.sort_unstable();
            let there: Vec<u32> =
                leaves.iter().filter(|(_, value)| **value > 0).map(|(at, _)| *at).collect();
            prop_assert_eq!(drawn, there);
        }

        /// Compares the tree's draws with those from one long list of its leaves.
        #[test]
        fn urn_draws_as_a_list_does(
            leaves in proptest::collection::btree_map(0..CAPACITY, 0..1_000u64, 1..40),
            seed in any::<[u8; 32]>(),
            count in 1..5u32,
        ) {
            let nodes = tree(&leaves);
            let mut urn = Urn::new(&nodes, H256(seed));
            let drawn: Vec<u32> = (0..count).filter_map(|_| urn.draw()).map(|it| it.0).collect();
            let candidates: Vec<_> = leaves
                .iter()
                .map(|(at, value)| draw::Weighted { item: *at, weight: u128::from(*value) })
                .collect();
            let list: Vec<u32> = draw::without_replacement(&H256(seed), &candidates, count)
                .into_iter()
                .map(|drawn| drawn.item)
                .collect();
            prop_assert_eq!(drawn, list);
        }
    }
}
