// SPDX-License-Identifier: Apache-2.0
//! A worker whose disk gets full while it works, and has space again later.
//!
//! Each test runs itself in a process of its own: one on a small file system that is mounted for it,
//! which needs the permission to mount, and one under the system's limit of a file's size, which needs
//! none.

mod given;

use assay_host::Mailbox;
use assay_primitives::{DeclineReason, EngineResult, JobId, OutputCommitment, Verdict, Work};
use assay_rpc::StoreStatus;
use assay_worker::{SpaceLimits, StoreError, Worker, WorkerConfig, WorkerMailbox};
use given::{config, put, task, try_put, until_within, PROMPT};
use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::Mutex;
use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};
use substrate_prometheus_endpoint::Registry;

/// The variable that names the folder to a test in its own process.
const FOLDER: &str = "ASSAY_TEST_DISK";
const LIMITS: SpaceLimits = SpaceLimits { start: 4 << 20, reserve: 2 << 20 };
/// The longest that a test waits. The pause between two attempts to mend a store is at most a minute.
const PATIENCE: Duration = Duration::from_secs(120);
/// A payload that no database has space for that was just made.
const LARGE: usize = 4 << 20;

/// The lines that the worker has logged as errors.
struct Errors(Mutex<Vec<String>>);

static ERRORS: Errors = Errors(Mutex::new(Vec::new()));

impl Log for Errors {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.level() == Level::Error && record.target() == "assay-worker" {
            self.0.lock().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[test]
fn full_file_system_costs_no_work_and_is_recovered_from() {
    let name = "full_file_system_costs_no_work_and_is_recovered_from";
    let mount = "mount -t tmpfs -o size=24m,mode=700 none \"$1\"; shift; exec \"$@\"";
    if let Some(folder) = folder() {
        let ballast = Path::new(&folder).join("ballast");
        let fill = || {
            let mut file = File::create(&ballast).unwrap();
            for size in [1 << 16, 1 << 12, 1] {
                while file.write_all(&vec![7; size]).is_ok() {}
            }
        };
        scenario(Path::new(&folder), fill, || fs::remove_file(&ballast).unwrap(), "No space left");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let run = |rest: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-ec", mount, "sh"]);
        command.arg(dir.path()).args(rest).env(FOLDER, dir.path()).output()
    };
    let refused = match run(&["true"]) {
        Ok(probe) if probe.status.success() => None,
        Ok(probe) => Some(String::from_utf8_lossy(&probe.stderr).trim().to_string()),
        Err(error) => Some(format!("unshare: {error}")),
    };
    if let Some(refused) = refused {
        return skip(&format!(
            "{name} is skipped, because no file system can be mounted here: {refused}",
        ));
    }
    let test = std::env::current_exe().unwrap();
    succeeds(&run(&[test.to_str().unwrap(), "--exact", name, "--nocapture"]).unwrap());
}

#[test]
fn file_that_may_not_grow_costs_no_work_and_is_recovered_from() {
    let name = "file_that_may_not_grow_costs_no_work_and_is_recovered_from";
    if let Some(folder) = folder() {
        let limit = |current| {
            let maximum = getrlimit(Resource::Fsize).maximum;
            setrlimit(Resource::Fsize, Rlimit { current, maximum }).unwrap();
        };
        // The first page is that of the database's header, without which it cannot be opened.
        let fill = || limit(Some(4096));
        scenario(Path::new(&folder), fill, || limit(None), "File too large");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    // The signal that comes with the error would end the process.
    let mut command = Command::new("sh");
    command.args(["-ec", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(FOLDER, dir.path());
    succeeds(&command.output().unwrap());
}

fn folder() -> Option<String> {
    std::env::var(FOLDER).ok()
}

#[allow(clippy::print_stderr, reason = "a test that did not run must say so")]
fn skip(reason: &str) {
    eprintln!("{reason}");
}

#[track_caller]
fn succeeds(output: &Output) {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}\n{err}");
}

fn until(what: &str, holds: impl FnMut() -> bool) {
    until_within(PATIENCE, what, holds);
}

fn start(dir: &Path, registry: Option<&Registry>) -> WorkerMailbox {
    let config = WorkerConfig { space: LIMITS, ..config(dir) };
    WorkerMailbox(Arc::new(Worker::start(config, registry).unwrap()))
}

fn job(n: u8) -> JobId {
    JobId::repeat_byte(n)
}

fn result(mailbox: &WorkerMailbox, work: Work) -> EngineResult {
    assert!(mailbox.submit(work.clone()));
    mailbox.0.wait(&work, PATIENCE).expect("a result in time")
}

fn prepare(mailbox: &WorkerMailbox, n: u8) -> EngineResult {
    result(mailbox, Work::Prepare { job: job(n), task: task(PROMPT, 24) })
}

fn generated(n: u8, commitment: OutputCommitment) -> EngineResult {
    EngineResult::Generated { job: job(n), commitment, work: generation(n).id() }
}

fn generation(n: u8) -> Work {
    Work::Generate { job: job(n), task: task(PROMPT, 24) }
}

fn generate(mailbox: &WorkerMailbox, n: u8) -> OutputCommitment {
    match result(mailbox, generation(n)) {
        EngineResult::Generated { commitment, .. } => commitment,
        other => panic!("{other:?}"),
    }
}

fn verify(mailbox: &WorkerMailbox, n: u8, commitment: OutputCommitment) -> Verdict {
    let work =
        Work::Verify { job: job(n), task: task(PROMPT, 24), commitment, round: 0, left: 10_000 };
    match result(mailbox, work) {
        EngineResult::Verified { verdict, .. } => verdict,
        other => panic!("{other:?}"),
    }
}

/// Returns the value of a metric.
fn metric(registry: &Registry, name: &str) -> f64 {
    let families = registry.gather();
    let family =
        families.iter().find(|family| family.get_name() == name).expect("it is registered");
    let metric = &family.get_metric()[0];
    metric.get_gauge().get_value() + metric.get_counter().get_value()
}

fn status(mailbox: &WorkerMailbox) -> StoreStatus {
    mailbox.0.store_status()
}

/// Runs a worker on a disk that is full between `fill` and `free`, where the system says `error`.
fn scenario(dir: &Path, fill: impl Fn(), free: impl Fn(), error: &str) {
    log::set_logger(&ERRORS).unwrap();
    log::set_max_level(LevelFilter::Error);
    let registry = Registry::new();
    let mailbox = start(dir, Some(&registry));
    let prompt = put(&mailbox.0, PROMPT);
    assert_eq!(prepare(&mailbox, 1), EngineResult::Ready { job: job(1) });
    assert_eq!(prepare(&mailbox, 2), EngineResult::Ready { job: job(2) });
    let before = generate(&mailbox, 1);
    assert!(status(&mailbox).healthy, "{:?}", status(&mailbox));

    fill();
    let refused = mailbox.0.keep_output(&job(9), &vec![7; LARGE]).unwrap_err();
    assert!(matches!(refused, StoreError::Database(_)), "{refused}");
    let broken = status(&mailbox);
    assert!(!broken.healthy && broken.error.as_ref().unwrap().contains(error), "{broken:?}");
    assert!(broken.error.unwrap().contains("store.redb"));
    until("the metric says it", || metric(&registry, "assay_store_healthy") == 0.0);
    assert!(metric(&registry, "assay_store_errors_total") >= 1.0);

    // New jobs and requests are declined.
    let declined = EngineResult::Refused { job: job(3), reason: DeclineReason::Resource };
    assert_eq!(prepare(&mailbox, 3), declined);
    let refused = try_put(&mailbox.0, b"another").unwrap_err().to_string();
    assert!(refused.contains(error), "{refused}");

    // An accepted job is done, reported, and served.
    let meanwhile = generate(&mailbox, 2);
    let transcript = mailbox.0.output(&job(2)).expect("it is served");
    assert_eq!(transcript.hash(), meanwhile.output_hash);
    assert!(mailbox.0.payload(&meanwhile.output_hash).unwrap().is_some());
    assert!(matches!(verify(&mailbox, 2, meanwhile), Verdict::Accept { .. }));
    let reported = mailbox.poll(64);
    assert!(reported.contains(&generated(2, meanwhile)));
    assert!(status(&mailbox).pending >= 3, "{:?}", status(&mailbox));

    // The database was opened again, so its content can be read.
    until("the prompt is read", || matches!(mailbox.0.payload(&prompt), Ok(Some(_))));
    assert_eq!(mailbox.0.output(&job(1)).unwrap().hash(), before.output_hash);

    free();
    until("the store is healthy", || status(&mailbox).healthy);
    until("all is written", || status(&mailbox).pending == 0);
    assert_eq!(prepare(&mailbox, 4), EngineResult::Ready { job: job(4) });
    until("the metric says it", || metric(&registry, "assay_store_healthy") == 1.0);
    let said = ERRORS.0.lock().clone();
    assert_eq!(said.len(), 1, "it is said once: {said:?}");

    // A restart finds all of it, and nothing is computed another time.
    drop(mailbox);
    let restarted = start(dir, None);
    let found = restarted.poll(64);
    assert!(reported.iter().all(|result| found.contains(result)), "{found:?}");
    assert_eq!(restarted.0.output(&job(2)), Some(transcript));

    // A node that ends as soon as there is space writes what waits, however long ago it last looked.
    assert_eq!(prepare(&restarted, 5), EngineResult::Ready { job: job(5) });
    fill();
    restarted.0.keep_output(&job(9), &vec![8; LARGE]).unwrap_err();
    let last = generate(&restarted, 5);
    assert!(status(&restarted).pending > 0);
    free();
    drop(restarted);
    let again = start(dir, None);
    assert!(again.poll(64).contains(&generated(5, last)));
    assert_eq!(again.0.output(&job(5)).expect("it is on disk").hash(), last.output_hash);
}
