// SPDX-License-Identifier: Apache-2.0
//! All that one draw was made from, and what the chain recorded of it.

use super::{output::Epoch, snapshot::Snapshot, timeline::Wait};
use crate::chain::state::EventRecord;
use assay_primitives::{settlement::AuditOutcome, traits::Duty, BlockNumber, JobId};
use assay_runtime::{AccountId, Header, RuntimeEvent};
use frame_system::Phase;
use pallet_jobs::Event as Jobs;
use pallet_operators::Event as Operators;
use pallet_verification::{Event as Verification, PanelFailure, Span};
use sp_core::H256;

/// One draw of an audit.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The job.
    pub job: JobId,
    /// The wait that the draw ended.
    pub wait: Wait,
    /// The block of the draw.
    pub block: BlockNumber,
    /// The number of blocks of a span by the parameters of the block in which the wait began.
    pub draw_blocks: BlockNumber,
    /// The span that the draw reads: that of the wait, or that of the last blocks if it is late.
    pub span: Span,
    /// The blocks of that span.
    pub blocks: Vec<SpanBlock>,
    /// The part of the state before that block which the draw reads.
    pub before: Snapshot,
    /// The events of the block of the draw.
    pub events: Vec<EventRecord>,
    /// Whether the audit waits for another span after the block.
    pub waits_again: bool,
}

/// A block of a span.
#[derive(Clone, Debug)]
pub struct SpanBlock {
    /// The header.
    pub header: Header,
    /// The epoch in which the block was made.
    pub epoch: Epoch,
    /// The output that the chain had recorded of the block when the draw was made.
    pub recorded: Option<H256>,
}

/// The end of a wait for a draw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// The job is not audited.
    NotAudited,
    /// The committee's acceptance stands without a second look.
    Stands,
    /// These verifiers were drawn.
    Drawn(Vec<AccountId>),
    /// Fewer verifiers could be drawn than a panel needs.
    TooFew,
    /// No output of the span was known, so the audit waits for another span.
    Postponed,
    /// The chain has recorded nothing.
    Nothing,
}

impl Evidence {
    /// Returns what the chain recorded of the draw, in the events with which its block begins.
    pub fn recorded(&self) -> Act {
        let mut act = if self.waits_again { Act::Postponed } else { Act::Nothing };
        for event in self.beginning() {
            let RuntimeEvent::Verification(event) = event else { continue };
            match event {
                Verification::AuditDrawn { job, committee, .. } if *job == self.job => {
                    return Act::Drawn(committee.clone());
                }
                Verification::PanelFailed { job, failure, .. }
                    if *job == self.job && *failure == PanelFailure::TooFewVerifiers =>
                {
                    return Act::TooFew;
                }
                // The vacant seats could not be filled, and enough others have committed.
                Verification::RevealsOpened { job, .. } if *job == self.job => {
                    return Act::Drawn(Vec::new());
                }
                Verification::AuditConcluded { job, outcome, .. } if *job == self.job => {
                    act = match outcome {
                        AuditOutcome::NotAudited => Act::NotAudited,
                        AuditOutcome::Accepted => Act::Stands,
                        _ => Act::Nothing,
                    };
                }
                _ => {}
            }
        }
        act
    }

    /// Returns whether the block changed what one of these operators can stand for before it made the
    /// draw. The state between is not kept. Stakes in the trees change with an offence alone.
    pub fn changed_before(&self, operators: &[&AccountId]) -> bool {
        self.before_draw().any(|event| match event {
            RuntimeEvent::Operators(
                Operators::Reserved { operator, .. }
                | Operators::Released { operator, .. }
                | Operators::Shrunk { operator, .. }
                | Operators::Seized { operator, .. }
                | Operators::Rewarded { operator, .. },
            ) => operators.contains(&operator),
            RuntimeEvent::Operators(_) => true,
            _ => false,
        })
    }

    /// Returns whether the block settled a job of the operator before it made the draw, which changes
    /// the rate at which the operator's jobs are audited.
    pub fn settled_before(&self, operator: &AccountId) -> bool {
        self.before_draw().any(|event| match event {
            RuntimeEvent::Jobs(Jobs::JobSettled { settlement, .. }) => {
                settlement.operator.as_ref() == Some(operator)
            }
            _ => false,
        })
    }

    /// Returns the events with which the block begins, up to those of the draw.
    fn before_draw(&self) -> impl Iterator<Item = &RuntimeEvent> {
        let own = Duty::Verify(self.job);
        let is_own = move |event: &&RuntimeEvent| match event {
            RuntimeEvent::Operators(Operators::Reserved { duty, .. }) => *duty == own,
            RuntimeEvent::Verification(
                Verification::AuditDrawn { job, .. }
                | Verification::PanelFailed { job, .. }
                | Verification::RevealsOpened { job, .. }
                | Verification::AuditConcluded { job, .. },
            ) => *job == self.job,
            // The waiver is told before the end of the audit.
            RuntimeEvent::Jobs(Jobs::AuditWaived { job } | Jobs::JobSettled { job, .. }) => {
                *job == self.job
            }
            _ => false,
        };
        self.beginning().take_while(move |event| !is_own(event))
    }

    /// Returns the events from before the extrinsics of the block.
    fn beginning(&self) -> impl Iterator<Item = &RuntimeEvent> {
        let events = self.events.iter().filter(|record| record.phase == Phase::Initialization);
        events.map(|record| &record.event)
    }
}
