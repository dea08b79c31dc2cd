// SPDX-License-Identifier: Apache-2.0
//! A file that is downloaded in as many pieces as it takes.
//!
//! The bytes are in a file `.partial`, and beside it the version of the remote file that they are of. A download
//! that was interrupted goes on where it stopped, unless the remote file has changed since.

use super::{
    hash,
    http::{Answer, Client},
};
use crate::{bounded, fault::Fault, out, progress::Bytes};
use anyhow::{Context, Result};
use blake3::Hash;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    path::{Path, PathBuf},
};
use ureq::http::StatusCode;

/// The number of connections that may break off in a row before a download ends with an error.
const TRIES: u32 = 5;

/// The bytes that a download must get further for its connections to be counted anew.
const STEP: u64 = 1 << 20;

/// A file to download.
pub struct Remote<'r> {
    /// Its address.
    pub url: &'r str,
    /// Its length in bytes, if it is known.
    pub bytes: Option<u64>,
    /// Its hash, if it is known.
    pub hash: Option<Hash>,
}

/// The version of a remote file that bytes are of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Version {
    total: u64,
    validator: Option<String>,
}

impl Version {
    /// Returns whether nothing speaks against the two being one version. Not every answer names its version.
    fn may_be(&self, other: &Self) -> bool {
        let tags = self.validator.as_ref().zip(other.validator.as_ref());
        self.total == other.total && tags.is_none_or(|(one, other)| one == other)
    }
}

/// The place of a download.
#[derive(Clone, Debug)]
pub struct Place {
    partial: PathBuf,
    version: PathBuf,
}

impl Place {
    /// Returns the place of that name in a folder.
    pub fn new(folder: &Path, name: &str) -> Self {
        Self {
            partial: folder.join(format!("{name}.partial")),
            version: folder.join(format!("{name}.json")),
        }
    }

    /// Returns the file of the bytes.
    pub fn file(&self) -> &Path {
        &self.partial
    }

    /// Returns the number of bytes that are there.
    pub fn have(&self) -> u64 {
        fs::metadata(&self.partial).map_or(0, |file| file.len())
    }

    fn version(&self) -> Option<Version> {
        let file = File::open(&self.version).ok()?;
        let bytes = bounded::bytes(file, bounded::SMALL_BYTES, "the version of a download").ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Begins with no bytes of that version.
    fn begin(&self, version: &Version) -> Result<()> {
        let _ = fs::remove_file(&self.version);
        let begun = File::create(&self.partial)
            .and_then(|_| fs::write(&self.version, serde_json::to_vec(version)?));
        begun.with_context(|| format!("cannot write {}", self.partial.display()))
    }

    /// Removes the bytes.
    fn clear(&self) {
        let _ = fs::remove_file(&self.version);
        let _ = fs::remove_file(&self.partial);
    }
}

/// An estimate of the room for a file of that length, of which that many bytes are there.
pub type Room<'r> = &'r dyn Fn(u64, u64) -> Result<()>;

/// Downloads a file, or what is missing of it, and returns its hash. `room` is asked before bytes are written.
pub fn download(
    client: &Client,
    remote: &Remote<'_>,
    place: &Place,
    room: Room<'_>,
) -> Result<Hash> {
    let mut tried = false;
    loop {
        let bar = Bytes::new("downloading");
        let pieced = Download { client, remote, place, room, bar }.complete()?;
        let bar = Bytes::new("checking");
        let found = hash::of_file(place.file(), &mut |read| bar.at(read, place.have()))?;
        drop(bar);
        match remote.hash {
            Some(hash) if hash != found => {}
            _ => return Ok(found),
        }
        place.clear();
        if tried || !pieced {
            return Err(wrong_hash(remote.url, remote.hash, found));
        }
        // The pieces may have been of two versions.
        out::note(&format!("what was downloaded of {} is damaged; starting again", remote.url));
        tried = true;
    }
}

fn wrong_hash(url: &str, expected: Option<Hash>, found: Hash) -> anyhow::Error {
    let expected = expected.map_or_else(String::new, hash::shown);
    Fault::error(
        "wrong_hash",
        format!(
            "{url} has the BLAKE3 hash {}, but {expected} is expected; do not use the file, and look for \
             another source of it",
            hash::shown(found)
        ),
    )
}

struct Download<'d> {
    client: &'d Client,
    remote: &'d Remote<'d>,
    place: &'d Place,
    room: Room<'d>,
    bar: Bytes,
}

impl Download<'_> {
    /// Gets all bytes that are missing. Returns whether the file was put together from several pieces.
    fn complete(&self) -> Result<bool> {
        let (mut tries, mut furthest) = (TRIES, self.place.have());
        let mut answered = false;
        // The bytes from an earlier command may belong to another version of the file, or be damaged.
        let continues = furthest > 0;
        let mut connections = 0u32;
        loop {
            let known = self.usable();
            let have = self.place.have();
            if known.as_ref().is_some_and(|version| version.total == have) {
                return Ok(continues || connections > 1);
            }
            let validator = known.as_ref().and_then(|version| version.validator.as_deref());
            let problem = match self.client.get(self.remote.url, have, validator) {
                Err(error) if !answered => return Err(self.unreachable(&error)),
                Err(error) => error.to_string(),
                Ok(answer) => {
                    answered = true;
                    connections = connections.saturating_add(1);
                    match self.take(answer, known)? {
                        None => continue,
                        Some(problem) => problem,
                    }
                }
            };
            if self.place.have() >= furthest.saturating_add(STEP) {
                (tries, furthest) = (TRIES, self.place.have());
            }
            tries -= 1;
            if tries == 0 {
                return Err(self.cut(&problem));
            }
        }
    }

    /// Returns the version of the bytes that are there. Bytes that cannot be continued are removed.
    fn usable(&self) -> Option<Version> {
        let have = self.place.have();
        let version = self.place.version().filter(|version| {
            have <= version.total
                && self.remote.bytes.is_none_or(|bytes| bytes == version.total)
                // Without either, nobody could tell whether the rest is of the same file.
                && (version.total == have
                    || self.remote.hash.is_some()
                    || version.validator.is_some())
        });
        if version.is_none() && have > 0 {
            self.place.clear();
        }
        version
    }

    /// Takes the bytes of an answer. Returns the problem if the connection broke off, and `None` if the file is
    /// complete or has to be asked for again.
    fn take(&self, answer: Answer, known: Option<Version>) -> Result<Option<String>> {
        match answer.status {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => {}
            StatusCode::RANGE_NOT_SATISFIABLE if self.place.have() > 0 => {
                self.changed();
                return Ok(None);
            }
            status => return Err(self.refused(status)),
        }
        let version =
            Version { total: self.total(answer.total)?, validator: answer.validator.clone() };
        let have = self.place.have();
        if known.is_some_and(|known| !known.may_be(&version)) {
            self.changed();
            if answer.from > 0 {
                return Ok(None);
            }
        } else if have > 0 && answer.from == 0 {
            out::note(&format!("{} cannot be continued; starting again", self.remote.url));
        } else if answer.from != have {
            return Ok(Some(format!("it sent another part than the one from byte {have} on")));
        }
        (self.room)(version.total, answer.from)?;
        if answer.from == 0 {
            self.place.begin(&version)?;
        } else {
            out::note(&format!("Going on at byte {have} of {}", version.total));
        }
        self.copy(answer, version.total)
    }

    /// Returns the length of the file, of which the server and the catalogue must not say different things.
    fn total(&self, said: Option<u64>) -> Result<u64> {
        let url = self.remote.url;
        match (self.remote.bytes, said) {
            (Some(expected), Some(said)) if expected != said => Err(Fault::error(
                "wrong_length",
                format!(
                    "{url} has {said} bytes, but {expected} are expected; the file has changed, so \
                     look for another source of it"
                ),
            )),
            (Some(expected), _) => Ok(expected),
            (None, Some(said)) => Ok(said),
            (None, None) => Err(Fault::error(
                "no_length",
                format!(
                    "the server does not say how long {url} is; download it by other means, and fetch \
                     it by its path"
                ),
            )),
        }
    }

    /// Appends the body to the bytes that are there.
    fn copy(&self, answer: Answer, total: u64) -> Result<Option<String>> {
        let path = self.place.file();
        let cannot = || format!("cannot write {}", path.display());
        let mut file = OpenOptions::new().append(true).open(path).with_context(cannot)?;
        let mut have = self.place.have();
        // One byte too many is enough to know that there are too many.
        let mut body = answer.body.take(total.saturating_sub(have).saturating_add(1));
        let mut piece = vec![0; 1 << 18];
        self.bar.at(have, total);
        let problem = loop {
            match body.read(&mut piece) {
                Ok(0) if have == total => break None,
                Ok(0) => break Some(format!("the connection ended at byte {have} of {total}")),
                Ok(read) => {
                    have = have.saturating_add(u64::try_from(read)?);
                    if have > total {
                        self.place.clear();
                        return Err(self.too_long(total));
                    }
                    file.write_all(&piece[..read]).with_context(cannot)?;
                    self.bar.at(have, total);
                }
                Err(error) => break Some(error.to_string()),
            }
        };
        file.sync_data().with_context(cannot)?;
        Ok(problem)
    }

    fn changed(&self) {
        out::note(&format!(
            "{} has changed since the download began; starting again",
            self.remote.url
        ));
        self.place.clear();
    }

    fn too_long(&self, total: u64) -> anyhow::Error {
        Fault::error(
            "wrong_length",
            format!(
                "{} is longer than the {total} bytes that are expected; look for another source of it",
                self.remote.url
            ),
        )
    }

    fn unreachable(&self, error: &ureq::Error) -> anyhow::Error {
        Fault::error(
            "unreachable",
            format!(
                "cannot download {}: {error}; check the address, the connection and the proxy \
                 (HTTPS_PROXY), then try again",
                self.remote.url
            ),
        )
    }

    fn cut(&self, problem: &str) -> anyhow::Error {
        let have = self.usable().map_or(0, |_| self.place.have());
        Fault::error(
            "download_cut",
            format!(
                "the download of {} broke off {TRIES} times, the last time because {problem}; try again, \
                 and it goes on at byte {have}",
                self.remote.url
            ),
        )
    }

    fn refused(&self, status: StatusCode) -> anyhow::Error {
        let advice = match status.as_u16() {
            429 | 500.. => "try again later",
            _ => "check the address",
        };
        Fault::error(
            "http_status",
            format!("the server answers {status} to {}; {advice}", self.remote.url),
        )
    }
}
