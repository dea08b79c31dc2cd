// SPDX-License-Identifier: Apache-2.0
//! The pages of a model's sequences: a fixed number, counted and reused.

use super::layout::Layout;
use crate::{model::Shape, EngineError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A bounded number of pages. Each page is free, promised to a sequence, or in use.
#[derive(Debug)]
pub(crate) struct Pool {
    numbers: usize,
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Memory of pages that are not in use.
    spare: Vec<Box<[f32]>>,
    used: usize,
    promised: usize,
}

impl Pool {
    /// Creates a pool of as many pages as fit in `bytes`.
    pub(crate) fn new(shape: &Shape, bytes: u64) -> Arc<Self> {
        let numbers = Layout::new(shape).page();
        let limit = bytes / (size_of::<f32>() * numbers) as u64;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Arc::new(Self { numbers, limit, state: Mutex::default() })
    }

    /// Locks the state. Its counters change together under the lock, so a panic elsewhere cannot
    /// leave them torn.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the total number of pages.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Returns the number of pages in use.
    pub(crate) fn used(&self) -> usize {
        self.state().used
    }

    /// Returns the number of pages that can be promised.
    pub(crate) fn free(&self) -> usize {
        let state = self.state();
        self.limit - state.used - state.promised
    }

    /// Reserves `pages` pages for one sequence.
    ///
    /// # Errors
    /// Returns [`EngineError::OutOfPages`] if fewer are free.
    pub(crate) fn promise(self: &Arc<Self>, pages: usize) -> Result<Promise, EngineError> {
        let mut state = self.state();
        let free = self.limit - state.used - state.promised;
        if pages > free {
            return Err(EngineError::OutOfPages { needed: pages, free });
        }
        state.promised += pages;
        drop(state);
        Ok(Promise { pool: self.clone(), left: pages })
    }
}

/// Pages that a sequence may take and has not taken yet.
#[derive(Debug)]
pub(crate) struct Promise {
    pool: Arc<Pool>,
    left: usize,
}

impl Promise {
    /// Takes a promised page or, once they are used up, a free one. The page holds stale numbers.
    pub(super) fn take(&mut self) -> Result<Page, EngineError> {
        let mut state = self.pool.state();
        if self.left > 0 {
            self.left -= 1;
            state.promised -= 1;
        } else if state.used + state.promised >= self.pool.limit {
            return Err(EngineError::OutOfPages { needed: 1, free: 0 });
        }
        state.used += 1;
        let spare = state.spare.pop();
        drop(state);
        let data = spare.unwrap_or_else(|| vec![0f32; self.pool.numbers].into_boxed_slice());
        Ok(Page { data, pool: self.pool.clone() })
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.pool.state().promised -= self.left;
    }
}

/// Memory of [`PAGE`](super::PAGE) positions, which returns to its pool when it is dropped.
#[derive(Debug)]
pub(crate) struct Page {
    data: Box<[f32]>,
    pool: Arc<Pool>,
}

impl Page {
    #[inline(always)]
    pub(super) fn data(&self) -> &[f32] {
        &self.data
    }

    pub(super) fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let data = std::mem::take(&mut self.data);
        let mut state = self.pool.state();
        state.used -= 1;
        state.spare.push(data);
    }
}
