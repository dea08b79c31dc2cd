// SPDX-License-Identifier: Apache-2.0
//! Payloads that an operator publishes on the chain, because a jury could not fetch them.

use crate::job::JobId;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;

/// The most bytes of a chunk.
pub const CHUNK_BYTES: u32 = 64 * 1024;

/// The most chunks of a payload: four mebibytes.
pub const MAX_CHUNKS: u32 = 64;

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
    /// What the client asked for.
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
    /// Cuts the chunk out of the payload; `None` if the payload ends before it.
    pub fn cut(&self, payload: &[u8]) -> Option<Chunk> {
        let size = CHUNK_BYTES as usize;
        let mut chunks = payload.chunks(size).skip(self.index as usize);
        let bytes: Vec<u8> = chunks.next()?.to_vec();
        let last = chunks.next().is_none();
        let bytes = ChunkBytes::try_from(bytes).ok()?;
        Some(Chunk { job: self.job, part: self.part, index: self.index, last, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(length: usize, index: u32) -> Option<(usize, bool)> {
        let next = NextChunk { job: JobId::zero(), part: Part::Request, hash: H256::zero(), index };
        next.cut(&alloc::vec![1; length]).map(|chunk| (chunk.bytes.len(), chunk.last))
    }

    #[test]
    fn payload_is_cut_into_chunks_of_which_one_is_the_last() {
        let size = CHUNK_BYTES as usize;
        assert_eq!(cut(size + 1, 0), Some((size, false)));
        assert_eq!(cut(size + 1, 1), Some((1, true)));
        assert_eq!(cut(size, 0), Some((size, true)));
        assert_eq!((cut(size, 1), cut(0, 0)), (None, None));
    }
}
