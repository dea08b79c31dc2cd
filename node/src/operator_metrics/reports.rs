// SPDX-License-Identifier: Apache-2.0
//! Extrinsics with reports. The off-chain worker keeps the last one of each worker key in the node's
//! storage, with the number of times that it was sent again.

use super::state::LocalOperator;
use crate::client::FullBackend;
use codec::Decode;
use pallet_operators::{guard_key, Guard};
use sc_client_api::Backend;
use sp_core::offchain::{OffchainStorage, STORAGE_PREFIX};
use std::{collections::BTreeMap, sync::Arc};
use substrate_prometheus_endpoint::{register, CounterVec, Opts, PrometheusError, Registry, U64};

/// The metrics of extrinsics with reports.
pub struct Reports {
    backend: Arc<FullBackend>,
    sent: CounterVec<U64>,
    retried: CounterVec<U64>,
    /// The last extrinsic of each worker that was looked at.
    seen: BTreeMap<String, Option<Guard>>,
}

impl Reports {
    /// Registers the metrics.
    pub fn register(
        backend: Arc<FullBackend>,
        registry: &Registry,
    ) -> Result<Self, PrometheusError> {
        let count = |name: &str, help: &str| {
            register(CounterVec::new(Opts::new(name, help), &["worker"])?, registry)
        };
        Ok(Self {
            backend,
            sent: count(
                "assay_reports_sent_total",
                "Extrinsics with reports that the worker has sent, those sent again included",
            )?,
            retried: count(
                "assay_reports_retried_total",
                "Extrinsics with reports that were sent again because no block took them",
            )?,
            seen: BTreeMap::new(),
        })
    }

    /// Counts the extrinsics that a worker has sent since the last look. There is at most one for each
    /// block.
    pub fn look(&mut self, operator: &LocalOperator) {
        let Some(storage) = self.backend.offchain_storage() else { return };
        let bytes = storage.get(STORAGE_PREFIX, &guard_key(&operator.key));
        let now = bytes.and_then(|bytes| Guard::decode(&mut bytes.as_slice()).ok());
        let worker = operator.worker_label();
        let (sent, retried) = self.seen.get(&worker).map_or((0, 0), |before| since(*before, now));
        self.sent.with_label_values(&[&worker]).inc_by(sent);
        self.retried.with_label_values(&[&worker]).inc_by(retried);
        self.seen.insert(worker, now);
    }
}

/// Returns the number of extrinsics that were sent between two looks, and how many of them again.
fn since(before: Option<Guard>, now: Option<Guard>) -> (u64, u64) {
    match (before, now) {
        (_, None) => (0, 0),
        (Some(before), Some(now)) if before.nonce == now.nonce => {
            let more = now.retries.saturating_sub(before.retries).into();
            (more, more)
        }
        (_, Some(now)) => (1 + u64::from(now.retries), now.retries.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(nonce: u32, retries: u32) -> Option<Guard> {
        Some(Guard { nonce, sent_at: 1, retries })
    }

    #[test]
    fn extrinsics_are_counted_once() {
        assert_eq!(since(None, None), (0, 0));
        assert_eq!(since(None, guard(0, 0)), (1, 0));
        assert_eq!(since(guard(0, 0), guard(0, 0)), (0, 0));
        assert_eq!(since(guard(0, 0), guard(0, 1)), (1, 1));
        assert_eq!(since(guard(0, 1), guard(1, 0)), (1, 0));
        assert_eq!(since(guard(0, 1), guard(1, 2)), (3, 2));
    }
}
