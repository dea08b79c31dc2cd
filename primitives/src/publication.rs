// SPDX-License-Identifier: Apache-2.0
//! Payloads that an operator publishes on the chain, because a jury could not fetch them.

use crate::job::JobId;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;

/// The most bytes of a chunk.
pub const CHUNK_BYTES: u32 = 64 * 1024;

/// The most chunks of a payload.
pub const MAX_CHUNKS: u32 = 128;

/// The most bytes of a payload: eight mebibytes. A node keeps no longer payload.
pub const MAX_BYTES: usize = (CHUNK_BYTES * MAX_CHUNKS) as usize;

/// The bytes of a chunk.
pub type ChunkBytes = BoundedVec<u8, ConstU32<CHUNK_BYTES>>;

/// A payload of a job.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub enum Part {
    /// The request of the client.
    #[codec(index = 0)]
    Request,
    /// The transcript that the operator committed to.
    #[codec(index = 1)]
    Transcript,
}

impl Part {
    /// All parts, in the order in which a worker publishes them.
    pub const ALL: [Self; 2] = [Self::Request, Self::Transcript];
}

/// The chunk that an operator's worker has to publish next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NextChunk {
    /// The job.
    pub job: JobId,
    /// The payload.
    pub part: Part,
    /// The hash of the whole payload.
    pub hash: H256,
    /// The number of the payload's chunks that the chain has.
    pub index: u32,
    /// The number of bytes of these chunks.
    pub offset: u32,
}

/// A chunk of a payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// The job.
    pub job: JobId,
    /// The payload.
    pub part: Part,
    /// The number of chunks before this one.
    pub index: u32,
    /// Whether it is the last one.
    pub last: bool,
    /// The bytes.
    pub bytes: ChunkBytes,
}

impl NextChunk {
    /// Cuts the chunk out of the payload. An empty payload is one empty chunk. Where the bytes that the
    /// chain has leave no room for the rest of the payload, or are as many as it has, it begins anew.
    pub fn cut(&self, payload: &[u8]) -> Chunk {
        let (size, begun) = (CHUNK_BYTES as usize, self.offset as usize);
        let room = MAX_CHUNKS.saturating_sub(self.index) as usize;
        let goes_on = payload
            .get(begun..)
            .filter(|rest| !rest.is_empty() && rest.len().div_ceil(size) <= room);
        let (index, rest) = goes_on.map_or((0, payload), |rest| (self.index, rest));
        let (bytes, left) = rest.split_at(rest.len().min(size));
        let bytes = ChunkBytes::truncate_from(bytes.to_vec());
        Chunk { job: self.job, part: self.part, index, last: left.is_empty(), bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the index and the length of the chunk, and whether it is the last one.
    fn cut(length: usize, index: u32, offset: usize) -> (u32, usize, bool) {
        let (job, part, hash) = (JobId::zero(), Part::Request, H256::zero());
        let next = NextChunk { job, part, hash, index, offset: offset as u32 };
        let chunk = next.cut(&alloc::vec![1; length]);
        (chunk.index, chunk.bytes.len(), chunk.last)
    }

    const SIZE: usize = CHUNK_BYTES as usize;

    #[test]
    fn payload_is_cut_into_chunks_of_which_one_is_the_last() {
        assert_eq!(cut(SIZE + 1, 0, 0), (0, SIZE, false));
        assert_eq!(cut(SIZE + 1, 1, SIZE), (1, 1, true));
        assert_eq!(cut(SIZE, 0, 0), (0, SIZE, true));
        assert_eq!(cut(MAX_BYTES, MAX_CHUNKS - 1, MAX_BYTES - SIZE), (MAX_CHUNKS - 1, SIZE, true));
    }

    #[test]
    fn empty_payload_is_one_empty_chunk() {
        assert_eq!(cut(0, 0, 0), (0, 0, true));
    }

    #[test]
    fn payload_goes_on_after_chunks_of_any_length() {
        assert_eq!(cut(SIZE + 1, 3, 5), (3, SIZE - 4, true));
        assert_eq!(cut(2 * SIZE, 3, 5), (3, SIZE, false));
    }

    #[test]
    fn payload_begins_anew_where_it_cannot_go_on() {
        assert_eq!(
            cut(SIZE, 1, SIZE),
            (0, SIZE, true),
            "all bytes are there, and none was the last"
        );
        assert_eq!(cut(9, 1, 10), (0, 9, true), "there are more bytes than the payload has");
        assert_eq!(cut(0, 1, 3), (0, 0, true));
        // Two chunks are left to publish, and there is room for one.
        assert_eq!(cut(2 * SIZE, MAX_CHUNKS - 1, 127), (0, SIZE, false));
        assert_eq!(cut(9, MAX_CHUNKS, 8), (0, 9, true));
    }
}
