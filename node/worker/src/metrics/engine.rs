// SPDX-License-Identifier: Apache-2.0
//! Metrics of the models' servers, read from the engine whenever Prometheus asks.

use assay_engine::serve::{Metrics, Speed};
use assay_primitives::ModelId;
use std::sync::Arc;
use substrate_prometheus_endpoint::{
    register, MetricSource, Opts, PrometheusError, Registry, SourcedCounter, SourcedGauge,
};

/// The state of a model's server.
#[derive(Clone, Debug)]
pub struct ServerSample {
    /// The model.
    pub model: ModelId,
    /// The counts of the server.
    pub metrics: Metrics,
    /// The measured speed.
    pub speed: Speed,
}

type Samples = Arc<dyn Fn() -> Vec<ServerSample> + Send + Sync>;

/// One value of each server.
#[derive(Clone)]
struct Value {
    samples: Samples,
    of: fn(&ServerSample) -> f64,
}

impl MetricSource for Value {
    type N = f64;

    fn collect(&self, mut set: impl FnMut(&[&str], f64)) {
        for sample in (self.samples)() {
            set(&[&format!("{:?}", sample.model)], (self.of)(&sample));
        }
    }
}

/// Name, help and value of a metric.
type Exported = (&'static str, &'static str, fn(&ServerSample) -> f64);

const GAUGES: [Exported; 8] = [
    ("assay_engine_jobs_waiting", "Jobs that wait for a place in the batch", |sample| {
        sample.metrics.waiting as f64
    }),
    ("assay_engine_jobs_running", "Jobs in the batch", |sample| sample.metrics.running as f64),
    (
        "assay_engine_pages_used",
        "Pages of the key-value cache in use, with those that ended jobs have left for others",
        |sample| sample.metrics.pages_used as f64,
    ),
    (
        "assay_engine_pages_cached",
        "Pages of the key-value cache in the cache of prefixes",
        |sample| sample.metrics.pages_cached as f64,
    ),
    ("assay_engine_pages_limit", "Pages of the key-value cache, of 16 tokens each", |sample| {
        sample.metrics.pages_limit as f64
    }),
    ("assay_engine_pass_tokens", "Tokens in the last pass", |sample| {
        sample.metrics.last_rows as f64
    }),
    (
        "assay_engine_write_tokens_per_second",
        "Tokens per second that a job alone is written at, as last measured",
        |sample| per_second(sample.speed.pass),
    ),
    (
        "assay_engine_read_tokens_per_second",
        "Tokens per second that a job alone is read at, as last measured",
        |sample| per_second(sample.speed.row),
    ),
];

const COUNTERS: [Exported; 4] = [
    ("assay_engine_passes_total", "Passes over the weights", |sample| sample.metrics.steps as f64),
    ("assay_engine_tokens_total", "Tokens that have gone through the model", |sample| {
        sample.metrics.rows as f64
    }),
    (
        "assay_engine_tokens_reused_total",
        "Tokens that were taken from the cache of prefixes instead",
        |sample| sample.metrics.reused as f64,
    ),
    ("assay_engine_jobs_ended_total", "Jobs that have left the batch, for any reason", |sample| {
        sample.metrics.ended as f64
    }),
];

/// Returns the rate of something that takes so many seconds.
fn per_second(seconds: f64) -> f64 {
    if seconds > 0.0 {
        seconds.recip()
    } else {
        0.0
    }
}

/// Registers the metrics of the servers that `samples` returns.
pub fn register_servers(
    registry: &Registry,
    samples: impl Fn() -> Vec<ServerSample> + Send + Sync + 'static,
) -> Result<(), PrometheusError> {
    let samples: Samples = Arc::new(samples);
    let source = |of| Value { samples: samples.clone(), of };
    let opts = |name, help| Opts::new(name, help).variable_label("model");
    for (name, help, of) in GAUGES {
        register(SourcedGauge::new(&opts(name, help), source(of))?, registry)?;
    }
    for (name, help, of) in COUNTERS {
        register(SourcedCounter::new(&opts(name, help), source(of))?, registry)?;
    }
    Ok(())
}
