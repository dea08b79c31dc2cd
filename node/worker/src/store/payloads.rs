// SPDX-License-Identifier: Apache-2.0
//! The payloads of this node, by hash, within a quota for each origin.

use super::{error::StoreError, handle::Handle, outputs};
use parking_lot::Mutex;
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

/// The most bytes of a payload: of a request, or of a transcript, which includes the request's tokens.
pub const MAX_PAYLOAD_BYTES: usize = 8 << 20;

// An operator can publish on the chain whatever it may have to.
const _: () = assert!(MAX_PAYLOAD_BYTES <= assay_primitives::publication::MAX_BYTES);

/// The bytes that a payload counts in addition to its own, so that a store of empty payloads is
/// bounded as well.
pub const FRAME: u64 = 256;

/// The most bytes that submitted requests count, those that must be kept included.
pub const MAX_SUBMITTED_BYTES: u64 = Origin::Submitted.limit();

/// The most bytes of requests that are kept for orders. The requests that can be submitted within the time
/// for which each is kept have room beside them.
pub const MAX_PINNED_BYTES: u64 = Origin::Submitted.quota();

/// The origin of a payload. Each has a quota of its own, so that requests that anyone can submit never
/// displace the payloads of jobs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A client submitted it to this node.
    Submitted = 0,
    /// It belongs to a job that this node runs, verifies or shows.
    Job = 1,
}

impl Origin {
    const ALL: [Self; 2] = [Self::Submitted, Self::Job];

    /// Returns the bytes above which the oldest payloads of this origin are removed.
    const fn quota(self) -> u64 {
        match self {
            Self::Submitted => 64 << 20,
            Self::Job => 256 << 20,
        }
    }

    /// Returns the bytes above which even spared payloads of jobs are removed, and no more requests are
    /// taken.
    const fn limit(self) -> u64 {
        4 * self.quota()
    }

    /// Returns all places of this origin in [`ORDER`].
    fn places(self) -> RangeInclusive<(u8, u64)> {
        (self as u8, 0)..=(self as u8, u64::MAX)
    }
}

/// The payload of each hash.
const PAYLOADS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("payloads");
/// The place in [`ORDER`] of each hash.
const PLACES: TableDefinition<&[u8; 32], (u8, u64)> = TableDefinition::new("payload-places");
/// The payloads of each origin in the order in which they were last stored, with the bytes that each
/// counts.
const ORDER: TableDefinition<(u8, u64), (&[u8; 32], u64)> = TableDefinition::new("payload-order");

/// The payloads.
pub struct Payloads {
    handle: Arc<Handle>,
    /// The bytes that the payloads of each origin count.
    totals: Mutex<[u64; 2]>,
}

impl Payloads {
    /// Reads the totals from the tables, which [`create`] makes.
    pub(super) fn open(handle: Arc<Handle>) -> Result<Self, StoreError> {
        let payloads = Self { handle, totals: Mutex::new([0; 2]) };
        payloads.recount()?;
        Ok(payloads)
    }

    /// Reads the totals again, after the database was opened again.
    pub(super) fn recount(&self) -> Result<(), StoreError> {
        let mut committed = self.totals.lock();
        *committed = self.handle.read(|read| {
            let (order, mut totals) = (read.open_table(ORDER)?, [0; 2]);
            for (origin, total) in Origin::ALL.into_iter().zip(&mut totals) {
                for entry in order.range(origin.places())? {
                    *total += entry?.1.value().1;
                }
            }
            Ok(totals)
        })?;
        Ok(())
    }

    /// Keeps a payload as the newest of its origin and returns its blake2_256 hash.
    ///
    /// If the origin exceeds its quota, its oldest payloads are removed, except those that are
    /// `spared`. Above four times the quota no payload of a job is spared, and no request is taken.
    ///
    /// # Errors
    ///
    /// The payload is longer than [`MAX_PAYLOAD_BYTES`], the requests that are spared leave no room for
    /// another, or the database fails.
    pub fn put(
        &self,
        bytes: &[u8],
        origin: Origin,
        spared: impl Fn(&H256) -> bool,
    ) -> Result<H256, StoreError> {
        if bytes.len() > MAX_PAYLOAD_BYTES {
            return Err(StoreError::TooLarge { bytes: bytes.len(), limit: MAX_PAYLOAD_BYTES });
        }
        let hash = H256(blake2_256(bytes));
        // Held until the transaction is committed, so that the next writer begins with its totals.
        let mut committed = self.totals.lock();
        let mut totals = *committed;
        self.handle.write(|write| {
            let known = write.open_table(PLACES)?.get(&hash.0)?.map(|place| place.value());
            let origin = match known {
                // A payload that a job needs stays with the jobs.
                Some((known, _)) if known == Origin::Job as u8 => Origin::Job,
                _ => origin,
            };
            match known {
                Some(place) => {
                    if let Some(entry) = write.open_table(ORDER)?.remove(place)? {
                        totals[usize::from(place.0)] -= entry.value().1;
                    }
                }
                None => {
                    write.open_table(PAYLOADS)?.insert(&hash.0, bytes)?;
                }
            }
            let counts = bytes.len() as u64 + FRAME;
            totals[origin as usize] += counts;
            {
                let mut order = write.open_table(ORDER)?;
                let last = order.range(origin.places())?.next_back().transpose()?;
                let place = (origin as u8, last.map_or(0, |(place, _)| place.value().1 + 1));
                order.insert(place, (&hash.0, counts))?;
                write.open_table(PLACES)?.insert(&hash.0, place)?;
            }
            let total = &mut totals[origin as usize];
            let kept = |other: &H256| *other == hash || spared(other);
            evict(write, origin, total, origin.quota(), kept)?;
            match origin {
                // Nothing is written: the transaction ends without a commit.
                Origin::Submitted if *total > origin.limit() => {
                    Err(StoreError::Full { limit: origin.limit() })
                }
                Origin::Submitted => Ok(()),
                Origin::Job => evict(write, origin, total, origin.limit(), |other| *other == hash),
            }
        })?;
        *committed = totals;
        Ok(hash)
    }

    /// Returns those of the payloads that are here, each with the bytes that it counts among the requests
    /// that were submitted.
    pub fn counts<'a>(
        &self,
        hashes: impl Iterator<Item = &'a H256>,
    ) -> Result<BTreeMap<H256, u64>, StoreError> {
        self.handle.read(|read| {
            let (places, order) = (read.open_table(PLACES)?, read.open_table(ORDER)?);
            let mut counts = BTreeMap::new();
            for hash in hashes {
                let Some(place) = places.get(&hash.0)?.map(|place| place.value()) else { continue };
                let submitted = place.0 == Origin::Submitted as u8;
                let counted = if submitted { order.get(place)? } else { None };
                counts.insert(*hash, counted.map_or(0, |entry| entry.value().1));
            }
            Ok(counts)
        })
    }

    /// Returns the hashes of the requests that were submitted.
    pub fn submitted(&self) -> Result<Vec<H256>, StoreError> {
        self.handle.read(|read| {
            let order = read.open_table(ORDER)?;
            let mut hashes = Vec::new();
            for entry in order.range(Origin::Submitted.places())? {
                hashes.push(H256(*entry?.1.value().0));
            }
            Ok(hashes)
        })
    }

    /// Returns the payload with that hash.
    pub fn get(&self, hash: &H256) -> Result<Option<Vec<u8>>, StoreError> {
        self.handle.read(|read| {
            let payload = read.open_table(PAYLOADS)?.get(&hash.0)?;
            Ok(payload.map(|bytes| bytes.value().to_vec()))
        })
    }

    /// Returns the length of the payload with that hash, and at most `most` of its bytes from `offset`
    /// on.
    pub fn range(
        &self,
        hash: &H256,
        offset: usize,
        most: usize,
    ) -> Result<Option<(usize, Vec<u8>)>, StoreError> {
        self.handle.read(|read| {
            let payload = read.open_table(PAYLOADS)?.get(&hash.0)?;
            Ok(payload.and_then(|bytes| range(bytes.value(), offset, most)))
        })
    }
}

#[cfg(test)]
impl Payloads {
    /// Returns the bytes that the payloads of each origin count.
    pub(super) fn totals(&self) -> [u64; 2] {
        *self.totals.lock()
    }
}

/// Creates the tables that do not exist.
pub(super) fn create(write: &WriteTransaction) -> Result<(), StoreError> {
    write.open_table(PAYLOADS)?;
    write.open_table(PLACES)?;
    write.open_table(ORDER)?;
    Ok(())
}

/// Returns the bytes up to which payloads grow.
pub fn most_bytes() -> u64 {
    Origin::ALL.into_iter().map(Origin::limit).sum()
}

/// Returns the length of a payload, and at most `most` of its bytes from `offset` on.
pub(super) fn range(whole: &[u8], offset: usize, most: usize) -> Option<(usize, Vec<u8>)> {
    let rest = whole.get(offset..)?;
    Some((whole.len(), rest[..rest.len().min(most)].to_vec()))
}

/// Removes the oldest payloads of an origin, except those that are `kept`, until the origin counts at
/// most `limit`. The note on the job of an output is removed with it.
fn evict(
    write: &WriteTransaction,
    origin: Origin,
    total: &mut u64,
    limit: u64,
    kept: impl Fn(&H256) -> bool,
) -> Result<(), StoreError> {
    if *total <= limit {
        return Ok(());
    }
    let mut order = write.open_table(ORDER)?;
    let mut victims = Vec::new();
    for entry in order.range(origin.places())? {
        let (place, entry) = entry?;
        let (hash, counts) = entry.value();
        if *total <= limit {
            break;
        }
        if !kept(&H256(*hash)) {
            *total -= counts;
            victims.push((place.value(), *hash));
        }
    }
    for (place, hash) in victims {
        order.remove(place)?;
        write.open_table(PLACES)?.remove(&hash)?;
        write.open_table(PAYLOADS)?.remove(&hash)?;
        outputs::remove(write, &hash)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{space::SpaceLimits, temporary, Store};
    use assay_primitives::JobId;

    fn put(store: &Store, bytes: &[u8], origin: Origin) -> H256 {
        store.payloads.put(bytes, origin, |_| false).unwrap()
    }

    /// Returns a payload of that length, another one for each `n`.
    fn payload(n: u32, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        bytes[..4].copy_from_slice(&n.to_le_bytes());
        bytes
    }

    /// Exceeds the quota of the origin and returns the hash of the last payload.
    fn flood(store: &Store, origin: Origin, spared: impl Fn(&H256) -> bool) -> H256 {
        let count = origin.quota() / MAX_PAYLOAD_BYTES as u64;
        let put = |n: u64| {
            let bytes = payload(1_000 + n as u32, MAX_PAYLOAD_BYTES);
            store.payloads.put(&bytes, origin, &spared).unwrap()
        };
        (0..=count).map(put).last().unwrap()
    }

    #[test]
    fn payload_is_found_by_its_hash() {
        let (_dir, store) = temporary();
        let hash = put(&store, b"In the beginning", Origin::Submitted);
        assert_eq!(hash.0, blake2_256(b"In the beginning"));
        assert_eq!(store.payloads.get(&hash).unwrap().unwrap(), b"In the beginning");
        assert_eq!(store.payloads.get(&H256::zero()).unwrap(), None);
    }

    #[test]
    fn payload_is_read_in_ranges() {
        let (_dir, store) = temporary();
        let hash = put(&store, b"In the beginning", Origin::Submitted);
        let range = |offset, most| store.payloads.range(&hash, offset, most).unwrap();
        assert_eq!(range(0, 6), Some((16, b"In the".to_vec())));
        assert_eq!(range(7, 100), Some((16, b"beginning".to_vec())));
        assert_eq!(range(16, 6), Some((16, Vec::new())));
        assert_eq!(range(17, 6), None);
        assert_eq!(store.payloads.range(&H256::zero(), 0, 6).unwrap(), None);
    }

    #[test]
    fn payload_over_the_limit_is_refused() {
        let (_dir, store) = temporary();
        let bytes = vec![0; MAX_PAYLOAD_BYTES + 1];
        let error = store.payloads.put(&bytes, Origin::Job, |_| false).unwrap_err();
        assert!(
            matches!(error, StoreError::TooLarge { bytes, .. } if bytes == MAX_PAYLOAD_BYTES + 1)
        );
    }

    #[test]
    fn oldest_payloads_go_when_the_quota_is_full() {
        let (_dir, store) = temporary();
        let first = put(&store, b"first", Origin::Submitted);
        let second = put(&store, b"second", Origin::Submitted);
        put(&store, b"first", Origin::Submitted);
        let last = flood(&store, Origin::Submitted, |hash| *hash == second);
        assert_eq!(store.payloads.get(&first).unwrap(), None);
        assert!(store.payloads.get(&second).unwrap().is_some(), "it was spared");
        assert!(store.payloads.get(&last).unwrap().is_some());
        assert!(store.payloads.totals()[0] <= Origin::Submitted.quota());
    }

    #[test]
    fn payload_that_is_given_again_is_the_newest() {
        let (_dir, store) = temporary();
        let again = put(&store, &payload(1, 4), Origin::Submitted);
        let count = Origin::Submitted.quota() / MAX_PAYLOAD_BYTES as u64;
        for n in 0..count - 1 {
            put(&store, &payload(2 + n as u32, MAX_PAYLOAD_BYTES), Origin::Submitted);
        }
        assert_eq!(put(&store, &payload(1, 4), Origin::Submitted), again);
        put(&store, &payload(99, MAX_PAYLOAD_BYTES), Origin::Submitted);
        assert!(store.payloads.get(&again).unwrap().is_some());
    }

    #[test]
    fn what_is_submitted_displaces_nothing_of_a_job() {
        let (_dir, store) = temporary();
        let (request, other) = (put(&store, b"request", Origin::Submitted), b"transcript");
        let transcript = put(&store, other, Origin::Job);
        assert_eq!(put(&store, b"request", Origin::Job), request, "a job needs it now");
        assert_eq!(put(&store, b"request", Origin::Submitted), request);
        flood(&store, Origin::Submitted, |_| false);
        assert!(store.payloads.get(&request).unwrap().is_some());
        assert!(store.payloads.get(&transcript).unwrap().is_some());
    }

    #[test]
    fn requests_that_must_be_kept_are_not_displaced() {
        let (_dir, store) = temporary();
        let size = MAX_PAYLOAD_BYTES as u64 + FRAME;
        let room = Origin::Submitted.limit() / size;
        let put = |n: u64| {
            let bytes = payload(n as u32, MAX_PAYLOAD_BYTES);
            store.payloads.put(&bytes, Origin::Submitted, |_| true)
        };
        let kept: Vec<H256> = (0..room).map(|n| put(n).unwrap()).collect();
        let before = *store.payloads.totals.lock();
        for n in room..room + 2 {
            assert!(matches!(put(n), Err(StoreError::Full { .. })));
        }
        assert_eq!(*store.payloads.totals.lock(), before);
        assert_eq!(store.payloads.counts(kept.iter()).unwrap().len(), kept.len());
        assert_eq!(put(0).unwrap(), kept[0], "what is here is not refused");
        // Once they need not be kept, they go as others do.
        store.payloads.put(b"other", Origin::Submitted, |_| false).unwrap();
        assert!(store.payloads.totals.lock()[0] <= Origin::Submitted.quota());
    }

    #[test]
    fn payloads_that_are_here_are_told_with_what_they_count() {
        let (_dir, store) = temporary();
        let request = put(&store, b"request", Origin::Submitted);
        let of_job = put(&store, b"of a job", Origin::Job);
        let counts = store.payloads.counts([request, of_job, H256::zero()].iter()).unwrap();
        assert_eq!(counts, [(request, 7 + FRAME), (of_job, 0)].into());
        assert_eq!(store.payloads.submitted().unwrap(), [request]);
    }

    #[test]
    fn totals_are_those_of_what_is_stored() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let store = Store::open(&path, SpaceLimits::default()).unwrap();
        put(&store, b"one", Origin::Submitted);
        put(&store, b"one", Origin::Job);
        put(&store, b"three", Origin::Job);
        let totals = store.payloads.totals();
        assert_eq!(totals, [0, 8 + 2 * FRAME]);
        drop(store);
        assert_eq!(Store::open(&path, SpaceLimits::default()).unwrap().payloads.totals(), totals);
    }

    #[test]
    fn totals_are_those_of_all_threads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let store = Store::open(&path, SpaceLimits::default()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let store = &store;
                scope.spawn(move || {
                    for n in 0..50 {
                        let origin = Origin::ALL[(thread + n) % 2];
                        put(store, &payload(n as u32 % 5, 4 + 1_000 * (n % 5)), origin);
                    }
                });
            }
        });
        let totals = store.payloads.totals();
        drop(store);
        assert_eq!(Store::open(&path, SpaceLimits::default()).unwrap().payloads.totals(), totals);
    }

    #[test]
    fn output_goes_with_its_payload() {
        let (_dir, store) = temporary();
        let job = JobId::repeat_byte(1);
        let hash = put(&store, b"an output", Origin::Job);
        store.outputs.put(&job, &hash).unwrap();
        flood(&store, Origin::Job, |_| false);
        assert_eq!(store.payloads.get(&hash).unwrap(), None);
        assert_eq!(store.outputs.get(&job).unwrap(), None);
    }
}
