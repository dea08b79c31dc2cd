// SPDX-License-Identifier: Apache-2.0
//! The metrics that show how operators stand at the best block.

use super::state::{LocalOperator, State};
use assay_primitives::api::OperatorView;
use assay_runtime::{AccountId, Balance, Runtime, UNIT};
use pallet_routing::MemberOf;
use sp_core::crypto::Ss58Codec;
use substrate_prometheus_endpoint::{register, GaugeVec, Opts, PrometheusError, Registry, F64};

/// The unit of fractions on the chain.
pub const BILLIONTHS: f64 = 1e9;

/// Returns an amount in ASY.
pub fn asy(amount: Balance) -> f64 {
    amount as f64 / UNIT as f64
}

/// The gauges.
pub struct Gauges {
    balance: GaugeVec<F64>,
    registered: GaugeVec<F64>,
    stake: GaugeVec<F64>,
    slashes: GaugeVec<F64>,
    running: GaugeVec<F64>,
    concurrency: GaugeVec<F64>,
    draining: GaugeVec<F64>,
    silent: GaugeVec<F64>,
    uptime: GaugeVec<F64>,
    misses: GaugeVec<F64>,
}

impl Gauges {
    /// Registers the gauges.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            register(GaugeVec::new(Opts::new(name, help), labels)?, registry)
        };
        let operator = ["operator"].as_slice();
        Ok(Self {
            balance: gauge(
                "assay_worker_balance_asy",
                "ASY with which the worker's account can pay the fees of reports",
                &["worker"],
            )?,
            registered: gauge(
                "assay_worker_registered",
                "Whether an operator has registered the worker key of the node's keystore",
                &["worker"],
            )?,
            stake: gauge(
                "assay_operator_stake_asy",
                "ASY behind the operator: bonded (own), reserved (of the own, by duties), delegated, \
                 unbonding (own)",
                &["operator", "part"],
            )?,
            slashes: gauge(
                "assay_operator_slashes_pending_asy",
                "ASY that recorded slashes take once they are applied",
                operator,
            )?,
            running: gauge("assay_operator_jobs_running", "Jobs that the operator runs", operator)?,
            concurrency: gauge(
                "assay_operator_concurrency",
                "Jobs that the operator takes at a time",
                operator,
            )?,
            draining: gauge(
                "assay_operator_draining",
                "Whether the operator takes no new duties because it is draining",
                operator,
            )?,
            silent: gauge(
                "assay_operator_silent",
                "Whether the operator is excluded from draws until its next heartbeat",
                operator,
            )?,
            uptime: gauge(
                "assay_operator_uptime_ratio",
                "Share of assignments and heartbeats that were answered in time, over epochs",
                operator,
            )?,
            misses: gauge(
                "assay_operator_misses_in_a_row",
                "Assignments and heartbeats that the operator has missed since its last answer",
                operator,
            )?,
        })
    }

    /// Removes all series, because the operators are others than before.
    pub fn clear(&self) {
        for gauge in [
            &self.balance,
            &self.registered,
            &self.stake,
            &self.slashes,
            &self.running,
            &self.concurrency,
            &self.draining,
            &self.silent,
            &self.uptime,
            &self.misses,
        ] {
            gauge.reset();
        }
    }

    /// Shows a worker key.
    pub fn show_worker(&self, operator: &LocalOperator, state: &State) -> anyhow::Result<()> {
        let worker = operator.worker_label();
        let balance = asy(state.balance(&operator.worker)?);
        self.balance.with_label_values(&[&worker]).set(balance);
        self.registered.with_label_values(&[&worker]).set(number(operator.stash.is_some()));
        Ok(())
    }

    /// Shows an operator.
    pub fn show_operator(&self, view: &OperatorView<AccountId>, member: &MemberOf<Runtime>) {
        let operator = view.stash.to_ss58check();
        let unbonding: Balance = view.unbonding.iter().map(|(amount, _)| amount).sum();
        for (part, amount) in [
            ("bonded", view.bonded),
            ("reserved", view.reserved),
            ("delegated", view.delegated),
            ("unbonding", unbonding),
        ] {
            self.stake.with_label_values(&[&operator, part]).set(asy(amount));
        }
        let slashes: Balance = view.slashes.iter().map(|slash| slash.amount).sum();
        for (gauge, value) in [
            (&self.slashes, asy(slashes)),
            (&self.running, view.running.into()),
            (&self.concurrency, view.concurrency.into()),
            (&self.draining, number(view.draining)),
            (&self.silent, number(member.silent)),
            (&self.uptime, member.uptime as f64 / BILLIONTHS),
            (&self.misses, member.misses.into()),
        ] {
            gauge.with_label_values(&[&operator]).set(value);
        }
    }
}

/// Returns 1 or 0.
fn number(is: bool) -> f64 {
    if is {
        1.0
    } else {
        0.0
    }
}
