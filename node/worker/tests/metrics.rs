// SPDX-License-Identifier: Apache-2.0
//! The metrics of the worker, read from a registry as Prometheus reads them.

mod given;

use assay_engine::{synthetic::Synthetic, Model};
use assay_host::Mailbox;
use assay_primitives::{AbstainReason, EngineResult, JobId, OutputCommitment, Task, Verdict, Work};
use assay_worker::{Fault, PayloadSource, Wanted, Worker, WorkerConfig, WorkerMailbox};
use given::{config, greedy, put, until, PATIENCE, PROMPT};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};
use substrate_prometheus_endpoint::{
    prometheus::{Encoder, TextEncoder},
    Registry,
};

/// A worker whose metrics are in a registry of its own.
struct Measured {
    mailbox: WorkerMailbox,
    registry: Registry,
}

impl Measured {
    fn start(config: WorkerConfig) -> Self {
        let registry = Registry::new();
        let worker = Worker::start(config, Some(&registry)).unwrap();
        put(&worker, PROMPT);
        Self { mailbox: WorkerMailbox(Arc::new(worker)), registry }
    }

    fn text(&self) -> String {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    /// Returns the value of a series, which is written as Prometheus writes it.
    fn value(&self, series: &str) -> f64 {
        let text = self.text();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no series {series} in\n{text}")).parse().unwrap()
    }

    /// Returns the sum of all outcomes of a kind of work.
    fn outcomes(&self, kind: &str) -> f64 {
        let prefix = format!("assay_work_total{{kind=\"{kind}\",");
        let text = self.text();
        let values = text.lines().filter(|line| line.starts_with(&prefix));
        values.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
    }

    fn result(&self, work: &Work) -> EngineResult {
        assert!(self.mailbox.submit(work.clone()));
        self.mailbox.0.wait(work, PATIENCE).expect("a result in time")
    }

    fn commitment(&self, tokens: u32) -> OutputCommitment {
        match self.result(&generate(greedy(tokens))) {
            EngineResult::Generated { commitment, .. } => commitment,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until no work is open.
    fn until_idle(&self) {
        until("no work is open", || self.mailbox.0.status().open == 0);
    }
}

fn job() -> JobId {
    JobId::repeat_byte(7)
}

fn prepare(task: Task) -> Work {
    Work::Prepare { job: job(), task }
}

fn generate(task: Task) -> Work {
    Work::Generate { job: job(), task }
}

fn verify(commitment: OutputCommitment, task: Task) -> Work {
    Work::Verify { job: job(), task, commitment, round: 0, left: 10_000 }
}

const GIVEN_UP: &str = "assay_work_total{kind=\"generate\",outcome=\"given_up\"}";
const FAILED: &str = "assay_work_attempts_failed_total{kind=\"generate\"}";

#[test]
fn stuck_work_has_one_outcome_however_often_the_chain_asks() {
    let dir = tempfile::tempdir().unwrap();
    let other = Model::from_bytes(Synthetic::default().file().unwrap()).unwrap();
    let worker = Measured::start(WorkerConfig { models: vec![other], ..config(dir.path()) });
    // As in three blocks. The job's model is not loaded.
    for _ in 0..3 {
        assert!(worker.mailbox.submit(generate(greedy(8))));
        worker.until_idle();
    }
    assert_eq!(worker.outcomes("generate"), 0.0, "the chain still asks");
    assert_eq!(worker.value(FAILED), 3.0);
    assert!(worker.value("assay_work_oldest_seconds{kind=\"generate\"}") > 0.0);
    assert_eq!(worker.mailbox.0.jobs(), BTreeSet::from([job()]), "it is to be reconciled");
    for _ in 0..2 {
        worker.mailbox.0.forget(&BTreeSet::from([job()]));
    }
    assert_eq!((worker.value(GIVEN_UP), worker.outcomes("generate")), (1.0, 1.0));
    assert_eq!(worker.value("assay_work_oldest_seconds{kind=\"generate\"}"), 0.0);
    assert!(worker.mailbox.0.jobs().is_empty());
}

#[test]
fn silent_operator_gives_up_once() {
    let dir = tempfile::tempdir().unwrap();
    let worker = Measured::start(WorkerConfig { fault: Some(Fault::Silent), ..config(dir.path()) });
    for _ in 0..2 {
        assert!(worker.mailbox.submit(generate(greedy(8))));
        worker.until_idle();
    }
    worker.mailbox.0.forget(&BTreeSet::from([job()]));
    assert_eq!((worker.value(GIVEN_UP), worker.outcomes("generate")), (1.0, 1.0));
    assert_eq!(worker.value(FAILED), 2.0);
}

#[test]
fn work_with_a_result_has_one_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let worker = Measured::start(config(dir.path()));
    for _ in 0..2 {
        assert_eq!(worker.result(&prepare(greedy(8))), EngineResult::Ready { job: job() });
    }
    let commitment = worker.commitment(8);
    assert_eq!(worker.commitment(8), commitment);
    for _ in 0..2 {
        worker.result(&verify(commitment, greedy(8)));
    }
    worker.mailbox.0.forget(&BTreeSet::from([job()]));
    worker.until_idle();
    for (kind, outcome) in [("prepare", "ready"), ("generate", "length"), ("verify", "accept")] {
        let series = format!("assay_work_total{{kind=\"{kind}\",outcome=\"{outcome}\"}}");
        assert_eq!((worker.value(&series), worker.outcomes(kind)), (1.0, 1.0), "{kind}");
        assert_eq!(worker.value(&format!("assay_work_seconds_count{{kind=\"{kind}\"}}")), 1.0);
        let failed = format!("assay_work_attempts_failed_total{{kind=\"{kind}\"}}");
        assert_eq!(worker.value(&failed), 0.0, "{kind}");
    }
}

#[test]
fn running_work_of_a_job_that_is_over_is_given_up_once() {
    let dir = tempfile::tempdir().unwrap();
    let worker = Measured::start(config(dir.path()));
    assert!(worker.mailbox.submit(generate(greedy(2_000))));
    let begun = Instant::now();
    while worker.mailbox.0.stream(&job()).is_none_or(|stream| stream.is_empty()) {
        assert!(begun.elapsed() < PATIENCE, "no token");
        std::thread::yield_now();
    }
    worker.mailbox.0.forget(&BTreeSet::from([job()]));
    worker.until_idle();
    assert_eq!((worker.value(GIVEN_UP), worker.outcomes("generate")), (1.0, 1.0));
    assert_eq!(worker.value(FAILED), 0.0, "it was stopped and has not failed");
}

#[test]
fn waiting_times_tokens_and_speed_are_measured() {
    let dir = tempfile::tempdir().unwrap();
    let worker = Measured::start(config(dir.path()));
    let commitment = worker.commitment(8);
    worker.result(&verify(commitment, greedy(8)));
    worker.until_idle();
    for kind in ["generate", "verify"] {
        let count = format!("assay_queue_wait_seconds_count{{kind=\"{kind}\"}}");
        assert_eq!(worker.value(&count), 1.0, "{kind}");
    }
    assert_eq!(worker.value("assay_tokens_generated_total"), 8.0);
    assert_eq!(worker.value("assay_tokens_verified_total"), 8.0);
    assert_eq!(worker.value("assay_generation_tokens_per_second_count"), 1.0);
    assert!(worker.value("assay_generation_tokens_per_second_sum") > 0.0);
}

#[test]
fn engine_and_models_are_exported() {
    let dir = tempfile::tempdir().unwrap();
    let worker = Measured::start(config(dir.path()));
    worker.commitment(8);
    let id = format!("{:?}", greedy(1).model);
    let value = |name: &str| worker.value(&format!("{name}{{model=\"{id}\"}}"));
    assert_eq!(value("assay_engine_jobs_ended_total"), 1.0);
    assert_eq!(value("assay_engine_jobs_running"), 0.0);
    assert!(value("assay_engine_passes_total") >= 8.0);
    assert!(value("assay_engine_tokens_total") >= f64::from(greedy(8).input_tokens + 7));
    assert!(value("assay_engine_pages_cached") >= 1.0);
    assert!(value("assay_engine_pages_limit") > value("assay_engine_pages_used"));
    assert!(value("assay_engine_write_tokens_per_second") > 0.0);
    assert!(value("assay_engine_read_tokens_per_second") > 0.0);
    let model = Model::tiny().unwrap();
    let info = model.info();
    let (name, architecture, quantisation) = (&info.name, &info.architecture, &info.quantisation);
    let series = format!(
        "assay_model_info{{architecture=\"{architecture}\",model=\"{id}\",name=\"{name}\",quantisation=\"{quantisation}\"}}"
    );
    assert_eq!(worker.value(&series), 1.0);
}

/// Other nodes that answer with the same bytes, or not at all.
struct Answers(Option<&'static [u8]>);

impl PayloadSource for Answers {
    fn fetch(&self, _: &Wanted) -> Option<Vec<u8>> {
        self.0.map(<[u8]>::to_vec)
    }
}

#[test]
fn fetches_are_counted_by_their_end() {
    const TRANSCRIPT: &[u8] = b"a transcript";
    for (answer, outcome) in
        [(Some(TRANSCRIPT), "found"), (Some(b"forged".as_slice()), "wrong"), (None, "missing")]
    {
        let dir = tempfile::tempdir().unwrap();
        let block_time = Duration::from_millis(30);
        let worker = Measured::start(WorkerConfig { block_time, ..config(dir.path()) });
        worker.mailbox.0.set_source(Arc::new(Answers(answer)));
        let commitment = OutputCommitment {
            output_hash: H256(blake2_256(TRANSCRIPT)),
            digest_commitment: H256::zero(),
            tokens: 1,
            finish: assay_primitives::FinishReason::Length,
        };
        let work = Work::Verify { job: job(), task: greedy(1), commitment, round: 0, left: 3 };
        let EngineResult::Verified { verdict, .. } = worker.result(&work) else { panic!() };
        let abstained = Verdict::Abstain(AbstainReason::PayloadUnavailable);
        assert_eq!(verdict == abstained, outcome != "found", "{outcome}: {verdict:?}");
        let count =
            |outcome| worker.value(&format!("assay_fetches_total{{outcome=\"{outcome}\"}}"));
        assert!(count(outcome) >= 1.0, "{outcome}");
        let all = ["found", "missing", "wrong"].map(count).iter().sum::<f64>();
        assert_eq!(all, count(outcome), "{outcome}");
        assert_eq!(worker.value("assay_fetch_seconds_count"), all);
        let bytes = if outcome == "found" { TRANSCRIPT.len() as f64 } else { 0.0 };
        assert_eq!(worker.value("assay_fetched_bytes_total"), bytes, "{outcome}");
    }
}
