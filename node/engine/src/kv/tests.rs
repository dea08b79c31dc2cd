// SPDX-License-Identifier: Apache-2.0
//! Tests of counting, sharing and copying pages.

use super::{KvCache, Pool, Prefix, PrefixCache, Published, PAGE};
use crate::{model::Shape, synthetic::Synthetic, EngineError, Model};
use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};
use std::sync::{Arc, LazyLock};

/// A shape of two layers with one key head of 16 dimensions.
static SHAPE: LazyLock<Shape> = LazyLock::new(|| {
    let shape = Synthetic { dim: 32, hidden: 32, heads: 2, kv_heads: 1, ..Synthetic::default() };
    *Model::from_bytes(shape.file().unwrap()).unwrap().shape()
});

fn pool(pages: usize) -> Arc<Pool> {
    Pool::new(&SHAPE, KvCache::bytes(&SHAPE, pages * PAGE))
}

fn cache(pool: &Arc<Pool>, tokens: usize) -> KvCache {
    let promise = pool.promise(KvCache::pages(tokens)).unwrap();
    KvCache::new(&SHAPE, Prefix::default(), promise)
}

/// Returns a number that encodes layer, position and token.
fn mark(layer: usize, position: usize, token: u32) -> f32 {
    (layer * 10_000 + position * 10) as f32 + token as f32
}

fn send(cache: &mut KvCache, tokens: &[u32]) -> Result<(), EngineError> {
    cache.reserve(tokens.len())?;
    for (position, &token) in (cache.len()..).zip(tokens) {
        for layer in 0..SHAPE.layers {
            let number = mark(layer, position, token);
            cache.store(layer, position, &[number; 16], &[-number; 16]);
        }
    }
    cache.advance(tokens.len());
    Ok(())
}

/// Returns the value of the only head at `position`.
fn value(cache: &KvCache, layer: usize, position: usize) -> Vec<f32> {
    let values = cache.values(layer, 0, position / PAGE);
    values.rows.chunks(values.head_dim).nth(position % PAGE).unwrap()[..SHAPE.head_dim].to_vec()
}

fn holds(cache: &KvCache, tokens: &[u32]) -> bool {
    cache.len() == tokens.len()
        && tokens.iter().enumerate().all(|(position, &token)| {
            (0..SHAPE.layers).all(|layer| {
                let number = mark(layer, position, token);
                let keys = cache.keys(layer, 0, position / PAGE);
                keys.iter().all(|column| column[position % PAGE] == number)
                    && value(cache, layer, position).iter().all(|&v| v == -number)
            })
        })
}

#[test]
fn pool_promises_what_it_has_and_takes_pages_back() {
    let pool = pool(4);
    assert_eq!((pool.limit(), pool.free(), pool.used()), (4, 4, 0));
    let mut first = cache(&pool, 40);
    assert_eq!((pool.free(), pool.used()), (1, 0));
    assert!(matches!(pool.promise(2), Err(EngineError::OutOfPages { needed: 2, free: 1 })));
    send(&mut first, &[1; 40]).unwrap();
    assert_eq!((pool.free(), pool.used()), (1, 3));
    drop(first);
    assert_eq!((pool.free(), pool.used()), (4, 0));
}

#[test]
fn cache_beyond_its_promise_takes_free_pages_and_then_fails() {
    let pool = pool(3);
    let mut cache = cache(&pool, 16);
    let other = pool.promise(1).unwrap();
    send(&mut cache, &[1; 32]).unwrap();
    assert!(matches!(send(&mut cache, &[1; 16]), Err(EngineError::OutOfPages { .. })));
    assert!(holds(&cache, &[1; 32]));
    drop(other);
    send(&mut cache, &[1; 16]).unwrap();
    assert!(holds(&cache, &[1; 48]));
}

#[test]
fn prefix_is_found_by_whole_pages_of_equal_tokens() {
    let pool = pool(10);
    let mut prefixes = PrefixCache::default();
    let tokens: Vec<u32> = (0..40).map(|i| i % 4).collect();
    let mut first = cache(&pool, 40);
    send(&mut first, &tokens).unwrap();
    prefixes.publish(&tokens, &mut first, &mut Published::default());
    assert_eq!(prefixes.len(), 2);
    assert_eq!(prefixes.find(&tokens).len(), 32);
    assert_eq!(prefixes.find(&tokens[..31]).len(), 16);
    let mut other = tokens.clone();
    other[20] ^= 1;
    assert_eq!(prefixes.find(&other).len(), 16);
    other[0] ^= 1;
    assert_eq!(prefixes.find(&other).len(), 0);
}

#[test]
fn equal_sequences_share_their_pages() {
    let pool = pool(8);
    let mut prefixes = PrefixCache::default();
    let (mut a, mut b) = (cache(&pool, 32), cache(&pool, 32));
    for cache in [&mut a, &mut b] {
        send(cache, &[2; 32]).unwrap();
        prefixes.publish(&[2; 32], cache, &mut Published::default());
    }
    assert_eq!(pool.used(), 2);
    assert!(holds(&a, &[2; 32]) && holds(&b, &[2; 32]));
}

#[test]
fn make_room_drops_the_oldest_pages_that_nobody_uses() {
    let pool = pool(4);
    let mut prefixes = PrefixCache::default();
    for token in [1, 2] {
        let mut cache = cache(&pool, 32);
        send(&mut cache, &[token; 32]).unwrap();
        prefixes.publish(&[token; 32], &mut cache, &mut Published::default());
        prefixes.touch(&[token; 32]);
    }
    assert_eq!((pool.free(), prefixes.len()), (0, 4));
    let held = prefixes.find(&[1; 16]);
    prefixes.make_room(&pool, 1);
    // The end of the first sequence is the oldest; its beginning has just been looked up.
    assert_eq!((prefixes.find(&[1; 32]).len(), pool.free()), (16, 1));
    assert_eq!(prefixes.find(&[2; 32]).len(), 32);
    prefixes.make_room(&pool, 4);
    assert_eq!((pool.free(), prefixes.len(), held.len()), (3, 1, 16));
}

proptest! {
    /// Two sequences send, roll back and share at random: each always holds its own tokens.
    #[test]
    fn sequences_that_share_pages_keep_their_own_tokens(
        steps in prop::collection::vec((0usize..2, 0usize..3, 0usize..40, 0u32..4), 1..60),
    ) {
        let pool = pool(64);
        let mut prefixes = PrefixCache::default();
        let mut sequences: Vec<(KvCache, Vec<u32>)> =
            (0..2).map(|_| (cache(&pool, 320), Vec::new())).collect();
        for (which, what, count, token) in steps {
            let (cache, tokens) = &mut sequences[which];
            match what {
                0 if tokens.len() + count <= 320 => {
                    let new = vec![token; count];
                    prefixes.make_room(&pool, 20);
                    send(cache, &new).unwrap();
                    tokens.extend(new);
                }
                1 => {
                    tokens.truncate(count);
                    cache.truncate(count);
                }
                _ => prefixes.publish(tokens, cache, &mut Published::default()),
            }
            for (cache, tokens) in &sequences {
                prop_assert!(holds(cache, tokens));
            }
        }
        sequences.clear();
        prop_assert_eq!(pool.used(), prefixes.len());
        prefixes.make_room(&pool, 64);
        prop_assert_eq!((pool.used(), pool.free()), (0, 64));
    }
}
