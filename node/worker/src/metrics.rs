// SPDX-License-Identifier: Apache-2.0
//! The metrics that the worker exports to Prometheus.

use crate::work::key::Kind;
use substrate_prometheus_endpoint::{
    register, Counter, CounterVec, Gauge, HistogramOpts, HistogramVec, Opts, PrometheusError,
    Registry, U64,
};

/// The worker's metrics.
#[derive(Clone)]
pub struct Metrics {
    ended: CounterVec<U64>,
    seconds: HistogramVec,
    tokens: Counter<U64>,
    waiting: Gauge<U64>,
    results: Gauge<U64>,
    panics: CounterVec<U64>,
    poisoned: CounterVec<U64>,
    restarts: Counter<U64>,
}

impl Metrics {
    /// Registers the metrics.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        Ok(Self {
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
            tokens: register(
                Counter::new("assay_tokens_generated_total", "Tokens generated")?,
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
        })
    }

    /// Counts a piece of work that ended after so many seconds.
    pub fn ended(&self, kind: Kind, outcome: &str, seconds: f64) {
        self.ended.with_label_values(&[kind.label(), outcome]).inc();
        self.seconds.with_label_values(&[kind.label()]).observe(seconds);
    }

    /// Counts tokens that were generated.
    pub fn generated(&self, tokens: usize) {
        self.tokens.inc_by(tokens as u64);
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
