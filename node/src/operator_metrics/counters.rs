// SPDX-License-Identifier: Apache-2.0
//! The metrics that count what happens to operators, in finalised blocks.

use super::gauges::asy;
use assay_primitives::traits::Duty;
use assay_runtime::{AccountId, Balance, RuntimeEvent};
use pallet_verification::Offence;
use sp_core::crypto::Ss58Codec;
use substrate_prometheus_endpoint::{
    register, CounterVec, Opts, PrometheusError, Registry, F64, U64,
};

/// The steps of a job that an operator takes part in, and its outcomes.
const JOBS: [&str; 12] = [
    "assigned",
    "accepted",
    "declined",
    "missed",
    "late",
    "delivered",
    "paid",
    "refunded",
    "slashed",
    "expired",
    "cancelled",
    "unverified",
];
/// The steps of a verifier in an audit.
const SEATS: [&str; 7] =
    ["drawn", "vacated", "committed", "revealed", "silent", "withheld", "contradicted"];
/// The duties that bonds are reserved for.
const DUTIES: [&str; 3] = ["run", "verify", "challenge"];
/// The ends of heartbeats.
const HEARTBEATS: [&str; 2] = ["received", "missed"];

/// The counters.
pub struct Counters {
    jobs: CounterVec<U64>,
    seats: CounterVec<U64>,
    heartbeats: CounterVec<U64>,
    refused: CounterVec<U64>,
    earned: CounterVec<F64>,
    delegators_earned: CounterVec<F64>,
    seized: CounterVec<F64>,
    slashed: CounterVec<F64>,
}

impl Counters {
    /// Registers the counters.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let count = |name: &str, help: &str, labels: &[&str]| {
            register(CounterVec::<U64>::new(Opts::new(name, help), labels)?, registry)
        };
        let amount = |name: &str, help: &str, labels: &[&str]| {
            register(CounterVec::<F64>::new(Opts::new(name, help), labels)?, registry)
        };
        Ok(Self {
            jobs: count(
                "assay_operator_jobs_total",
                "Steps and outcomes of the operator's jobs",
                &["operator", "event"],
            )?,
            seats: count(
                "assay_operator_seats_total",
                "Steps of the operator as a verifier, and its faults",
                &["operator", "event"],
            )?,
            heartbeats: count(
                "assay_operator_heartbeats_total",
                "Heartbeats that the chain has received from the operator, or missed",
                &["operator", "event"],
            )?,
            refused: count(
                "assay_operator_reports_refused_total",
                "Reports that the chain has refused, for example because they were late",
                &["operator"],
            )?,
            earned: amount(
                "assay_operator_earned_asy_total",
                "ASY paid to the operator's payout account",
                &["operator"],
            )?,
            delegators_earned: amount(
                "assay_operator_delegators_earned_asy_total",
                "ASY added to what is delegated to the operator",
                &["operator"],
            )?,
            seized: amount(
                "assay_operator_seized_asy_total",
                "ASY taken out of the operator's bonds: fines, slashes, down payments returned",
                &["operator", "duty"],
            )?,
            slashed: amount(
                "assay_operator_slashed_asy_total",
                "ASY slashed for offences against consensus",
                &["operator"],
            )?,
        })
    }

    /// Makes the series of an operator, so that the first event of each is a rise from zero.
    pub fn begin(&self, stash: &AccountId) {
        let operator = stash.to_ss58check();
        for (counter, events) in [
            (&self.jobs, JOBS.as_slice()),
            (&self.seats, SEATS.as_slice()),
            (&self.heartbeats, HEARTBEATS.as_slice()),
        ] {
            for event in events {
                counter.with_label_values(&[&operator, event]);
            }
        }
        for duty in DUTIES {
            self.seized.with_label_values(&[&operator, duty]);
        }
        self.refused.with_label_values(&[&operator]);
        for counter in [&self.earned, &self.delegators_earned, &self.slashed] {
            counter.with_label_values(&[&operator]);
        }
    }

    /// Counts a heartbeat that did not come in its time.
    pub fn missed_heartbeat(&self, stash: &AccountId) {
        self.heartbeats.with_label_values(&[&stash.to_ss58check(), "missed"]).inc();
    }

    /// Counts an event, if it concerns one of the operators.
    pub fn count(&self, event: &RuntimeEvent, operators: &[AccountId]) {
        match event {
            RuntimeEvent::Jobs(event) => self.count_job(event, operators),
            RuntimeEvent::Verification(event) => self.count_seat(event, operators),
            RuntimeEvent::Operators(event) => self.count_money(event, operators),
            RuntimeEvent::Routing(pallet_routing::Event::HeartbeatReceived { operator }) => {
                inc(&self.heartbeats, operator, operators, "received");
            }
            _ => {}
        }
    }

    fn count_job(&self, event: &JobsEvent, operators: &[AccountId]) {
        use pallet_jobs::Event;
        let (operator, step) = match event {
            Event::JobAssigned { operator, .. } => (operator, "assigned"),
            Event::JobAccepted { operator, .. } => (operator, "accepted"),
            Event::JobDeclined { operator, .. } => (operator, "declined"),
            Event::AssignmentMissed { operator, .. } => (operator, "missed"),
            Event::OperatorLate { operator, .. } => (operator, "late"),
            Event::OutputCommitted { operator, .. } => (operator, "delivered"),
            Event::JobSettled { settlement, .. } => {
                let Some(operator) = &settlement.operator else { return };
                (operator, settlement.outcome.label())
            }
            _ => return,
        };
        inc(&self.jobs, operator, operators, step);
    }

    fn count_seat(&self, event: &VerificationEvent, operators: &[AccountId]) {
        use pallet_verification::Event;
        match event {
            Event::AuditDrawn { committee, .. } => {
                for verifier in committee {
                    inc(&self.seats, verifier, operators, "drawn");
                }
            }
            Event::VerdictCommitted { verifier, .. } => {
                inc(&self.seats, verifier, operators, "committed");
            }
            Event::SeatVacated { verifier, .. } => {
                inc(&self.seats, verifier, operators, "vacated");
            }
            Event::VerdictRevealed { verifier, .. } => {
                inc(&self.seats, verifier, operators, "revealed");
            }
            Event::VerifierSlashed { verifier, offence, .. } => {
                let fault = match offence {
                    Offence::Silent => "silent",
                    Offence::Contradicted => "contradicted",
                    Offence::Withheld => "withheld",
                };
                inc(&self.seats, verifier, operators, fault);
            }
            _ => {}
        }
    }

    fn count_money(&self, event: &OperatorsEvent, operators: &[AccountId]) {
        use pallet_operators::Event;
        match event {
            Event::ReportRefused { operator, job, error } if operators.contains(operator) => {
                log::warn!("the chain refused a report of {operator} on job {job:?}: {error:?}");
                self.refused.with_label_values(&[&operator.to_ss58check()]).inc();
            }
            Event::Rewarded { operator, amount, delegated } => {
                add(&self.earned, operator, operators, &[], *amount);
                add(&self.delegators_earned, operator, operators, &[], *delegated);
            }
            Event::Seized { operator, duty, amount } => {
                let duty = match duty {
                    Duty::Run(_) => "run",
                    Duty::Verify(_) => "verify",
                    Duty::Challenge(_) => "challenge",
                };
                add(&self.seized, operator, operators, &[duty], *amount);
            }
            Event::Slashed { operator, amount, .. } => {
                add(&self.slashed, operator, operators, &[], *amount);
            }
            _ => {}
        }
    }
}

type JobsEvent = pallet_jobs::Event<assay_runtime::Runtime>;
type VerificationEvent = pallet_verification::Event<assay_runtime::Runtime>;
type OperatorsEvent = pallet_operators::Event<assay_runtime::Runtime>;

/// Counts an event of an operator, if it is one of these.
fn inc(counter: &CounterVec<U64>, operator: &AccountId, operators: &[AccountId], event: &str) {
    if operators.contains(operator) {
        counter.with_label_values(&[&operator.to_ss58check(), event]).inc();
    }
}

/// Counts an amount of an operator, if it is one of these.
fn add(
    counter: &CounterVec<F64>,
    operator: &AccountId,
    operators: &[AccountId],
    labels: &[&str],
    amount: Balance,
) {
    if operators.contains(operator) {
        let operator = operator.to_ss58check();
        let labels: Vec<&str> =
            [operator.as_str()].into_iter().chain(labels.iter().copied()).collect();
        counter.with_label_values(&labels).inc_by(asy(amount));
    }
}
