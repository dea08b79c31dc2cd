// SPDX-License-Identifier: Apache-2.0
//! Each recomputed value beside the one that the chain recorded.

use super::{
    evidence::{Act, Evidence},
    recompute::{Lots, Recomputed},
};
use assay_primitives::{draw::Purpose, settlement::AuditOutcome, BlockNumber, JobState};
use assay_runtime::AccountId;
use pallet_verification::{Span, Stage};

/// The subject of a finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// The blocks with whose outputs a draw is made.
    Span,
    /// The VRF output of a block.
    Output,
    /// Whether the job is audited.
    Audit,
    /// Whether an accepted output is looked at a second time.
    SecondLook,
    /// The seed of a draw of verifiers.
    Seed,
    /// The verifiers of a committee.
    Committee,
    /// The verifiers of a jury.
    Jury,
    /// The record of the job.
    Job,
}

impl Topic {
    /// Returns the name in tables and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Self::Span => "span",
            Self::Output => "output",
            Self::Audit => "audit",
            Self::SecondLook => "second look",
            Self::Seed => "seed",
            Self::Committee => "committee",
            Self::Jury => "jury",
            Self::Job => "job",
        }
    }
}

/// Whether the chain's record agrees with what was recomputed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Agreement {
    /// It does.
    Agrees,
    /// It does not.
    Differs,
    /// It does not, but the block changed bonds or records of operators before it made the draw, and
    /// the state between is not kept.
    Unclear,
    /// The chain records nothing of it. An agreement elsewhere follows from it.
    NotRecorded,
}

impl Agreement {
    fn of<T: PartialEq>(computed: &T, recorded: &T) -> Self {
        if computed == recorded {
            Self::Agrees
        } else {
            Self::Differs
        }
    }
}

/// A recomputed value beside the recorded one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The block that the value is of, or in which the draw was made.
    pub block: BlockNumber,
    /// The subject.
    pub topic: Topic,
    /// The recomputed value.
    pub computed: String,
    /// The recorded value.
    pub recorded: Option<String>,
    /// Whether they agree.
    pub agreement: Agreement,
}

/// Returns the findings about a draw.
pub fn of_draw(evidence: &Evidence, computed: Option<&Recomputed>) -> Vec<Finding> {
    let Some(computed) = computed else {
        return vec![Finding {
            block: evidence.block,
            topic: Topic::Job,
            computed: "an audit that waits for a draw".into(),
            recorded: Some("none".into()),
            agreement: Agreement::Differs,
        }];
    };
    let recorded = evidence.recorded();
    let mut findings = vec![of_span(evidence)];
    findings.extend(of_outputs(evidence, computed));
    let decision = computed.lots.as_ref().map(|lots| of_lots(evidence, computed, lots, &recorded));
    let undecided = decision.as_ref().is_some_and(|it| it.agreement == Agreement::Unclear);
    findings.extend(decision);
    findings.extend(computed.on_request.then(|| of_request(evidence, &recorded)));
    findings.extend(of_seed(evidence, computed));
    if computed.lots.is_none() || matches!(computed.act, Act::Drawn(_) | Act::TooFew) {
        let panel = of_panel(evidence, computed, &recorded);
        let agreement = if undecided { Agreement::Unclear } else { panel.agreement };
        findings.push(Finding { agreement, ..panel });
    }
    findings
}

/// Returns the finding about the record of a job whose draw for an audit is over.
pub fn of_record(
    block: BlockNumber,
    state: &JobState<AccountId>,
    first: &Recomputed,
) -> Option<Finding> {
    let audited = match &first.act {
        Act::NotAudited => false,
        Act::Drawn(_) | Act::TooFew => true,
        Act::Stands | Act::Postponed | Act::Nothing => return None,
    };
    let recorded = match state {
        JobState::Delivered { audit, challenger, .. } => *audit && challenger.is_none(),
        // Only an output that was not drawn can be challenged.
        JobState::Settled(settlement) => {
            settlement.audit != AuditOutcome::NotAudited && settlement.challenge.is_none()
        }
        _ => return None,
    };
    let words = |audited: bool| if audited { "audited" } else { "not audited" }.to_string();
    Some(Finding {
        block,
        topic: Topic::Job,
        computed: words(audited),
        recorded: Some(words(recorded)),
        agreement: Agreement::of(&audited, &recorded),
    })
}

/// Returns the finding that a delivery or an accepted audit lacks the draw that must follow; `None` if
/// it has it. `stages` are the panels for which draws were made, in their order.
pub fn of_missing(
    block: BlockNumber,
    state: &JobState<AccountId>,
    stages: &[Stage],
) -> Option<Finding> {
    let accepted = match state {
        JobState::Settled(settlement) => settlement.audit == AuditOutcome::Accepted,
        _ => false,
    };
    let challenged = match state {
        JobState::Delivered { challenger, .. } => challenger.is_some(),
        JobState::Settled(settlement) => settlement.challenge.is_some(),
        _ => false,
    };
    let topic = if stages.is_empty() {
        Topic::Audit
    } else if challenged && !stages.contains(&Stage::Challenge) {
        Topic::Jury
    } else if accepted && stages.iter().all(|stage| *stage == Stage::Committee) {
        Topic::SecondLook
    } else {
        return None;
    };
    Some(Finding {
        block,
        topic,
        computed: "a draw is due".into(),
        recorded: Some("nothing".into()),
        agreement: Agreement::Differs,
    })
}

fn of_span(evidence: &Evidence) -> Finding {
    let due = Span::after(evidence.wait.after, evidence.draw_blocks);
    let words =
        |span: &Span| format!("blocks {} to {}", span.first, span.known().saturating_sub(1));
    Finding {
        block: evidence.block,
        topic: Topic::Span,
        computed: words(&due),
        recorded: Some(words(&evidence.wait.span)),
        agreement: Agreement::of(&due, &evidence.wait.span),
    }
}

fn of_outputs<'a>(
    evidence: &'a Evidence,
    computed: &'a Recomputed,
) -> impl Iterator<Item = Finding> + 'a {
    evidence.blocks.iter().zip(&computed.outputs).map(move |(block, output)| {
        let number = block.header.number;
        let words = |output: &Option<_>| match output {
            Some(output) => format!("{output:?}"),
            None => "none".to_string(),
        };
        Finding {
            block: number,
            topic: Topic::Output,
            computed: output.map_or_else(|error| error.words().into(), |output| words(&output)),
            recorded: Some(words(&block.recorded)),
            agreement: Agreement::of(output, &Ok(block.recorded)),
        }
    })
}

fn of_lots(evidence: &Evidence, computed: &Recomputed, lots: &Lots, recorded: &Act) -> Finding {
    let due = !lots.winners.is_empty();
    let tickets = match lots.winners.as_slice() {
        [] => "no ticket wins".to_string(),
        [block] => format!("the ticket of block {block} wins"),
        blocks => {
            let blocks: Vec<String> = blocks.iter().map(ToString::to_string).collect();
            format!("the tickets of blocks {} win", blocks.join(", "))
        }
    };
    let words = format!(
        "{}: {tickets}, {} of 10^9 in each block at {} %",
        if due { "due" } else { "not due" },
        lots.threshold,
        f64::from(lots.rate.deconstruct()) / 10_000.0,
    );
    let held = match recorded {
        Act::Drawn(_) | Act::TooFew => Some(true),
        Act::NotAudited | Act::Stands => Some(false),
        Act::Postponed | Act::Nothing => None,
    };
    let told = match held {
        Some(true) => "due",
        Some(false) => "not due",
        None => "nothing",
    };
    // The rate follows the operator's record, which the block may have changed before the draw.
    let audit = lots.purpose == Purpose::Audit;
    Finding {
        block: evidence.block,
        topic: if audit { Topic::Audit } else { Topic::SecondLook },
        computed: words,
        recorded: Some(told.into()),
        agreement: match Agreement::of(&Some(due), &held) {
            Agreement::Differs
                if audit && held.is_some() && evidence.settled_before(&computed.operator) =>
            {
                Agreement::Unclear
            }
            agreement => agreement,
        },
    }
}

/// Returns the finding about an audit that the client asked for, which no ticket decides.
fn of_request(evidence: &Evidence, recorded: &Act) -> Finding {
    let held = match recorded {
        Act::Drawn(_) | Act::TooFew | Act::Postponed => Some(true),
        Act::NotAudited => Some(false),
        Act::Stands | Act::Nothing => None,
    };
    Finding {
        block: evidence.block,
        topic: Topic::Audit,
        computed: "due: the client asked for it".into(),
        recorded: Some(match held {
            Some(true) => "due".into(),
            Some(false) => "not due".into(),
            None => "nothing".into(),
        }),
        agreement: Agreement::of(&Some(true), &held),
    }
}

fn of_seed(evidence: &Evidence, computed: &Recomputed) -> Option<Finding> {
    Some(Finding {
        block: evidence.block,
        topic: Topic::Seed,
        computed: format!("{:?}", computed.seed?),
        recorded: None,
        agreement: Agreement::NotRecorded,
    })
}

/// Compares panels. Where the first members that differ were changed in the block before the draw, or
/// any later ones, the state that the draw read is not known.
fn of_members(evidence: &Evidence, computed: &Act, recorded: &Act) -> Agreement {
    let none = Vec::new();
    let (ours, theirs) = match (computed, recorded) {
        (Act::Drawn(ours), Act::Drawn(theirs)) => (ours, theirs),
        (Act::Drawn(ours), Act::TooFew) => (ours, &none),
        (Act::TooFew, Act::Drawn(theirs)) => (&none, theirs),
        _ => return Agreement::of(computed, recorded),
    };
    let same = ours.iter().zip(theirs).take_while(|(one, other)| one == other).count();
    let others: Vec<&AccountId> = ours.iter().skip(same).chain(theirs.iter().skip(same)).collect();
    if others.is_empty() && computed == recorded {
        Agreement::Agrees
    } else if evidence.changed_before(&others) {
        Agreement::Unclear
    } else {
        Agreement::Differs
    }
}

fn of_panel(evidence: &Evidence, computed: &Recomputed, recorded: &Act) -> Finding {
    let words = |act: &Act| match act {
        Act::Drawn(members) if members.is_empty() => "nobody".to_string(),
        Act::Drawn(members) => {
            members.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        Act::TooFew => "too few verifiers".into(),
        Act::NotAudited => "no audit".into(),
        Act::Stands => "no second look".into(),
        Act::Postponed => "no output is known, so later blocks decide".into(),
        Act::Nothing => "nothing".into(),
    };
    Finding {
        block: evidence.block,
        topic: if computed.stage == Stage::Committee { Topic::Committee } else { Topic::Jury },
        computed: words(&computed.act),
        recorded: Some(words(recorded)),
        agreement: of_members(evidence, &computed.act, recorded),
    }
}
