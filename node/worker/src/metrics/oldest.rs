// SPDX-License-Identifier: Apache-2.0
//! The metric that says for how long work has waited for its outcome.

use crate::work::key::Kind;
use std::{sync::Arc, time::Duration};
use substrate_prometheus_endpoint::{
    register, MetricSource, Opts, PrometheusError, Registry, SourcedGauge,
};

/// The age of the oldest work of each kind.
#[derive(Clone)]
struct Oldest(Arc<dyn Fn(Kind) -> Duration + Send + Sync>);

impl MetricSource for Oldest {
    type N = f64;

    fn collect(&self, mut set: impl FnMut(&[&str], f64)) {
        for kind in Kind::ALL {
            set(&[kind.label()], (self.0)(kind).as_secs_f64());
        }
    }
}

/// Registers the age of the oldest work of each kind, which is read whenever Prometheus asks.
pub fn register_oldest(
    registry: &Registry,
    oldest: impl Fn(Kind) -> Duration + Send + Sync + 'static,
) -> Result<(), PrometheusError> {
    let opts = Opts::new(
        "assay_work_oldest_seconds",
        "Seconds since the chain asked for the oldest work that has no outcome yet, by kind",
    );
    let oldest = Oldest(Arc::new(oldest));
    register(SourcedGauge::new(&opts.variable_label("kind"), oldest)?, registry)?;
    Ok(())
}
