// SPDX-License-Identifier: Apache-2.0
//! The one owner of the open database.
//!
//! After an I/O error redb refuses everything (`PreviousIo`) until the database is closed and opened
//! again. Closing needs the only reference, so nobody else keeps one: each transaction is a call.

use super::{error::StoreError, health::Health};
use parking_lot::RwLock;
use redb::{Database, DatabaseError, ReadTransaction, ReadableDatabase, WriteTransaction};
use std::sync::Arc;

/// A way to open the database, which creates it if there is none.
pub type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

/// The open database.
pub struct Handle {
    /// `None` while it is opened again, and while that fails.
    database: RwLock<Option<Database>>,
    opener: Opener,
    health: Arc<Health>,
}

impl Handle {
    /// Opens the database.
    pub fn open(opener: Opener, health: Arc<Health>) -> Result<Self, StoreError> {
        let database = RwLock::new(Some(opener()?));
        Ok(Self { database, opener, health })
    }

    /// Reads in a transaction.
    pub fn read<T>(
        &self,
        look: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.call(|database| look(&database.begin_read()?))
    }

    /// Changes the database in a transaction, which is on disk when the call returns.
    ///
    /// # Errors
    ///
    /// The database fails, or it has failed before and is not yet mended.
    pub fn write<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.health.ensure_writable()?;
        self.call(|database| {
            let write = database.begin_write()?;
            let changed = change(&write)?;
            write.commit()?;
            Ok(changed)
        })
    }

    /// Closes the database and opens it again, after which it can be read. Waits for the calls that
    /// use it.
    pub fn reopen(&self) -> Result<(), StoreError> {
        let mut database = self.database.write();
        // The file stays locked until the old handle is gone.
        *database = None;
        match (self.opener)() {
            Ok(opened) => *database = Some(opened),
            Err(error) => {
                let error = StoreError::from(error);
                self.health.fail(&error);
                return Err(error);
            }
        }
        self.health.reopened();
        Ok(())
    }

    fn call<T>(
        &self,
        call: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // Held until the failure is noted, so that the note is not on a handle that is opened later.
        let database = self.database.read();
        let result = match &*database {
            Some(database) => call(database),
            None => Err(redb::Error::DatabaseClosed.into()),
        };
        if let Err(error) = &result {
            if error.breaks() {
                self.health.fail(error);
            }
        }
        result
    }
}
