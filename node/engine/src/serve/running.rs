// SPDX-License-Identifier: Apache-2.0
//! A job that goes through the model, and one that has to go through it again.

use super::job::Job;
use crate::{
    kv::{KvCache, PrefixCache, Published},
    task::{Choice, Next},
};

/// A job that goes through the model.
pub(super) struct Running {
    pub job: Job,
    pub cache: KvCache,
    pub published: Published,
    /// Number of tokens that it sends in the next pass.
    pub rows: usize,
    /// Number of tokens whose rows it has accepted before its cache was dropped. They go through the
    /// model again, and their rows are not wanted.
    pub judged: usize,
    /// Number of tokens after which it is no longer suspected of a panic.
    until: usize,
}

/// A job of a pass that panicked. One of them is to blame, and nobody knows which.
pub(super) struct Suspect {
    pub job: Job,
    judged: usize,
    until: usize,
}

impl Running {
    pub(super) fn new(job: Job, cache: KvCache, published: Published) -> Self {
        Self { job, cache, published, rows: 0, judged: 0, until: 0 }
    }

    /// Starts a suspect from its first token.
    pub(super) fn again(suspect: Suspect, cache: KvCache, published: Published) -> Self {
        let Suspect { job, judged, until } = suspect;
        Self { job, cache, published, rows: 0, judged, until }
    }

    /// Returns the job without its cache, in which a pass may have left anything.
    pub(super) fn suspect(self) -> Suspect {
        // A pass that panicked has counted no row.
        let judged = self.cache.len().max(self.judged);
        let until = judged.max(self.until).max(self.cache.len() + self.rows.max(1));
        Suspect { job: self.job, judged, until }
    }

    /// Returns whether the rows of the pass that panicked have not yet gone through.
    pub(super) fn is_suspect(&self) -> bool {
        self.cache.len() < self.until
    }

    /// Takes the rows of a pass, and shares the pages that it has filled.
    pub(super) fn accept(
        &mut self,
        choices: &[Choice],
        prefixes: Option<&mut PrefixCache>,
    ) -> Next {
        let next = self.job.accept(choices);
        match next {
            Next::More => {}
            Next::RollBack(length) => self.cache.truncate(length),
            // The cache may hold a draft in place of the last token.
            Next::Done => self.cache.truncate(self.job.task().tokens().len() - 1),
        }
        if let Some(prefixes) = prefixes {
            let tokens = self.job.task().tokens();
            prefixes.publish(tokens, &mut self.cache, &mut self.published);
            if next == Next::Done {
                prefixes.touch(tokens);
            }
        }
        next
    }
}
