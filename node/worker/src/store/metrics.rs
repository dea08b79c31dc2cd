// SPDX-License-Identifier: Apache-2.0
//! The metrics of the store.

use super::Store;
use std::fs;
use substrate_prometheus_endpoint::{register, Counter, Gauge, PrometheusError, Registry, U64};

/// The store's metrics.
pub struct StoreMetrics {
    healthy: Gauge<U64>,
    errors: Counter<U64>,
    bytes: Gauge<U64>,
    free: Gauge<U64>,
    pending: Gauge<U64>,
}

impl StoreMetrics {
    /// Registers the metrics.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let gauge = |name: &str, help: &str| register(Gauge::new(name, help)?, registry);
        Ok(Self {
            healthy: gauge(
                "assay_store_healthy",
                "Whether the worker's store can be written and has space for new work: 1 or 0",
            )?,
            errors: register(
                Counter::new("assay_store_errors_total", "Errors of the worker's store")?,
                registry,
            )?,
            bytes: gauge("assay_store_bytes", "Size of the worker's store on disk")?,
            free: gauge("assay_store_free_bytes", "Free space on the disk of the worker's store")?,
            pending: gauge(
                "assay_store_pending",
                "Changes of the worker's store that are in memory and not yet on disk",
            )?,
        })
    }

    /// Sets all metrics to the state of the store.
    pub fn measure(&self, store: &Store) {
        let health = &store.health;
        self.healthy.set(health.complaint().is_none().into());
        self.errors.inc_by(health.errors().saturating_sub(self.errors.get()));
        if let Ok(file) = fs::metadata(health.path()) {
            self.bytes.set(file.len());
        }
        if let Some(free) = health.free() {
            self.free.set(free);
        }
        self.pending.set(store.pending() as u64);
    }
}
