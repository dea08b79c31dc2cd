// SPDX-License-Identifier: Apache-2.0
//! The outputs of this node as other nodes read them: a page at a time, of a payload of megabytes.

use super::page::{Page, PAGE_TOKENS};
use assay_primitives::{worker::Transcript, FinishReason, JobId};
use assay_worker::Worker;
use codec::{Compact, Encode};
use parking_lot::Mutex;
use sp_core::H256;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The time after which an output is read as a whole again: a branch of the chain may have another one.
const FRESH: Duration = Duration::from_secs(60);
/// The most outputs whose places are remembered. The store holds fewer of those that take long to read.
const MAX_REMEMBERED: usize = 1024;

/// The place of the tokens of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// The hash of the payload.
    hash: H256,
    /// The offset of the first token in it.
    offset: usize,
    /// The number of tokens.
    tokens: usize,
    finish: FinishReason,
}

/// The places of the tokens of outputs, so that only the first page takes a read of the whole.
#[derive(Default)]
pub struct Outputs(Mutex<HashMap<JobId, (Instant, Place)>>);

impl Outputs {
    /// Returns a page of a job's output.
    pub fn page(&self, worker: &Worker, job: &JobId, index: u32) -> Option<Page> {
        if let Some(stream) = worker.stream(job) {
            return Some(stream.read(|state| Page::of(state, index)));
        }
        let place = self.place(job, Instant::now(), || worker.output(job))?;
        place.page(index, |offset, bytes| {
            let (_, bytes) = worker.payload_range(&place.hash, offset, bytes).ok().flatten()?;
            Some(bytes)
        })
    }

    /// Returns the place of the tokens of a job's output, which `read` reads if it is not remembered.
    fn place(
        &self,
        job: &JobId,
        now: Instant,
        read: impl FnOnce() -> Option<Transcript>,
    ) -> Option<Place> {
        let fresh = |at: Instant| now.saturating_duration_since(at) < FRESH;
        if let Some((_, place)) = self.0.lock().get(job).filter(|(at, _)| fresh(*at)) {
            return Some(*place);
        }
        // The lock must not be held while reading.
        let place = Place::of(&read()?);
        let mut places = self.0.lock();
        if places.len() >= MAX_REMEMBERED {
            places.retain(|_, (at, _)| fresh(*at));
        }
        if places.len() >= MAX_REMEMBERED {
            places.clear();
        }
        places.insert(*job, (now, place));
        Some(place)
    }
}

impl Place {
    fn of(transcript: &Transcript) -> Self {
        let tokens = transcript.output.len();
        let (job, count) = (transcript.job.encoded_size(), u32::try_from(tokens));
        let count = Compact(count.unwrap_or(u32::MAX));
        Self {
            hash: transcript.hash(),
            offset: job + transcript.input.encoded_size() + count.encoded_size(),
            tokens,
            finish: transcript.finish,
        }
    }

    /// Returns the page that starts at `index`, of which `read` reads so many bytes from an offset on.
    fn page(&self, index: u32, read: impl FnOnce(usize, usize) -> Option<Vec<u8>>) -> Option<Page> {
        let start = (index as usize).min(self.tokens);
        let end = start.saturating_add(PAGE_TOKENS).min(self.tokens);
        let bytes = read(self.offset + 4 * start, 4 * (end - start))?;
        let (tokens, _) = bytes.as_chunks::<4>();
        Some(Page {
            index: start as u32,
            tokens: tokens.iter().map(|token| u32::from_le_bytes(*token)).collect(),
            finish: Some(self.finish).filter(|_| end == self.tokens),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_worker::StreamState;

    fn transcript(input: usize, output: usize) -> Transcript {
        Transcript {
            job: JobId::zero(),
            input: vec![9; input],
            output: (0..output as u32).collect(),
            text: b"text".to_vec(),
            finish: FinishReason::Length,
            salt: H256::zero(),
            logprobs: Default::default(),
        }
    }

    #[test]
    fn page_is_read_out_of_the_payload() {
        for (input, output) in [(0, 0), (70, 3), (20_000, PAGE_TOKENS + 5)] {
            let transcript = transcript(input, output);
            let (payload, place) = (transcript.encode(), Place::of(&transcript));
            let finish = Some(transcript.finish);
            let state = StreamState { tokens: transcript.output, finish };
            for index in [0, 1, 3, PAGE_TOKENS as u32, u32::MAX] {
                let read = |offset, bytes| {
                    assert!(bytes <= 4 * PAGE_TOKENS);
                    payload.get(offset..offset + bytes).map(<[u8]>::to_vec)
                };
                assert_eq!(place.page(index, read), Some(Page::of(&state, index)));
            }
        }
    }

    #[test]
    fn output_is_read_as_a_whole_once_in_a_while() {
        let (outputs, now, job) = (Outputs::default(), Instant::now(), JobId::zero());
        assert_eq!(outputs.place(&job, now, || None), None);
        let first = outputs.place(&job, now, || Some(transcript(1, 2)));
        assert_eq!(outputs.place(&job, now, || panic!("it is remembered")), first);
        let later = outputs.place(&job, now + FRESH, || Some(transcript(1, 3)));
        assert_eq!(later.map(|place| place.tokens), Some(3));
    }

    #[test]
    fn remembered_places_are_bounded() {
        let (outputs, now) = (Outputs::default(), Instant::now());
        for n in 0..3 * MAX_REMEMBERED as u64 {
            outputs.place(&JobId::from_low_u64_be(n), now, || Some(transcript(0, 0)));
        }
        assert!(outputs.0.lock().len() <= MAX_REMEMBERED);
    }
}
