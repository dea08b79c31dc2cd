// SPDX-License-Identifier: Apache-2.0
//! The jobs whose requests this node keeps for them, in memory and on disk.
//!
//! Orders keep requests of at most [`MAX_PINNED_BYTES`]. If they name more, those keep theirs that open
//! first, because a job can be ordered long before it can run.

use super::{error::StoreError, handle::Handle, payloads::MAX_PINNED_BYTES};
use crate::LOG_TARGET;
use assay_primitives::{BlockNumber, JobId};
use parking_lot::Mutex;
use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
};

/// The hash of each job's request, the block in which the job opens, and the bytes that the request counts.
const ORDERS: TableDefinition<&[u8; 32], (&[u8; 32], u32, u64)> =
    TableDefinition::new("job-requests");

/// The most orders whose requests are here.
const MAX_ORDERS: usize = 16_384;
/// The most orders of one request.
const MAX_OF_REQUEST: usize = 64;
/// The most orders whose requests are not here; the newest stay.
const MAX_MISSING: usize = 16_384;

/// An order of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The job.
    pub job: JobId,
    /// The hash of its request.
    pub request: H256,
    /// The first block in which the job can be assigned.
    pub opens: BlockNumber,
}

/// An order whose request is here.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    request: H256,
    opens: BlockNumber,
    /// The bytes that the request counts among those that were submitted.
    bytes: u64,
}

/// The orders.
#[derive(Default)]
struct Book {
    kept: BTreeMap<JobId, Known>,
    /// The orders whose requests are not here, the oldest first.
    missing: VecDeque<Order>,
}

/// The changes of a book: the jobs with what is known of them, or `None` if they are gone.
type Changes = BTreeMap<JobId, Option<Known>>;

impl Book {
    /// Adds an order whose request is here. Beyond a bound the order that opens last goes.
    fn keep(&mut self, order: &Order, bytes: u64, changes: &mut Changes) {
        let Order { job, request, opens } = *order;
        let known = Known { request, opens, bytes };
        if self.kept.insert(job, known) == Some(known) {
            return;
        }
        changes.insert(job, Some(known));
        let of_request = self.kept.values().filter(|other| other.request == request).count();
        if of_request > MAX_OF_REQUEST {
            self.remove_last(|known| known.request == request, changes);
        }
        if self.kept.len() > MAX_ORDERS {
            self.remove_last(|_| true, changes);
        }
    }

    /// Removes the order that opens last of those that are `among`.
    fn remove_last(&mut self, among: impl Fn(&Known) -> bool, changes: &mut Changes) {
        let among = self.kept.iter().filter(|(_, known)| among(known));
        if let Some(job) =
            among.max_by_key(|(job, known)| (known.opens, **job)).map(|(job, _)| *job)
        {
            self.kept.remove(&job);
            changes.insert(job, None);
        }
    }
}

/// The orders of jobs that are not over, those among them whose outputs this node has generated, with the
/// hashes of their requests.
pub struct Orders {
    /// The orders. The disk follows them; if that fails, [`Self::flush`] writes them later.
    book: Mutex<Book>,
    /// Held while the orders change and are written, so that no older state is written later.
    writing: Mutex<()>,
    /// The number of changes that are not on disk.
    unwritten: AtomicUsize,
    handle: Arc<Handle>,
}

impl Orders {
    /// Reads all orders from the table, which [`create`] makes.
    pub(super) fn open(handle: Arc<Handle>) -> Result<Self, StoreError> {
        let book = Book { kept: handle.read(read_all)?, missing: VecDeque::new() };
        let (book, unwritten) = (Mutex::new(book), AtomicUsize::new(0));
        Ok(Self { book, writing: Mutex::default(), unwritten, handle })
    }

    /// Notes orders, in memory first and then on disk in one transaction. `counts` returns the bytes that
    /// a request counts, or `None` if it is not here; that order is noted in memory until it is.
    ///
    /// # Errors
    ///
    /// The notes are not on disk yet.
    pub fn put(
        &self,
        orders: &[Order],
        counts: impl Fn(&H256) -> Option<u64>,
    ) -> Result<(), StoreError> {
        self.change(|book, changes| {
            for order in orders {
                match counts(&order.request) {
                    Some(bytes) => book.keep(order, bytes, changes),
                    None => book.missing.push_back(*order),
                }
            }
            let surplus = book.missing.len().saturating_sub(MAX_MISSING);
            book.missing.drain(..surplus);
        })
    }

    /// Notes that a request which counts so many bytes is here now, for the orders that name it.
    ///
    /// # Errors
    ///
    /// The notes are not on disk yet.
    pub fn found(&self, request: &H256, bytes: u64) -> Result<(), StoreError> {
        self.change(|book, changes| {
            let missing = std::mem::take(&mut book.missing);
            let (found, missing): (VecDeque<Order>, VecDeque<Order>) =
                missing.into_iter().partition(|order| order.request == *request);
            book.missing = missing;
            found.iter().for_each(|order| book.keep(order, bytes, changes));
        })
    }

    /// Forgets the jobs that are `over`. One that stays on disk is forgotten again after a restart.
    pub fn forget(&self, over: impl Fn(&JobId) -> bool) {
        let written = self.change(|book, changes| {
            book.kept.retain(|job, _| {
                let is_over = over(job);
                if is_over {
                    changes.insert(*job, None);
                }
                !is_over
            });
        });
        if let Err(error) = written {
            log::debug!(target: LOG_TARGET, "orders that are over stay on disk: {error}");
        }
    }

    /// Changes what is known and writes the changes in one transaction.
    fn change(&self, change: impl FnOnce(&mut Book, &mut Changes)) -> Result<(), StoreError> {
        let _writing = self.writing.lock();
        let mut changes = Changes::new();
        change(&mut self.book.lock(), &mut changes);
        if changes.is_empty() {
            return Ok(());
        }
        let written = self.handle.write(|write| {
            let mut orders = write.open_table(ORDERS)?;
            for (job, known) in &changes {
                match known {
                    Some(Known { request, opens, bytes }) => {
                        orders.insert(&job.0, (&request.0, *opens, *bytes))?;
                    }
                    None => {
                        orders.remove(&job.0)?;
                    }
                }
            }
            Ok(())
        });
        if written.is_err() {
            self.unwritten.fetch_add(changes.len(), Ordering::Relaxed);
        }
        written
    }

    /// Writes what is known in place of what is on disk.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        let _writing = self.writing.lock();
        let kept = self.book.lock().kept.clone();
        self.handle.write(|write| {
            clear(write)?;
            let mut orders = write.open_table(ORDERS)?;
            for (job, Known { request, opens, bytes }) in &kept {
                orders.insert(&job.0, (&request.0, *opens, *bytes))?;
            }
            Ok(())
        })?;
        self.unwritten.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Returns the number of changes that are not on disk.
    pub fn unwritten(&self) -> usize {
        self.unwritten.load(Ordering::Relaxed)
    }

    /// Returns the jobs whose requests are here.
    pub fn jobs(&self) -> Vec<JobId> {
        self.book.lock().kept.keys().copied().collect()
    }

    /// Returns the hashes of the requests that must be kept: those of the jobs that open first, within
    /// [`MAX_PINNED_BYTES`].
    pub fn requests(&self) -> BTreeSet<H256> {
        let mut by_request: BTreeMap<H256, (BlockNumber, u64)> = BTreeMap::new();
        for Known { request, opens, bytes } in self.book.lock().kept.values() {
            let (first, counts) = by_request.entry(*request).or_insert((*opens, *bytes));
            *first = (*first).min(*opens);
            *counts = (*counts).max(*bytes);
        }
        let mut requests: Vec<_> = by_request.into_iter().collect();
        requests.sort_by_key(|(request, (opens, _))| (*opens, *request));
        let mut left = MAX_PINNED_BYTES;
        requests.retain(|(_, (_, bytes))| match left.checked_sub(*bytes) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        });
        requests.into_iter().map(|(request, _)| request).collect()
    }

    /// Forgets the orders that are in memory, after [`clear`] has removed those on disk.
    pub(super) fn clear_memory(&self) {
        *self.book.lock() = Book::default();
        self.unwritten.store(0, Ordering::Relaxed);
    }
}

/// Reads all orders.
fn read_all(read: &ReadTransaction) -> Result<BTreeMap<JobId, Known>, StoreError> {
    let mut kept = BTreeMap::new();
    for entry in read.open_table(ORDERS)?.iter()? {
        let (job, known) = entry?;
        let (request, opens, bytes) = known.value();
        kept.insert(H256(*job.value()), Known { request: H256(*request), opens, bytes });
    }
    Ok(kept)
}

/// Removes all orders from disk.
pub(super) fn clear(write: &WriteTransaction) -> Result<(), StoreError> {
    write.delete_table(ORDERS)?;
    create(write)
}

/// Creates the table if it does not exist.
pub(super) fn create(write: &WriteTransaction) -> Result<(), StoreError> {
    write.open_table(ORDERS)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{space::SpaceLimits, temporary, Store};

    fn hash(n: u64) -> H256 {
        H256::from_low_u64_be(n)
    }

    fn order(job: u64, request: u64, opens: BlockNumber) -> Order {
        Order { job: hash(job), request: hash(request), opens }
    }

    #[test]
    fn orders_survive_a_restart_until_they_are_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let open = || Store::open(&path, SpaceLimits::default()).unwrap();
        let store = open();
        store.orders.put(&[order(1, 8, 5), order(2, 9, 5)], |_| Some(1)).unwrap();
        drop(store);
        let store = open();
        assert_eq!(store.orders.jobs(), [hash(1), hash(2)]);
        store.orders.forget(|job| *job == hash(1));
        assert_eq!(store.orders.requests(), [hash(9)].into());
        drop(store);
        let store = open();
        assert_eq!(store.orders.jobs(), [hash(2)]);
        store.forget_jobs().unwrap();
        assert_eq!(store.orders.jobs(), []);
        drop(store);
        assert_eq!(open().orders.jobs(), []);
    }

    #[test]
    fn order_whose_request_comes_later_keeps_it() {
        let (_dir, store) = temporary();
        store.orders.put(&[order(1, 8, 5), order(2, 9, 5)], |_| None).unwrap();
        assert_eq!((store.orders.jobs(), store.orders.requests()), (vec![], BTreeSet::new()));
        store.orders.found(&hash(9), 1).unwrap();
        assert_eq!(
            (store.orders.jobs(), store.orders.requests()),
            (vec![hash(2)], [hash(9)].into())
        );
        store.orders.found(&hash(7), 1).unwrap();
        assert_eq!(store.orders.book.lock().missing, [order(1, 8, 5)]);
        let many: Vec<_> = (10..10 + MAX_MISSING as u64).map(|n| order(n, n, 5)).collect();
        store.orders.put(&many, |_| None).unwrap();
        assert_eq!(store.orders.book.lock().missing.len(), MAX_MISSING, "the oldest are forgotten");
    }

    #[test]
    fn orders_keep_a_part_of_the_requests_and_those_that_open_first() {
        let (_dir, store) = temporary();
        let third = MAX_PINNED_BYTES / 3;
        let orders = [order(1, 1, 900), order(2, 2, 9), order(3, 3, 5), order(4, 4, 90)];
        store.orders.put(&orders, |_| Some(third)).unwrap();
        assert_eq!(store.orders.requests(), [2, 3, 4].map(hash).into());
        // Another order of the same request costs nothing more.
        store.orders.put(&[order(5, 2, 6)], |_| Some(third)).unwrap();
        assert_eq!(store.orders.requests(), [2, 3, 4].map(hash).into());
        store.orders.forget(|job| *job == hash(3));
        assert_eq!(store.orders.requests(), [1, 2, 4].map(hash).into());
    }

    #[test]
    fn orders_are_limited_in_total_and_for_each_request() {
        let (_dir, store) = temporary();
        let orders: Vec<_> =
            (0..=MAX_OF_REQUEST as u64).map(|n| order(n, 1, 1_000 - n as u32)).collect();
        store.orders.put(&orders, |_| Some(1)).unwrap();
        assert_eq!(store.orders.jobs().len(), MAX_OF_REQUEST);
        assert!(!store.orders.jobs().contains(&hash(0)), "it opened last");
        let mut book = Book::default();
        let mut changes = Changes::new();
        for n in 0..=MAX_ORDERS as u64 {
            let known = Known { request: hash(n), opens: 5, bytes: 1 };
            book.kept.insert(hash(n), known);
        }
        book.keep(&order(u64::MAX, u64::MAX, 6), 1, &mut changes);
        assert_eq!(book.kept.len(), MAX_ORDERS + 1, "one goes for each that comes");
        assert!(changes[&hash(u64::MAX)].is_none());
    }
}
