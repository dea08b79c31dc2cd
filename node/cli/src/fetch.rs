// SPDX-License-Identifier: Apache-2.0
//! Models by name, from a URL or from a file, in the [`cache`] of this user.
//!
//! - [`catalogue`]: the models that have a name.
//! - [`wanted`] and [`terms`]: the model that a person names, and the terms that the person accepts.
//! - [`http`], [`download`]: bytes from a server, in as many pieces as it takes.
//! - [`unpack`]: the file in a package.
//! - [`local`]: a file that is named where a model file is needed.
//!
//! A file that the engine runs keeps its bytes, and so its id; all others are imported. Both are done by exact rules,
//! so everybody who fetches a model gets the same id.

pub mod cache;
pub mod catalogue;
pub mod download;
pub mod hash;
pub mod http;
pub mod local;
pub mod space;
pub mod terms;
pub mod unpack;
pub mod wanted;

use crate::{fault::Fault, out, progress::Bytes};
use anyhow::{Context, Result};
use assay_engine::{EngineError, ImportProgress, MatrixType, Model};
use blake3::Hash;
use cache::{Cache, Record, Source};
use catalogue::Entry;
use download::Remote;
use http::Client;
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use wanted::Wanted;

/// The number of digits by which the source that is a URL or a file is named in the cache.
const KEY_DIGITS: usize = 32;

/// A cache, and the way to fill it.
pub struct Fetcher<'f> {
    /// The cache.
    pub cache: &'f Cache,
    /// The client of servers.
    pub client: &'f Client,
    /// Returns an error unless the terms of a model are accepted.
    pub accept: &'f dyn Fn(&Entry) -> Result<()>,
}

/// A model in the cache.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetched {
    /// BLAKE3 of the file: the model's id.
    pub id: Hash,
    /// The file.
    pub file: PathBuf,
    /// The length of the file in bytes.
    pub bytes: u64,
    /// Whether the model was there already.
    pub cached: bool,
}

impl Fetcher<'_> {
    /// Returns the model, which is downloaded and imported if it is not in the cache. `hash` is the BLAKE3 hash of
    /// the file at a URL or a path, if it is known.
    pub fn fetch(&self, wanted: &Wanted<'_>, hash: Option<Hash>) -> Result<Fetched> {
        match (wanted, hash) {
            (Wanted::Named(entry), None) => self.named(entry),
            (Wanted::Named(entry), Some(_)) => Err(Fault::error(
                "hash_of_name",
                format!("the catalogue has the hash of {}; leave out --blake3", entry.name),
            )),
            (Wanted::Url(url), hash) => self.url(url, hash),
            (Wanted::File(path), hash) => self.file(path, hash),
        }
    }

    fn named(&self, entry: &Entry) -> Result<Fetched> {
        let id = entry.id;
        if let Some(there) = self.there(id)? {
            return Ok(there);
        }
        (self.accept)(entry)?;
        let source = self.cache.source(&entry.name)?;
        // Another command may have fetched it meanwhile.
        if let Some(there) = self.there_or_damaged(id)? {
            return Ok(there);
        }
        source.tidy();
        let have = (0..entry.parts.len()).map(|part| source.place(part).have()).sum();
        let needed = [entry.bytes, entry.id_bytes]
            .into_iter()
            .fold(entry.download_bytes().saturating_sub(have), u64::saturating_add);
        space::ensure(source.folder(), needed, &format!("the model {}", entry.name))?;
        out::note(&format!(
            "Fetching {} ({}), {} bytes, from {}",
            entry.title,
            entry.licence,
            entry.download_bytes(),
            entry.source
        ));
        for (number, part) in entry.parts.iter().enumerate() {
            let remote =
                Remote { url: &part.url, bytes: Some(part.bytes), hash: Some(part.blake3) };
            download::download(self.client, &remote, &source.place(number), &|_, _| Ok(()))?;
        }
        // Packages that were damaged on the disk would be taken for good ones the next time.
        let damaged = |error: &anyhow::Error| is(error, &["package_damaged", "wrong_hash"]);
        unpack_all(entry, &source).inspect_err(|error| finish_if(damaged(error), &source))?;
        let made = make(&source.unpacked(), &entry.name, &source)?;
        if made != id {
            return Err(Fault::error(
                "other_import",
                format!(
                    "{} becomes the model {}, but the catalogue says {}; report this as a bug of assay",
                    entry.name,
                    hash::shown(made),
                    hash::shown(id)
                ),
            ));
        }
        self.publish(&source, id)
    }

    fn url(&self, url: &str, hash: Option<Hash>) -> Result<Fetched> {
        let source = self.cache.source(&key(url.as_bytes()))?;
        if let Some(there) = self.recorded(&source, hash)? {
            out::note(&format!("{url} was fetched before; the server is not asked again"));
            return Ok(there);
        }
        source.tidy();
        out::note(&format!("Fetching {url}"));
        let place = source.place(0);
        // The length of the import is known only with the header. Until then it is taken to be that of the file.
        let room = |total: u64, have: u64| {
            let needed = total.saturating_mul(2).saturating_sub(have);
            space::ensure(source.folder(), needed, url)
        };
        let remote = Remote { url, bytes: None, hash };
        let found = download::download(self.client, &remote, &place, &room)?;
        // A file that is not a model is removed, so that the next command asks the server again. A model that
        // only lacks the room to be imported stays.
        let refused = |error: &anyhow::Error| is(error, &["model", "split_model"]);
        let model = make(place.file(), url, &source)
            .inspect_err(|error| finish_if(refused(error), &source))?;
        source.write_record(&record(url, found, model))?;
        self.publish(&source, model)
    }

    fn file(&self, path: &Path, hash: Option<Hash>) -> Result<Fetched> {
        let shown = path.display();
        let bytes = fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
        let bar = Bytes::new("checking");
        let found = hash::of_file(path, &mut |read| bar.at(read, bytes))?;
        drop(bar);
        if let Some(expected) = hash.filter(|expected| *expected != found) {
            return Err(Fault::error(
                "wrong_hash",
                format!(
                    "{shown} has the BLAKE3 hash {}, but {} is expected; get the file again",
                    hash::shown(found),
                    hash::shown(expected)
                ),
            ));
        }
        let source = self.cache.source(&key(found.as_bytes()))?;
        if let Some(there) = self.recorded(&source, None)? {
            return Ok(there);
        }
        source.tidy();
        let model = make(path, &shown.to_string(), &source)?;
        let from = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        source.write_record(&record(&from.to_string_lossy(), found, model))?;
        self.publish(&source, model)
    }

    /// Returns the model, if it is in the cache.
    fn there(&self, id: Hash) -> Result<Option<Fetched>> {
        let there = self.cache.verified(id)?;
        Ok(there.map(|(file, bytes)| Fetched { id, file, bytes, cached: true }))
    }

    /// Returns the model, if it is in the cache. Says so if it is damaged, since it is fetched again then.
    fn there_or_damaged(&self, id: Hash) -> Result<Option<Fetched>> {
        let there = self.there(id)?;
        let file = self.cache.file(id);
        if there.is_none() && file.exists() {
            out::note(&format!("{} is damaged; fetching it again", file.display()));
        }
        Ok(there)
    }

    /// Returns the model that a source has become, if it is in the cache and the source had that hash.
    fn recorded(&self, source: &Source, hash: Option<Hash>) -> Result<Option<Fetched>> {
        let Some(record) = source.record() else { return Ok(None) };
        let same = |text: &str| hash.is_none_or(|hash| hash::parse(text) == Ok(hash));
        match hash::parse(&record.model) {
            Ok(id) if same(&record.blake3) => self.there_or_damaged(id),
            _ => Ok(None),
        }
    }

    fn publish(&self, source: &Source, id: Hash) -> Result<Fetched> {
        let file = source.publish(self.cache, id)?;
        source.finish();
        let bytes = fs::metadata(&file)?.len();
        Ok(Fetched { id, file, bytes, cached: false })
    }
}

/// Returns whether an error has one of these codes.
fn is(error: &anyhow::Error, codes: &[&str]) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| codes.contains(&fault.code.as_str()))
}

/// Removes what was downloaded, if it is of no use.
fn finish_if(useless: bool, source: &Source) {
    if useless {
        source.finish();
    }
}

fn key(of: &[u8]) -> String {
    blake3::hash(of).to_hex().chars().take(KEY_DIGITS).collect()
}

fn record(from: &str, found: Hash, model: Hash) -> Record {
    Record { from: from.to_string(), blake3: found.to_string(), model: model.to_string() }
}

/// Puts the GGUF file of a model together.
fn unpack_all(entry: &Entry, source: &Source) -> Result<()> {
    let to = source.unpacked();
    let cannot = || format!("cannot write {}", to.display());
    let mut out = BufWriter::new(File::create(&to).with_context(cannot)?);
    let mut missing = entry.bytes;
    for (number, part) in entry.parts.iter().enumerate() {
        let place = source.place(number);
        let written = unpack::member(place.file(), &part.member, missing, &mut out)?;
        missing = missing.saturating_sub(written);
    }
    out.flush().with_context(cannot)?;
    let found = hash::of_file(&to, &mut |_| ())?;
    if found == entry.blake3 {
        return Ok(());
    }
    Err(Fault::error(
        "wrong_hash",
        format!(
            "the file in the packages of {} has the BLAKE3 hash {}, but {} is expected; check the \
             memory and the disk of this machine, and report this as a bug of assay",
            entry.name,
            hash::shown(found),
            hash::shown(entry.blake3)
        ),
    ))
}

/// Makes the file that the engine will run, and returns its hash. `what` names the model in errors.
fn make(from: &Path, what: &str, source: &Source) -> Result<Hash> {
    let refused = |error: EngineError| {
        Fault::error("model", error.to_string()).context(format!("cannot use {what}"))
    };
    let plan = assay_engine::plan_import(from, MatrixType::Q8_0).map_err(refused)?;
    if plan.parts > 1 {
        return Err(Fault::error(
            "split_model",
            format!(
                "{what} is a model in {} parts; join them with: assay model import PART MODEL, where PART is the \
                 first, and fetch MODEL",
                plan.parts
            ),
        ));
    }
    let ready = source.ready();
    let bytes = match plan.converted {
        0 => fs::metadata(from)?.len(),
        _ => plan.file_bytes,
    };
    space::ensure(source.folder(), bytes, &format!("the import of {what}"))?;
    if plan.converted == 0 {
        let cannot = || format!("cannot write {}", ready.display());
        // The copy has the permissions of a new file.
        io::copy(&mut File::open(from)?, &mut File::create(&ready).with_context(cannot)?)
            .with_context(cannot)?;
        let model = Model::open(&ready).map_err(refused)?;
        if let Some(warning) = model.warning() {
            out::note(&format!("Warning: {warning}."));
        }
        return Ok(Hash::from_bytes(model.root()));
    }
    let bar = Bytes::new("importing");
    let mut at = |progress: ImportProgress<'_>| bar.at(progress.done, progress.total);
    let made = assay_engine::import(from, &ready, MatrixType::Q8_0, &mut at).map_err(refused)?;
    Ok(Hash::from_bytes(made.root))
}
