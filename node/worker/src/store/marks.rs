// SPDX-License-Identifier: Apache-2.0
//! The marks of work in progress, which tell after the death of the process what it was doing.
//!
//! A mark is a small file and not a row of the database: it has to outlive the process and not a
//! power cut, so it needs no wait for the disk, and it is there when the database fails. A piece of
//! work that was in progress at two deaths is poisoned, which means that it is not tried again.
//! Several such pieces are suspects. They run one at a time, and the one that is in progress at the
//! next death is poisoned.

use crate::{
    work::key::{Kind, Piece},
    LOG_TARGET,
};
use assay_primitives::JobId;
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    fs, io,
    path::{Path, PathBuf},
};

/// The deaths after which a piece of work is a suspect.
const SUSPECT: u32 = 2;

/// The state of a piece of work that is in progress, or that has been at a death.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Mark {
    /// The deaths at which it was in progress.
    deaths: u32,
    /// The number of attempts in progress; a job can have several commitments to verify.
    attempts: u32,
    poisoned: bool,
}

impl Mark {
    fn is_suspect(&self) -> bool {
        self.deaths >= SUSPECT && !self.poisoned
    }
}

/// A death of the process at which a piece of work was in progress.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Death {
    /// The piece of work.
    pub piece: Piece,
    /// The number of deaths so far at which it was in progress.
    pub deaths: u32,
    /// Whether it is poisoned now.
    pub poisoned: bool,
}

/// The permission to begin an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begin {
    /// The piece is marked as in progress.
    Now,
    /// Another suspect is in progress.
    Later,
    /// The piece is poisoned.
    Never,
}

/// The marks of this node's work.
pub struct Marks {
    folder: PathBuf,
    marks: Mutex<BTreeMap<Piece, Mark>>,
}

impl Marks {
    /// Reads the marks that the previous process left, and returns the deaths that they tell of.
    pub fn open(folder: &Path) -> io::Result<(Self, Vec<Death>)> {
        fs::create_dir_all(folder)?;
        let mut marks = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            match name.and_then(piece_of) {
                Some(piece) => marks.insert(piece, mark_of(&fs::read_to_string(&path)?)),
                // A death has left it half-written, so the mark is still the previous one.
                None => {
                    fs::remove_file(&path)?;
                    None
                }
            };
        }
        let this = Self { folder: folder.into(), marks: Mutex::new(marks) };
        let deaths = this.count_deaths();
        Ok((this, deaths))
    }

    /// Counts the death of the previous process for all that was in progress.
    fn count_deaths(&self) -> Vec<Death> {
        let mut marks = self.marks.lock();
        let mut dead: Vec<(&Piece, &mut Mark)> =
            marks.iter_mut().filter(|(_, mark)| mark.attempts > 0 && !mark.poisoned).collect();
        for (_, mark) in &mut dead {
            mark.deaths = mark.deaths.saturating_add(1);
            mark.attempts = 0;
        }
        let suspects = dead.iter().filter(|(_, mark)| mark.is_suspect()).count();
        let deaths = dead.into_iter().map(|(piece, mark)| {
            // A suspect of an earlier death had no other suspect beside it.
            mark.poisoned = mark.is_suspect() && (suspects == 1 || mark.deaths > SUSPECT);
            self.write(piece, mark);
            Death { piece: piece.clone(), deaths: mark.deaths, poisoned: mark.poisoned }
        });
        deaths.collect()
    }

    /// Marks a piece of work as in progress, if it may begin.
    pub fn begin(&self, piece: &Piece) -> Begin {
        let mut marks = self.marks.lock();
        let mark = marks.get(piece).copied().unwrap_or_default();
        if mark.poisoned {
            return Begin::Never;
        }
        let other = |(other, mark): (&Piece, &Mark)| {
            other != piece && mark.attempts > 0 && mark.is_suspect()
        };
        if mark.is_suspect() && marks.iter().any(other) {
            return Begin::Later;
        }
        let begun = Mark { attempts: mark.attempts + 1, ..mark };
        if mark.attempts == 0 {
            self.write(piece, &begun);
        }
        marks.insert(piece.clone(), begun);
        Begin::Now
    }

    /// Ends an attempt. A piece of work that has a result is above suspicion.
    pub fn end(&self, piece: &Piece, has_result: bool) {
        let mut marks = self.marks.lock();
        let Some(mark) = marks.get_mut(piece) else { return };
        mark.attempts = mark.attempts.saturating_sub(1);
        if has_result && !mark.poisoned {
            mark.deaths = 0;
        }
        let mark = *mark;
        if mark.attempts > 0 {
            return;
        }
        if mark == Mark::default() {
            marks.remove(piece);
            self.remove(piece);
        } else {
            self.write(piece, &mark);
        }
    }

    /// Ends an attempt by the death of the engine's server. Returns whether the piece is poisoned.
    pub fn end_by_death(&self, piece: &Piece) -> bool {
        let mut marks = self.marks.lock();
        let mark = marks.entry(piece.clone()).or_default();
        mark.attempts = mark.attempts.saturating_sub(1);
        mark.deaths = mark.deaths.saturating_add(1);
        // It was the only suspect in progress.
        mark.poisoned |= mark.deaths > SUSPECT;
        self.write(piece, mark);
        mark.poisoned
    }

    /// Ends an attempt by a panic, which poisons the piece. Returns whether it was not yet poisoned.
    pub fn poison(&self, piece: &Piece) -> bool {
        let mut marks = self.marks.lock();
        let mark = marks.entry(piece.clone()).or_default();
        mark.attempts = mark.attempts.saturating_sub(1);
        let is_new = !std::mem::replace(&mut mark.poisoned, true);
        self.write(piece, mark);
        is_new
    }

    /// Returns whether a piece of work must not be tried again. A job whose generation is poisoned
    /// must not be accepted either.
    pub fn is_poisoned(&self, piece: &Piece) -> bool {
        let marks = self.marks.lock();
        let poisoned =
            |kind| marks.get(&Piece { kind, ..piece.clone() }).is_some_and(|m| m.poisoned);
        poisoned(piece.kind) || (piece.kind == Kind::Prepare && poisoned(Kind::Generate))
    }

    /// Returns the jobs that have marks.
    pub fn jobs(&self) -> BTreeSet<JobId> {
        self.marks.lock().keys().map(|piece| piece.job).collect()
    }

    /// Forgets the marks of jobs that are `over`, unless an attempt is still in progress.
    pub fn forget(&self, over: impl Fn(&JobId) -> bool) {
        self.marks.lock().retain(|piece, mark| {
            let forgotten = over(&piece.job) && mark.attempts == 0;
            if forgotten {
                self.remove(piece);
            }
            !forgotten
        });
    }

    /// Writes a mark whole: a death leaves the previous one or the new one.
    fn write(&self, piece: &Piece, mark: &Mark) {
        let path = self.path(piece);
        let new = path.with_extension("new");
        let written = fs::write(&new, text_of(mark)).and_then(|()| fs::rename(&new, &path));
        if let Err(error) = written {
            complain(&path, "written", error);
        }
    }

    fn remove(&self, piece: &Piece) {
        let path = self.path(piece);
        if let Err(error) = fs::remove_file(&path) {
            complain(&path, "removed", error);
        }
    }

    fn path(&self, piece: &Piece) -> PathBuf {
        self.folder.join(format!("{}-{:x}", piece.kind.label(), piece.job))
    }
}

fn complain(path: &Path, what: &str, error: impl Display) {
    log::error!(
        target: LOG_TARGET,
        "the mark of work in progress {} cannot be {what}: {error}; check the disk and the \
         permissions of its folder",
        path.display(),
    );
}

/// Returns the piece that a file's name names.
fn piece_of(name: &str) -> Option<Piece> {
    let (kind, job) = name.split_once('-')?;
    let kind = Kind::ALL.into_iter().find(|known| known.label() == kind)?;
    Some(Piece { kind, job: job.parse().ok()? })
}

/// Returns the content of a mark's file.
fn text_of(mark: &Mark) -> String {
    let state = match mark {
        Mark { poisoned: true, .. } => "poisoned",
        Mark { attempts: 0, .. } => "waiting",
        _ => "running",
    };
    format!("{state} {}\n", mark.deaths)
}

/// Reads the content of a mark's file. Damaged content counts as work in progress.
fn mark_of(text: &str) -> Mark {
    let (state, deaths) = text.trim_end().split_once(' ').unwrap_or((text, "0"));
    Mark {
        deaths: deaths.parse().unwrap_or(0),
        attempts: u32::from(!matches!(state, "waiting" | "poisoned")),
        poisoned: state == "poisoned",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn piece(n: u8) -> Piece {
        Piece { kind: Kind::Generate, job: JobId::repeat_byte(n) }
    }

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    /// Opens the marks after a death, and returns them with the pieces that are poisoned since.
    fn die(folder: &TempDir) -> (Marks, Vec<Piece>) {
        let (marks, deaths) = Marks::open(folder.path()).unwrap();
        let poisoned = deaths.into_iter().filter(|death| death.poisoned).map(|death| death.piece);
        (marks, poisoned.collect())
    }

    /// Begins these pieces, and returns whether all may begin.
    fn begin(marks: &Marks, pieces: &[u8]) -> bool {
        pieces.iter().all(|n| marks.begin(&piece(*n)) == Begin::Now)
    }

    #[test]
    fn work_in_progress_at_two_deaths_is_poisoned() {
        let folder = folder();
        assert!(begin(&die(&folder).0, &[1, 2]));
        let (marks, poisoned) = die(&folder);
        assert_eq!(poisoned, [], "one death says nothing");
        assert!(begin(&marks, &[1, 3]));
        let (marks, poisoned) = die(&folder);
        assert_eq!(poisoned, [piece(1)]);
        assert_eq!(marks.begin(&piece(1)), Begin::Never);
        assert!(begin(&marks, &[2, 3]));
        assert!(die(&folder).0.is_poisoned(&piece(1)), "poison outlives the process");
    }

    #[test]
    fn several_suspects_run_one_at_a_time_until_one_is_poisoned() {
        let folder = folder();
        assert!(begin(&die(&folder).0, &[1, 2, 3]));
        assert!(begin(&die(&folder).0, &[1, 2, 3]));
        let (marks, poisoned) = die(&folder);
        assert_eq!(poisoned, []);
        assert!(begin(&marks, &[1, 4]), "work that is not suspected runs beside a suspect");
        assert_eq!(marks.begin(&piece(2)), Begin::Later);
        marks.end(&piece(1), true);
        assert!(begin(&marks, &[2]));
        let (marks, poisoned) = die(&folder);
        assert_eq!(poisoned, [piece(2)]);
        assert!(begin(&marks, &[1, 3, 4]), "the first had a result");
    }

    #[test]
    fn attempt_that_is_stopped_keeps_the_deaths() {
        let folder = folder();
        assert!(begin(&die(&folder).0, &[1]));
        let marks = die(&folder).0;
        assert!(begin(&marks, &[1]));
        marks.end(&piece(1), false);
        let (marks, poisoned) = die(&folder);
        assert_eq!(poisoned, [], "it was not in progress");
        assert!(begin(&marks, &[1]));
        assert_eq!(die(&folder).1, [piece(1)]);
    }

    #[test]
    fn work_that_ends_leaves_no_mark() {
        let folder = folder();
        let marks = die(&folder).0;
        assert!(begin(&marks, &[1, 1, 2]));
        marks.end(&piece(1), true);
        marks.end(&piece(2), false);
        assert_eq!(marks.jobs(), BTreeSet::from([piece(1).job]), "another attempt is in progress");
        marks.end(&piece(1), true);
        assert_eq!(marks.jobs(), BTreeSet::new());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn panic_poisons_at_once_and_until_the_job_is_over() {
        let folder = folder();
        let marks = die(&folder).0;
        assert!(begin(&marks, &[1]));
        assert!(marks.poison(&piece(1)) && !marks.poison(&piece(1)));
        let prepare = Piece { kind: Kind::Prepare, ..piece(1) };
        let verify = Piece { kind: Kind::Verify, ..piece(1) };
        assert!(marks.is_poisoned(&piece(1)) && marks.is_poisoned(&prepare));
        assert!(!marks.is_poisoned(&verify), "another way through the engine may work");
        marks.forget(|job| *job != piece(1).job);
        assert!(die(&folder).0.is_poisoned(&piece(1)));
        marks.forget(|job| *job == piece(1).job);
        assert!(begin(&marks, &[1]));
    }

    #[test]
    fn deaths_of_the_server_poison_as_those_of_the_process_do() {
        let marks = die(&folder()).0;
        for poisoned in [false, false, true] {
            assert!(begin(&marks, &[1]));
            assert_eq!(marks.end_by_death(&piece(1)), poisoned);
        }
        assert_eq!(marks.begin(&piece(1)), Begin::Never);
    }

    #[test]
    fn half_written_mark_is_the_previous_one() {
        let folder = folder();
        assert!(begin(&die(&folder).0, &[1]));
        fs::write(folder.path().join("leftover.new"), "runn").unwrap();
        let (marks, deaths) = Marks::open(folder.path()).unwrap();
        let death = Death { piece: piece(1), deaths: 1, poisoned: false };
        assert_eq!(deaths, [death]);
        assert_eq!(marks.jobs().len(), 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
