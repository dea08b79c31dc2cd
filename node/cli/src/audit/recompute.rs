// SPDX-License-Identifier: Apache-2.0
//! A draw, made again from its evidence.

use super::{
    evidence::{Act, Evidence},
    output::{self, NoOutput},
};
use assay_primitives::{
    draw::{self, Purpose},
    ticket,
    traits::{AuditSubject, AuditedJobs},
    BlockNumber,
};
use assay_runtime::{AccountId, Jobs, Runtime, Verification};
use frame_support::traits::Get;
use pallet_verification::{Audit, Audits, Config, Span, Stage};
use sp_core::H256;
use sp_runtime::Permill;

/// A draw made again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recomputed {
    /// The operator of the job.
    pub operator: AccountId,
    /// Whether the panel is the committee of an audit that the client asked for.
    pub on_request: bool,
    /// The panel.
    pub stage: Stage,
    /// The output of each block of the span.
    pub outputs: Vec<Result<Option<H256>, NoOutput>>,
    /// The lots that decide whether the panel is drawn at all; `None` if nothing has to be decided.
    pub lots: Option<Lots>,
    /// The seed with which verifiers are drawn; `None` if none are.
    pub seed: Option<H256>,
    /// The end of the wait.
    pub act: Act,
}

/// The tickets of a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lots {
    /// The decision.
    pub purpose: Purpose,
    /// The rate over all blocks of the span.
    pub rate: Permill,
    /// The number of winning tickets of each block.
    pub threshold: u32,
    /// The blocks in which the job's ticket wins.
    pub winners: Vec<BlockNumber>,
}

/// Makes the draw again; `None` if the state before it has no audit that waits for a draw.
pub fn recompute(evidence: &Evidence) -> Option<Recomputed> {
    evidence.before.run(|| {
        let audit = Audits::<Runtime>::get(evidence.job)?;
        let audit = Audit { span: evidence.span, ..audit };
        let subject = Jobs::subject(&evidence.job)?;
        let blocks = evidence.blocks.iter();
        let outputs: Vec<_> = blocks.map(|block| output::of(&block.header, &block.epoch)).collect();
        let known: Vec<Option<H256>> = outputs.iter().map(|output| output.ok().flatten()).collect();
        let base = Recomputed {
            operator: subject.operator.clone(),
            on_request: subject.spec.audit && audit.draws == 0,
            stage: audit.stage,
            outputs,
            lots: None,
            seed: None,
            act: Act::Postponed,
        };
        let Some(randomness) = randomness(audit.span, evidence.block, &known) else {
            return Some(base);
        };
        let lots = lots(evidence, &audit, &subject, &known);
        if let Some(Lots { purpose, .. }) = lots.as_ref().filter(|lots| lots.winners.is_empty()) {
            let second = *purpose == Purpose::SecondLook;
            let act = if second { Act::Stands } else { Act::NotAudited };
            return Some(Recomputed { lots, act, ..base });
        }
        let seed = draw::seed(&randomness, &evidence.job, Purpose::Committee(audit.draws));
        let act = panel(&audit, &subject, seed);
        Some(Recomputed { lots, seed: Some(seed), act, ..base })
    })
}

/// Returns the randomness of the span; `None` if the chain does not have it in that block.
fn randomness(span: Span, now: BlockNumber, outputs: &[Option<H256>]) -> Option<H256> {
    let depth = <Runtime as pallet_beacon::Config>::Depth::get();
    let first = span.first;
    (first >= now.saturating_sub(depth)).then(|| draw::of_span(first, outputs)).flatten()
}

/// Returns the span that a draw in block `now` reads after a wait for `span`, whose blocks have these
/// outputs: the last blocks instead if the draw is late and the chain does not have the outputs any more,
/// or there are none.
pub fn read(span: Span, now: BlockNumber, outputs: &[Option<H256>]) -> Span {
    if now > span.known() && randomness(span, now, outputs).is_none() {
        Span::before(now, span.count)
    } else {
        span
    }
}

/// Returns the tickets that decide whether the panel is drawn at all.
fn lots(
    evidence: &Evidence,
    audit: &Audit<AccountId>,
    subject: &AuditSubject<AccountId>,
    outputs: &[Option<H256>],
) -> Option<Lots> {
    let may_be_waived = audit.stage == Stage::Committee && !subject.spec.audit;
    let (purpose, rate) = if audit.draws == 0 && may_be_waived {
        (Purpose::Audit, Verification::audit_rate(&subject.operator))
    } else if audit.round == 0 && audit.stage == Stage::SecondLook {
        (Purpose::SecondLook, <Runtime as Config>::SecondLooks::get())
    } else {
        return None;
    };
    let threshold = ticket::threshold(rate, audit.span.count);
    let wins = |output: &Option<H256>| {
        ticket::wins(&output.unwrap_or_default(), &evidence.job, purpose, threshold)
    };
    let winners = audit.span.blocks().zip(outputs);
    let winners = winners.filter(|(_, output)| wins(output)).map(|(block, _)| block).collect();
    Some(Lots { purpose, rate, threshold, winners })
}

/// Returns the verifiers that fill the vacant seats of the panel.
fn panel(audit: &Audit<AccountId>, subject: &AuditSubject<AccountId>, seed: H256) -> Act {
    let seated = u32::try_from(audit.seats.len()).unwrap_or(u32::MAX);
    let size = if audit.round == 0 { Verification::most_seats(audit.stage) } else { audit.size };
    let mut drawn = Verification::select(audit, subject, seed, size.saturating_sub(seated));
    let seats = audit.seats.len() + drawn.len();
    let even = audit.stage.is_jury() && seats.is_multiple_of(2);
    // Votes of a jury are never tied where all vote.
    if even {
        drawn.pop();
    }
    let seats = u32::try_from(seats - usize::from(even && seats > 0)).unwrap_or(u32::MAX);
    if seats < Verification::fewest_seats(audit.stage) {
        return Act::TooFew;
    }
    Act::Drawn(drawn)
}
