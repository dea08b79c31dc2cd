// SPDX-License-Identifier: Apache-2.0
//! Metrics of the payloads that other nodes are asked for.

use std::time::Duration;
use substrate_prometheus_endpoint::{
    register, Counter, CounterVec, Histogram, HistogramOpts, Opts, PrometheusError, Registry, U64,
};

/// The end of a fetch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fetched {
    /// A payload of so many bytes has come.
    Found(usize),
    /// No node that was asked has the payload.
    Missing,
    /// Bytes with another hash have come.
    Wrong,
}

impl Fetched {
    const LABELS: [&'static str; 3] = ["found", "missing", "wrong"];

    fn label(self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::Missing => "missing",
            Self::Wrong => "wrong",
        }
    }
}

/// The metrics of fetches.
#[derive(Clone)]
pub struct FetchMetrics {
    ended: CounterVec<U64>,
    seconds: Histogram,
    bytes: Counter<U64>,
}

impl FetchMetrics {
    /// Registers the metrics.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let ended = register(
            CounterVec::new(
                Opts::new(
                    "assay_fetches_total",
                    "Payloads that other nodes were asked for, by outcome",
                ),
                &["outcome"],
            )?,
            registry,
        )?;
        for label in Fetched::LABELS {
            ended.with_label_values(&[label]);
        }
        let seconds = HistogramOpts::new(
            "assay_fetch_seconds",
            "Seconds from the question for a payload to its end, however it ended",
        )
        .buckets(vec![0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0]);
        Ok(Self {
            ended,
            seconds: register(Histogram::with_opts(seconds)?, registry)?,
            bytes: register(
                Counter::new("assay_fetched_bytes_total", "Bytes of payloads of other nodes")?,
                registry,
            )?,
        })
    }

    /// Counts a fetch that took so long.
    pub fn ended(&self, end: Fetched, time: Duration) {
        self.ended.with_label_values(&[end.label()]).inc();
        self.seconds.observe(time.as_secs_f64());
        if let Fetched::Found(bytes) = end {
            self.bytes.inc_by(bytes as u64);
        }
    }
}
