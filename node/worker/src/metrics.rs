// SPDX-License-Identifier: Apache-2.0
//! The metrics that the worker exports to Prometheus: those of work here, others by concept.

pub mod engine;
pub mod fetch;
pub mod model;
pub mod oldest;
pub mod outcomes;

use crate::work::key::Kind;
use fetch::FetchMetrics;
use std::time::Duration;
use substrate_prometheus_endpoint::{
    register, Counter, CounterVec, Gauge, Histogram, HistogramOpts, HistogramVec, Opts,
    PrometheusError, Registry, U64,
};

/// The worker's metrics.
#[derive(Clone)]
pub struct Metrics {
    /// The metrics of fetches.
    pub fetch: FetchMetrics,
    ended: CounterVec<U64>,
    seconds: HistogramVec,
    failed_attempts: CounterVec<U64>,
    refusals: CounterVec<U64>,
    wait: HistogramVec,
    tokens: Counter<U64>,
    speed: Histogram,
    verified: Counter<U64>,
    waiting: Gauge<U64>,
    results: Gauge<U64>,
    panics: CounterVec<U64>,
    poisoned: CounterVec<U64>,
    restarts: Counter<U64>,
}

impl Metrics {
    /// Registers the metrics.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let metrics = Self {
            fetch: FetchMetrics::register(registry)?,
            ended: register(
                CounterVec::new(
                    Opts::new(
                        "assay_work_total",
                        "Pieces of work that ended, each counted once, by kind and outcome",
                    ),
                    &["kind", "outcome"],
                )?,
                registry,
            )?,
            seconds: register(
                HistogramVec::new(
                    HistogramOpts::new(
                        "assay_work_seconds",
                        "Seconds that a piece of work ran, by kind",
                    )
                    .buckets(vec![0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0]),
                    &["kind"],
                )?,
                registry,
            )?,
            failed_attempts: register(
                CounterVec::new(
                    Opts::new(
                        "assay_work_attempts_failed_total",
                        "Attempts at work that came to nothing; the chain asks again, by kind",
                    ),
                    &["kind"],
                )?,
                registry,
            )?,
            refusals: register(
                CounterVec::new(
                    Opts::new(
                        "assay_queue_refusals_total",
                        "Requests for work that the full queue did not take, by kind",
                    ),
                    &["kind"],
                )?,
                registry,
            )?,
            wait: register(
                HistogramVec::new(
                    HistogramOpts::new(
                        "assay_queue_wait_seconds",
                        "Seconds from the chain's request for work to the begin of its run, with the \
                         time in which its payloads are fetched, by kind",
                    )
                    .buckets(vec![0.01, 0.1, 0.5, 1.0, 3.0, 9.0, 30.0, 90.0, 300.0]),
                    &["kind"],
                )?,
                registry,
            )?,
            tokens: register(
                Counter::new("assay_tokens_generated_total", "Tokens generated")?,
                registry,
            )?,
            speed: register(
                Histogram::with_opts(
                    HistogramOpts::new(
                        "assay_generation_tokens_per_second",
                        "Tokens of an output divided by the seconds of its generation",
                    )
                    .buckets(vec![0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3]),
                )?,
                registry,
            )?,
            verified: register(
                Counter::new("assay_tokens_verified_total", "Tokens of outputs that were verified")?,
                registry,
            )?,
            waiting: register(
                Gauge::new("assay_queue_waiting", "Pieces of work that wait")?,
                registry,
            )?,
            results: register(
                Gauge::new("assay_results_kept", "Results of jobs that are not yet over")?,
                registry,
            )?,
            panics: register(
                CounterVec::new(
                    Opts::new("assay_work_panics_total", "Pieces of work that panicked, by kind"),
                    &["kind"],
                )?,
                registry,
            )?,
            poisoned: register(
                CounterVec::new(
                    Opts::new(
                        "assay_work_poisoned_total",
                        "Pieces of work that are not tried again after a panic or deaths, by kind",
                    ),
                    &["kind"],
                )?,
                registry,
            )?,
            restarts: register(
                Counter::new(
                    "assay_engine_restarts_total",
                    "Servers of the engine that died and were started again",
                )?,
                registry,
            )?,
        };
        metrics.begin_at_zero();
        Ok(metrics)
    }

    /// Makes all series, so that the first event of each is a rise from zero.
    fn begin_at_zero(&self) {
        for kind in Kind::ALL {
            for outcome in outcomes::all(kind) {
                self.ended.with_label_values(&[kind.label(), outcome]);
            }
            self.seconds.with_label_values(&[kind.label()]);
            self.failed_attempts.with_label_values(&[kind.label()]);
            self.refusals.with_label_values(&[kind.label()]);
            self.panics.with_label_values(&[kind.label()]);
            self.poisoned.with_label_values(&[kind.label()]);
        }
        for kind in [Kind::Generate, Kind::Verify] {
            self.wait.with_label_values(&[kind.label()]);
        }
    }

    /// Counts a piece of work that ended after so many seconds.
    pub fn ended(&self, kind: Kind, outcome: &str, seconds: f64) {
        self.ended.with_label_values(&[kind.label(), outcome]).inc();
        self.seconds.with_label_values(&[kind.label()]).observe(seconds);
    }

    /// Counts a piece of work whose job is over before it has a result.
    pub fn given_up(&self, kind: Kind) {
        self.ended.with_label_values(&[kind.label(), outcomes::GIVEN_UP]).inc();
    }

    /// Counts an attempt at a piece of work that came to nothing.
    pub fn attempt_failed(&self, kind: Kind) {
        self.failed_attempts.with_label_values(&[kind.label()]).inc();
    }

    /// Counts a request for work that the queue did not take.
    pub fn refused(&self, kind: Kind) {
        self.refusals.with_label_values(&[kind.label()]).inc();
    }

    /// Counts a piece of work that begins to run so long after the chain asked for it.
    pub fn started(&self, kind: Kind, waited: Duration) {
        self.wait.with_label_values(&[kind.label()]).observe(waited.as_secs_f64());
    }

    /// Counts the tokens of an output that was generated in so long a time.
    pub fn generated(&self, tokens: usize, time: Duration) {
        self.tokens.inc_by(tokens as u64);
        self.speed.observe(tokens as f64 / time.as_secs_f64().max(f64::MIN_POSITIVE));
    }

    /// Counts the tokens of an output that was verified.
    pub fn verified(&self, tokens: u32) {
        self.verified.inc_by(tokens.into());
    }

    /// Counts a piece of work that panicked.
    pub fn panicked(&self, kind: Kind) {
        self.panics.with_label_values(&[kind.label()]).inc();
    }

    /// Counts a piece of work that is not tried again.
    pub fn poisoned(&self, kind: Kind) {
        self.poisoned.with_label_values(&[kind.label()]).inc();
    }

    /// Counts a server of the engine that was started again.
    pub fn restarted(&self) {
        self.restarts.inc();
    }

    /// Sets the number of pieces of work that wait, and of results that are kept.
    pub fn depth(&self, waiting: usize, results: usize) {
        self.waiting.set(waiting as u64);
        self.results.set(results as u64);
    }
}
