// SPDX-License-Identifier: Apache-2.0
//! Work that panics or ends the process ends itself, and the worker goes on. All tests run under the
//! panic hook of a node, which ends the process when a thread panics that is not excepted.

mod given;

use assay_engine::Gate;
use assay_host::Mailbox;
use assay_primitives::{
    AbstainReason, DeclineReason, EngineResult, JobId, OutputCommitment, Verdict, Work,
};
use assay_worker::{Worker, WorkerConfig, WorkerMailbox};
use given::{config, greedy, put, task, until, PATIENCE, PROMPT};
use std::{
    collections::BTreeSet,
    env, fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use substrate_prometheus_endpoint::{prometheus::TextEncoder, Registry};
use tempfile::TempDir;

/// The counter of generations that are not tried again.
const POISONED: &str = "assay_work_poisoned_total{kind=\"generate\"}";
/// A time that is far longer than a test takes.
const LONG: Duration = Duration::from_secs(3_600);
const BAD: &[u8] = b"In the beginning was MARKER";
/// The job whose prompt contains the marker.
const BAD_JOB: JobId = JobId::repeat_byte(66);

/// A worker, its metrics and its folder.
struct Node {
    mailbox: WorkerMailbox,
    registry: Registry,
    folder: Arc<TempDir>,
}

impl Node {
    /// Starts a worker with that fault in a new folder.
    fn new(fault: &str) -> Self {
        Self::start(Arc::new(tempfile::tempdir().unwrap()), fault)
    }

    fn start(folder: Arc<TempDir>, fault: &str) -> Self {
        sp_panic_handler::set("the issues", "test");
        let registry = Registry::new();
        let config = faulty(folder.path(), fault, Arc::default());
        let worker = Arc::new(Worker::start(config, Some(&registry)).unwrap());
        put(&worker, PROMPT);
        put(&worker, BAD);
        Self { mailbox: WorkerMailbox(worker), registry, folder }
    }

    /// Ends the worker as a node ends that is told to, and starts it without a fault.
    fn restart(self) -> Self {
        let Self { mailbox, folder, .. } = self;
        drop(mailbox);
        Self::start(folder, "")
    }

    fn submit(&self, work: &Work) {
        assert!(self.mailbox.submit(work.clone()));
    }

    fn result(&self, work: &Work) -> EngineResult {
        self.submit(work);
        self.mailbox.0.wait(work, PATIENCE).expect("a result in time")
    }

    fn commitment(&self, work: &Work) -> OutputCommitment {
        match self.result(work) {
            EngineResult::Generated { commitment, .. } => commitment,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the value of a counter as Prometheus reads it; 0 if it was never counted.
    fn counted(&self, series: &str) -> u64 {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// Waits until no work is open.
    fn until_idle(&self) {
        until("no work is open", || self.mailbox.0.status().open == 0);
    }

    /// Submits work as the chain does in each block, until the worker has given it up for good.
    fn submit_until_poisoned(&self, work: &Work) {
        until("the work is poisoned", || {
            self.submit(work);
            self.counted(POISONED) == 1
        });
    }
}

/// Returns the configuration of a worker with that fault, unless it is empty.
fn faulty(dir: &Path, fault: &str, gate: Arc<Gate>) -> WorkerConfig {
    let fault = (!fault.is_empty()).then(|| fault.parse().unwrap());
    WorkerConfig { threads: 2, gate, fault, ..config(dir) }
}

fn good(n: u8, max_tokens: u32) -> Work {
    Work::Generate { job: JobId::repeat_byte(n), task: task(PROMPT, max_tokens) }
}

/// Returns a generation that takes long, because the model never ends a greedy output.
fn long(n: u8) -> Work {
    Work::Generate { job: JobId::repeat_byte(n), task: greedy(1_500) }
}

fn bad() -> Work {
    Work::Generate { job: BAD_JOB, task: task(BAD, 24) }
}

fn prepare(prompt: &[u8]) -> Work {
    Work::Prepare { job: BAD_JOB, task: task(prompt, 24) }
}

fn verify(commitment: OutputCommitment) -> Work {
    Work::Verify { job: BAD_JOB, task: task(BAD, 24), commitment, round: 0, left: 10_000 }
}

fn refused() -> EngineResult {
    EngineResult::Refused { job: BAD_JOB, reason: DeclineReason::Resource }
}

#[test]
fn generation_that_panics_is_given_up_and_those_beside_it_are_the_same() {
    let alone = Node::new("");
    let expected: Vec<_> = (1..5).map(|n| alone.commitment(&good(n, 200))).collect();
    let node = Node::new("panic:MARKER");
    for n in 1..5 {
        node.submit(&good(n, 200));
    }
    node.submit(&bad());
    node.submit_until_poisoned(&bad());
    for (n, expected) in (1..5).zip(expected) {
        let commitment = node.commitment(&good(n, 200));
        // Each node has salts of its own.
        assert_eq!(commitment.digest_commitment, expected.digest_commitment);
        assert_eq!(commitment.tokens, expected.tokens);
    }
    assert_eq!(node.counted("assay_work_panics_total{kind=\"generate\"}"), 1);
    assert!(node.mailbox.0.stream(&BAD_JOB).is_none());
    // The chain asks in each block. Nothing begins any more.
    node.until_idle();
    let given_up = "assay_work_total{kind=\"generate\",outcome=\"given_up\"}";
    assert_eq!(node.counted(given_up), 1);
    node.submit(&bad());
    assert_eq!((node.mailbox.0.status().open, node.counted(given_up)), (0, 1));
}

#[test]
fn job_whose_generation_panicked_is_declined_until_it_is_over() {
    let node = Node::new("panic:MARKER");
    assert_eq!(node.result(&prepare(BAD)), EngineResult::Ready { job: BAD_JOB });
    node.submit_until_poisoned(&bad());
    // Another operator of the node is asked, also after a restart.
    node.submit(&prepare(BAD));
    assert_eq!(node.mailbox.poll(8), [refused()]);
    let node = node.restart();
    node.submit(&bad());
    assert_eq!(node.result(&prepare(BAD)), refused());
    assert_eq!(node.mailbox.0.jobs(), BTreeSet::from([BAD_JOB]));
    node.mailbox.0.forget(&BTreeSet::from([BAD_JOB]));
    assert!(node.mailbox.0.jobs().is_empty());
    assert_eq!(node.result(&prepare(BAD)), EngineResult::Ready { job: BAD_JOB });
}

#[test]
fn prompt_that_panics_is_declined_at_once() {
    let node = Node::new("panic-prepare:MARKER");
    node.submit(&prepare(BAD));
    assert_eq!(node.mailbox.poll(8), [refused()]);
    assert_eq!(node.counted("assay_work_panics_total{kind=\"prepare\"}"), 1);
    assert_eq!(node.result(&good(1, 8)).job(), JobId::repeat_byte(1));
}

#[test]
fn long_prompt_that_panics_is_declined() {
    let node = Node::new("panic-prepare:MARKER");
    // A prompt of this length is looked at on a thread of the worker.
    let prompt = [&[b'a'; 20_000], BAD].concat();
    put(&node.mailbox.0, &prompt);
    assert_eq!(node.result(&prepare(&prompt)), refused());
    assert_eq!(node.counted("assay_work_panics_total{kind=\"prepare\"}"), 1);
    assert_eq!(node.result(&good(1, 8)).job(), JobId::repeat_byte(1));
}

#[test]
fn verification_that_panics_abstains() {
    let commitment = Node::new("").commitment(&bad());
    let node = Node::new("panic-verify:MARKER");
    // The node has a transcript of its own, with another salt.
    let own = OutputCommitment { output_hash: node.commitment(&bad()).output_hash, ..commitment };
    let EngineResult::Verified { verdict, .. } = node.result(&verify(own)) else { panic!() };
    assert_eq!(verdict, Verdict::Abstain(AbstainReason::Resource));
    assert_eq!(node.counted("assay_work_panics_total{kind=\"verify\"}"), 1);
    // A later committee asks again.
    let Work::Verify { job, task, commitment, left, .. } = verify(own) else { panic!() };
    let again = Work::Verify { job, task, commitment, round: 1, left };
    node.submit(&again);
    let abstained = |result: &EngineResult| {
        let abstain = Verdict::Abstain(AbstainReason::Resource);
        matches!(result, EngineResult::Verified { verdict, work, .. }
            if *verdict == abstain && *work == again.id())
    };
    assert!(node.mailbox.poll(8).iter().any(abstained), "at once");
    assert_eq!(node.counted("assay_work_panics_total{kind=\"verify\"}"), 1);
}

#[test]
fn work_in_progress_at_two_deaths_of_the_process_is_given_up() {
    if is_child() {
        return;
    }
    let test = "work_in_progress_at_two_deaths_of_the_process_is_given_up";
    let folder = Arc::new(tempfile::tempdir().unwrap());
    aborts(test, folder.path(), "bad");
    aborts(test, folder.path(), "bad");
    let node = Node::start(folder, "");
    assert_eq!(node.counted(POISONED), 1);
    node.submit(&bad());
    assert_eq!(node.mailbox.0.status().open, 0);
    assert_eq!(node.result(&prepare(BAD)), refused());
    assert_eq!(node.commitment(&good(1, 8)).tokens, 8);
}

#[test]
fn work_in_progress_at_one_death_of_the_process_is_done() {
    if is_child() {
        return;
    }
    let test = "work_in_progress_at_one_death_of_the_process_is_done";
    let folder = Arc::new(tempfile::tempdir().unwrap());
    aborts(test, folder.path(), "bad");
    let node = Node::start(folder, "");
    assert!(node.commitment(&bad()).tokens > 0);
    let node = node.restart();
    assert_eq!(marks(node.folder.path()), 0, "it is above suspicion");
}

#[test]
fn honest_work_beside_the_cause_of_two_deaths_is_done() {
    if is_child() {
        return;
    }
    let test = "honest_work_beside_the_cause_of_two_deaths_is_done";
    let folder = Arc::new(tempfile::tempdir().unwrap());
    aborts(test, folder.path(), "long and bad");
    aborts(test, folder.path(), "long and bad");
    // Both are suspects now, so the one does not begin before the other has ended.
    let node = Node::start(folder.clone(), "");
    assert_eq!(node.counted(POISONED), 0);
    assert!(node.commitment(&long(1)).tokens > 0);
    drop(node);
    aborts(test, folder.path(), "bad");
    let node = Node::start(folder, "");
    assert_eq!(node.counted(POISONED), 1);
    node.submit(&bad());
    assert_eq!(node.mailbox.0.status().open, 0);
}

#[test]
fn suspects_run_one_at_a_time_and_all_of_them() {
    if is_child() {
        return;
    }
    let test = "suspects_run_one_at_a_time_and_all_of_them";
    let folder = Arc::new(tempfile::tempdir().unwrap());
    aborts(test, folder.path(), "long and bad");
    aborts(test, folder.path(), "long and bad");
    let node = Node::start(folder, "");
    node.submit(&long(1));
    assert!(node.commitment(&bad()).tokens > 0, "without the fault it does no harm");
    assert!(node.commitment(&long(1)).tokens > 0);
}

#[test]
fn process_that_is_killed_twice_gives_up_the_only_work_that_was_in_progress_at_both() {
    if is_child() {
        return;
    }
    let test = "process_that_is_killed_twice_gives_up_the_only_work_that_was_in_progress_at_both";
    let folder = Arc::new(tempfile::tempdir().unwrap());
    for deaths in 0..2 {
        let mut child = child(test, folder.path(), "stuck");
        until("the work is marked", || mark(&folder) == format!("running {deaths}\n"));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }
    let node = Node::start(folder, "");
    assert_eq!(node.counted(POISONED), 1);
}

#[test]
fn worker_that_ends_in_peace_leaves_no_mark() {
    let mut node = Node::new("");
    for _ in 0..3 {
        node.submit(&long(1));
        let stream = || node.mailbox.0.stream(&JobId::repeat_byte(1));
        until("a token is there", || stream().is_some_and(|stream| !stream.is_empty()));
        assert_eq!(mark(&node.folder), "running 0\n");
        // The node ends its worker whoever still holds it.
        let folder = node.folder.clone();
        node.mailbox.0.end();
        assert_eq!(marks(folder.path()), 0);
        drop(node);
        node = Node::start(folder, "");
    }
    assert!(node.commitment(&long(1)).tokens > 0);
}

fn marks_folder(folder: &Path) -> PathBuf {
    folder.join("marks")
}

/// Returns the number of marks.
fn marks(folder: &Path) -> usize {
    fs::read_dir(marks_folder(folder)).map_or(0, Iterator::count)
}

/// Returns the mark of the long job; nothing if it has none.
fn mark(folder: &TempDir) -> String {
    let name = format!("generate-{:x}", JobId::repeat_byte(1));
    fs::read_to_string(marks_folder(folder.path()).join(name)).unwrap_or_default()
}

/// Runs the test with that name in a process of its own, which aborts.
fn aborts(test: &str, folder: &Path, work: &str) {
    let status = child(test, folder, work).wait().unwrap();
    assert_eq!(status.signal(), Some(6), "{status}");
}

/// The variable that tells a test that it runs in a process of its own: the folder and the work there.
const CHILD: &str = "ASSAY_TEST_WORK";

/// Starts the test with that name in a process of its own, where [`is_child`] does that work.
fn child(test: &str, folder: &Path, work: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", test])
        .env(CHILD, format!("{}\n{work}", folder.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Does the work of a child until the process ends, and returns `false` in any other process.
fn is_child() -> bool {
    let Ok(told) = env::var(CHILD) else { return false };
    let (folder, work) = told.split_once('\n').expect("a folder and the work");
    let gate = Arc::<Gate>::default();
    let config = faulty(Path::new(folder), "abort:MARKER", gate.clone());
    let worker = Arc::new(Worker::start(config, None).unwrap());
    put(&worker, PROMPT);
    put(&worker, BAD);
    let mailbox = WorkerMailbox(worker);
    if work == "stuck" {
        gate.close(LONG);
    }
    if work != "bad" {
        assert!(mailbox.submit(long(1)));
    }
    if work == "long and bad" {
        let stream = || mailbox.0.stream(&JobId::repeat_byte(1));
        until("a token is there", || stream().is_some_and(|stream| !stream.is_empty()));
    }
    if work != "stuck" {
        assert!(mailbox.submit(bad()));
    }
    mailbox.0.wait(&long(9), LONG);
    true
}
