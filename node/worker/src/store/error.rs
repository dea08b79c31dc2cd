// SPDX-License-Identifier: Apache-2.0
//! The reasons why something cannot be stored or read.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// A reason why something cannot be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The payload exceeds `MAX_PAYLOAD_BYTES`.
    #[error("the payload has {bytes} bytes and the limit is {limit}; shorten it")]
    TooLarge {
        /// The length of the payload in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The requests that were submitted and must be kept leave no room for another.
    #[error(
        "the requests that this node must keep for jobs that are not over, or were submitted a short \
         time ago, leave no room within {limit} bytes; submit the request again later, or to another \
         node"
    )]
    Full {
        /// The most bytes of all submitted requests.
        limit: u64,
    },
    /// The database fails.
    #[error("the worker's store fails: {0}; check the disk and the permissions of its folder")]
    Database(#[from] redb::Error),
    /// The file is not a database that this version can read.
    #[error(
        "the worker's store cannot be read: {reason}; stop the node, move {path} away, and start it \
         again: it computes results anew, and outputs that were committed to and not audited are lost"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// An earlier error stands: the store is not written until its keeper has mended it.
    #[error(
        "the worker's store {path} cannot be used: {reason}; free space on its disk or mend it, \
         the node tries again by itself"
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The first error.
        reason: String,
    },
    /// The disk has less space than is kept in reserve for work that was accepted before.
    #[error(
        "the disk of {path} has {free} bytes left and {reserve} are kept in reserve; free some space"
    )]
    Space {
        /// The folder.
        path: PathBuf,
        /// The bytes that are free.
        free: u64,
        /// The bytes that are kept in reserve.
        reserve: u64,
    },
    /// The outputs that wait in memory to be written fill the memory that is kept for them.
    #[error(
        "{waiting} bytes of outputs wait in memory to be written and the limit is {limit}; free \
         space on the disk of the worker's store"
    )]
    Memory {
        /// The bytes that wait.
        waiting: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

impl StoreError {
    /// Returns whether the database refuses everything after this error until it is opened again.
    pub(super) fn breaks(&self) -> bool {
        matches!(
            self,
            Self::Database(
                redb::Error::Io(_)
                    | redb::Error::PreviousIo
                    | redb::Error::DatabaseClosed
                    | redb::Error::Corrupted(_)
                    | redb::Error::LockPoisoned(_)
            )
        )
    }

    /// Returns the error for a database that cannot be opened, whose remedy depends on the cause.
    pub(super) fn opening(self, path: &Path) -> Self {
        match self {
            Self::Database(error) if is_damage(&error) => {
                Self::Damaged { path: path.into(), reason: error.to_string() }
            }
            other => other,
        }
    }

    /// Returns whether the error only says that there was another before.
    pub(super) fn follows_another(&self) -> bool {
        matches!(self, Self::Database(redb::Error::PreviousIo | redb::Error::DatabaseClosed))
    }
}

/// Returns whether the content of the file is at fault, and not the disk or the permissions.
fn is_damage(error: &redb::Error) -> bool {
    match error {
        redb::Error::Corrupted(_) | redb::Error::UpgradeRequired(_) => true,
        redb::Error::Io(error) => {
            matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
        }
        _ => false,
    }
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
