// SPDX-License-Identifier: Apache-2.0
//! The reasons why something cannot be stored or read.

/// A reason why something cannot be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The prompt exceeds `MAX_PROMPT_BYTES`, or the payload `MAX_PAYLOAD_BYTES`.
    #[error("the payload has {bytes} bytes and the limit is {limit}; shorten it")]
    TooLarge {
        /// The length of the payload in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The prompts that were submitted and must be kept leave no room for another.
    #[error(
        "the prompts that this node must keep for jobs that are not over, or were submitted a short \
         time ago, leave no room within {limit} bytes; submit the prompt again later, or to another \
         node"
    )]
    Full {
        /// The most bytes of all submitted prompts.
        limit: u64,
    },
    /// The database fails.
    #[error("the worker's store fails: {0}; check the disk and the permissions of its folder")]
    Database(#[from] redb::Error),
}

macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Database(error.into())
            }
        }
    )*};
}
from_redb!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError
);
