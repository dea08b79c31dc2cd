// SPDX-License-Identifier: Apache-2.0
//! The folder of models, `assay/models` in the folder for data.
//!
//! - `ID.gguf`: a model, named after its BLAKE3 hash, so that a damaged file is found out.
//! - `sources/SOURCE/`: one source, with a lock, a download in progress, and a record of the model that it became.

use super::{download::Place, hash};
use crate::{bounded, fault::Fault, folders, out, progress::Bytes};
use anyhow::{Context, Result};
use blake3::Hash;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

/// The file of a source that one process locks at a time. It stays.
const LOCK: &str = "lock";

/// The file of a source that says which model it became.
const RECORD: &str = "record.json";

/// The folder of models.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// A source that has become a model.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The URL or the path.
    pub from: String,
    /// BLAKE3 of the file there, in hexadecimal digits.
    pub blake3: String,
    /// The model's id, in hexadecimal digits.
    pub model: String,
}

/// A source in use by this process.
pub struct Source {
    folder: PathBuf,
    _lock: File,
}

impl Cache {
    /// Returns the cache of this user. It need not exist.
    pub fn of_user() -> Result<Self> {
        let folder = folders::data().ok_or_else(|| {
            Fault::error("no_home", "there is no folder for models; set HOME or XDG_DATA_HOME")
        })?;
        Ok(Self::new(folder.join("models")))
    }

    /// Returns the cache in a folder.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the file of a model, which need not exist.
    pub fn file(&self, id: Hash) -> PathBuf {
        self.folder.join(format!("{id}.gguf"))
    }

    /// Returns the file of a model and its length, if it is there and undamaged.
    pub fn verified(&self, id: Hash) -> Result<Option<(PathBuf, u64)>> {
        let file = self.file(id);
        let Ok(metadata) = fs::metadata(&file) else { return Ok(None) };
        let bar = Bytes::new("checking");
        let found = hash::of_file(&file, &mut |read| bar.at(read, metadata.len()))?;
        drop(bar);
        Ok((found == id).then_some((file, metadata.len())))
    }

    /// Takes a source, once no other process has it.
    pub fn source(&self, key: &str) -> Result<Source> {
        let folder = self.folder.join("sources").join(key);
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
        let cannot = || format!("cannot lock {}", folder.display());
        let lock = File::create(folder.join(LOCK)).with_context(cannot)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                out::note("another command is fetching this model; waiting for it");
                lock.lock().with_context(cannot)?;
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
        }
        Ok(Source { folder, _lock: lock })
    }

    /// Returns the records of all sources whose model is there, in the order of their names.
    pub fn records(&self) -> Vec<(Record, Hash)> {
        let Ok(folders) = fs::read_dir(self.folder.join("sources")) else { return Vec::new() };
        let record = |folder: fs::DirEntry| {
            let record = read_record(&folder.path())?;
            let id = hash::parse(&record.model).ok()?;
            self.file(id).is_file().then_some((record, id))
        };
        let mut records: Vec<_> = folders.flatten().filter_map(record).collect();
        records.sort_by(|(one, _), (other, _)| one.from.cmp(&other.from));
        records
    }
}

fn read_record(folder: &Path) -> Option<Record> {
    let file = File::open(folder.join(RECORD)).ok()?;
    let bytes = bounded::bytes(file, bounded::SMALL_BYTES, "the record of a model").ok()?;
    serde_json::from_slice(&bytes).ok()
}

impl Source {
    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the place of a download.
    pub fn place(&self, number: usize) -> Place {
        Place::new(&self.folder, &format!("part-{number}"))
    }

    /// Returns the path of the GGUF file that is made of the downloads.
    pub fn unpacked(&self) -> PathBuf {
        self.folder.join("unpacked.gguf")
    }

    /// Returns the path of the file that the engine will run.
    pub fn ready(&self) -> PathBuf {
        self.folder.join("ready.gguf")
    }

    /// Returns the record of the model that the source became.
    pub fn record(&self) -> Option<Record> {
        read_record(&self.folder)
    }

    /// Writes that record.
    pub fn write_record(&self, record: &Record) -> Result<()> {
        let (new, path) = (self.folder.join("record.new"), self.folder.join(RECORD));
        serde_json::to_vec(record)
            .map_err(Into::into)
            .and_then(|bytes| fs::write(&new, bytes))
            .and_then(|()| fs::rename(&new, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Moves the file that the engine will run to its place in the cache.
    pub fn publish(&self, cache: &Cache, id: Hash) -> Result<PathBuf> {
        let to = cache.file(id);
        File::open(self.ready())
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(self.ready(), &to))
            .and_then(|()| File::open(&cache.folder)?.sync_all())
            .with_context(|| format!("cannot write {}", to.display()))?;
        Ok(to)
    }

    /// Removes the files of an import that was interrupted, but no download.
    pub fn tidy(&self) {
        self.remove(|name| name.starts_with("unpacked.gguf") || name.starts_with("ready.gguf"));
    }

    /// Removes all but the lock and the record.
    pub fn finish(&self) {
        self.remove(|name| name != LOCK && name != RECORD);
    }

    fn remove(&self, chosen: impl Fn(&str) -> bool) {
        let Ok(files) = fs::read_dir(&self.folder) else { return };
        for file in files.flatten().filter(|file| file.file_name().to_str().is_some_and(&chosen)) {
            // A file that stays is in nobody's way.
            let _ = fs::remove_file(file.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_model_is_not_taken_for_the_model() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_path_buf());
        let id = blake3::hash(b"weights");
        assert_eq!(cache.verified(id).unwrap(), None);
        fs::write(cache.file(id), b"weights").unwrap();
        assert_eq!(cache.verified(id).unwrap(), Some((cache.file(id), 7)));
        fs::write(cache.file(id), b"wEights").unwrap();
        assert_eq!(cache.verified(id).unwrap(), None);
    }

    #[test]
    fn source_has_one_user_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_path_buf());
        let source = cache.source("one").unwrap();
        let other = File::open(source.folder().join(LOCK)).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        assert!(cache.source("two").is_ok());
        drop(source);
        assert!(other.try_lock().is_ok());
    }

    #[test]
    fn record_is_listed_while_its_model_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_path_buf());
        let source = cache.source("one").unwrap();
        assert_eq!((source.record(), cache.records()), (None, vec![]));
        let id = blake3::hash(b"weights");
        let text = |text: &str| text.to_string();
        let record = Record { from: text("x.gguf"), blake3: text("00"), model: id.to_string() };
        source.write_record(&record).unwrap();
        assert_eq!(source.record().as_ref(), Some(&record));
        assert_eq!(cache.records(), vec![]);
        fs::write(source.ready(), b"weights").unwrap();
        assert_eq!(source.publish(&cache, id).unwrap(), cache.file(id));
        assert_eq!(cache.records(), vec![(record, id)]);
    }

    #[test]
    fn finished_source_keeps_its_lock_and_its_record() {
        let folder = tempfile::tempdir().unwrap();
        let source = Cache::new(folder.path().to_path_buf()).source("one").unwrap();
        for name in [RECORD, "part-0.partial", "ready.gguf.x.partial", "unpacked.gguf"] {
            fs::write(source.folder().join(name), b"").unwrap();
        }
        let files = || {
            let files = fs::read_dir(source.folder()).unwrap();
            let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
            names.sort();
            names
        };
        source.tidy();
        assert_eq!(files(), ["lock", "part-0.partial", "record.json"]);
        source.finish();
        assert_eq!(files(), ["lock", "record.json"]);
    }
}
