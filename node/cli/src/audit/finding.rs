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
        JobState::Delivered { audit, .. } => *audit,
        JobState::Settled(settlement) => settlement.audit != AuditOutcome::NotAudited,
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
    let topic = if stages.is_empty() {
        Topic::Audit
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
    let due = Span::after(evidence.wait.since, evidence.draw_blocks);
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
    evidence.blocks.iter().zip(&computed.outputs).map(|(block, output)| {
        let words = |output: &Option<_>| match output {
            Some(output) => format!("{output:?}"),
            None => "none".to_string(),
        };
        Finding {
            block: block.header.number,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audit::recompute::recompute, audit::scene, chain::state::EventRecord};
    use assay_runtime::RuntimeEvent;
    use frame_system::Phase;
    use pallet_verification::Event;
    use sp_core::H256;

    fn all(evidence: &Evidence) -> Vec<Finding> {
        of_draw(evidence, recompute(evidence).as_ref())
    }

    /// Returns the topics about which the chain lied.
    fn lies(evidence: &Evidence) -> Vec<Topic> {
        let wrong = |it: &Finding| it.agreement == Agreement::Differs;
        all(evidence).iter().filter(|it| wrong(it)).map(|it| it.topic).collect()
    }

    fn change(evidence: &mut Evidence, change: impl Fn(&mut Event<assay_runtime::Runtime>)) {
        for record in &mut evidence.events {
            if let RuntimeEvent::Verification(event) = &mut record.event {
                change(event);
            }
        }
    }

    /// Replaces what the chain recorded of the draw.
    fn says(evidence: &mut Evidence, event: Event<assay_runtime::Runtime>) {
        evidence.events = vec![EventRecord {
            phase: Phase::Initialization,
            event: RuntimeEvent::Verification(event),
            topics: Vec::new(),
        }];
    }

    #[test]
    fn draws_of_the_real_pallet_are_true() {
        for (evidence, act) in [
            (scene::draw(), "committee"),
            (scene::rare(true), "committee"),
            (scene::rare(false), "not audited"),
            (scene::second_look(true), "jury"),
            (scene::second_look(false), "stands"),
        ] {
            let findings = all(&evidence);
            assert_eq!(lies(&evidence), [], "{act}: {findings:?}");
            assert!(findings.iter().all(|it| it.agreement != Agreement::Unclear), "{findings:?}");
            let computed = recompute(&evidence).unwrap();
            match (computed.act, act) {
                (Act::Drawn(members), "committee") => assert_eq!(members.len(), 3),
                // Twelve operators without that of the job and three that were heard.
                (Act::Drawn(members), "jury") => assert_eq!(members.len(), 7),
                (Act::NotAudited, "not audited") | (Act::Stands, "stands") => {}
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn committee_of_the_golden_draw_is_this_one() {
        let findings = all(&scene::draw());
        let committee = findings.iter().find(|it| it.topic == Topic::Committee).unwrap();
        let golden: Vec<&str> = committee.computed.split(", ").collect();
        assert_eq!(golden, GOLDEN);
        let topics: Vec<Topic> = findings.iter().map(|it| it.topic).collect();
        let (span, output) = (Topic::Span, Topic::Output);
        assert_eq!(topics, [span, output, output, Topic::Audit, Topic::Seed, Topic::Committee]);
    }

    /// The committee that the golden draw selects.
    const GOLDEN: [&str; 3] = [
        "5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy",
        "5HKPmK9GYtE1PSLsS1qiYU9xQ9Si1NcEhdeCq9sw5bqu4ns8",
        "5FCfAonRZgTFrTd9HREEyeJjDpT397KMzizE6T3DvebLFE7n",
    ];

    #[test]
    fn output_that_is_not_the_authors_is_found() {
        let mut evidence = scene::draw();
        evidence.blocks[1].recorded = Some(H256::repeat_byte(3));
        assert_eq!(lies(&evidence), [Topic::Output]);
        evidence.blocks[1].recorded = None;
        assert_eq!(lies(&evidence), [Topic::Output]);
    }

    #[test]
    fn header_of_another_author_is_found() {
        let mut evidence = scene::draw();
        evidence.blocks[0].epoch.randomness = [1; 32];
        assert!(lies(&evidence).contains(&Topic::Output));
    }

    #[test]
    fn span_that_does_not_follow_the_delivery_is_found() {
        let mut evidence = scene::draw();
        evidence.wait.since -= 1;
        assert_eq!(lies(&evidence), [Topic::Span]);
        let mut evidence = scene::draw();
        evidence.draw_blocks = 16;
        assert_eq!(lies(&evidence), [Topic::Span]);
    }

    #[test]
    fn ticket_that_wins_and_is_denied_is_found() {
        let mut evidence = scene::rare(true);
        let (job, outcome) = (evidence.job, AuditOutcome::NotAudited);
        says(&mut evidence, Event::AuditConcluded { job, outcome, verifiers: vec![], jurors: 0 });
        assert_eq!(lies(&evidence), [Topic::Audit, Topic::Committee]);
    }

    #[test]
    fn ticket_that_loses_and_is_claimed_is_found() {
        let mut evidence = scene::rare(false);
        let (job, stage) = (evidence.job, Stage::Committee);
        let committee = vec![scene::operator()];
        says(&mut evidence, Event::AuditDrawn { job, stage, round: 0, committee, until: 9 });
        assert_eq!(lies(&evidence), [Topic::Audit]);
    }

    #[test]
    fn member_that_was_not_drawn_is_found() {
        let mut evidence = scene::draw();
        change(&mut evidence, |event| {
            if let Event::AuditDrawn { committee, .. } = event {
                committee[1] = scene::operator();
            }
        });
        assert_eq!(lies(&evidence), [Topic::Committee]);
    }

    #[test]
    fn member_that_was_left_out_is_found() {
        let mut evidence = scene::second_look(true);
        change(&mut evidence, |event| {
            if let Event::AuditDrawn { committee, .. } = event {
                committee.truncate(5);
            }
        });
        assert_eq!(lies(&evidence), [Topic::Jury]);
    }

    #[test]
    fn order_of_members_is_part_of_the_draw() {
        let mut evidence = scene::draw();
        change(&mut evidence, |event| {
            if let Event::AuditDrawn { committee, .. } = event {
                committee.reverse();
            }
        });
        assert_eq!(lies(&evidence), [Topic::Committee]);
    }

    #[test]
    fn second_look_that_is_due_and_denied_is_found() {
        let mut evidence = scene::second_look(true);
        let (job, outcome) = (evidence.job, AuditOutcome::Accepted);
        says(&mut evidence, Event::AuditConcluded { job, outcome, verifiers: vec![], jurors: 0 });
        assert_eq!(lies(&evidence), [Topic::SecondLook, Topic::Jury]);
    }

    #[test]
    fn second_look_that_is_not_due_and_held_is_found() {
        let mut evidence = scene::second_look(false);
        let (job, stage) = (evidence.job, Stage::SecondLook);
        let committee = vec![scene::operator()];
        says(&mut evidence, Event::AuditDrawn { job, stage, round: 1, committee, until: 9 });
        assert_eq!(lies(&evidence), [Topic::SecondLook]);
    }

    #[test]
    fn draw_of_which_nothing_is_recorded_is_found() {
        let mut evidence = scene::draw();
        evidence.events.clear();
        assert_eq!(lies(&evidence), [Topic::Audit, Topic::Committee]);
        let mut evidence = scene::second_look(false);
        evidence.events.clear();
        assert_eq!(lies(&evidence), [Topic::SecondLook]);
    }

    #[test]
    fn wait_that_goes_on_although_outputs_are_known_is_found() {
        let mut evidence = scene::draw();
        evidence.events.clear();
        evidence.waits_again = true;
        assert_eq!(lies(&evidence), [Topic::Audit, Topic::Committee]);
    }

    #[test]
    fn audit_that_the_state_does_not_have_is_found() {
        let mut evidence = scene::draw();
        evidence.before = Default::default();
        assert_eq!(lies(&evidence), [Topic::Job]);
    }

    #[test]
    fn members_that_the_block_changed_before_are_unclear() {
        let mut evidence = scene::draw();
        let Act::Drawn(members) = evidence.recorded() else { panic!("nobody was drawn") };
        let busy = members[1].clone();
        change(&mut evidence, |event| {
            if let Event::AuditDrawn { committee, .. } = event {
                committee.remove(1);
                committee.push(scene::operator());
            }
        });
        let duty = assay_primitives::traits::Duty::Run(H256::repeat_byte(9));
        let changed = |operator| EventRecord {
            phase: Phase::Initialization,
            event: pallet_operators::Event::Reserved { operator, duty, amount: 1 }.into(),
            topics: Vec::new(),
        };
        let mut other = evidence.clone();
        evidence.events.insert(0, changed(busy));
        assert_eq!(lies(&evidence), []);
        assert!(all(&evidence).iter().any(|it| it.agreement == Agreement::Unclear));
        // A change of somebody else explains nothing.
        other.events.insert(0, changed(members[0].clone()));
        assert_eq!(lies(&other), [Topic::Committee]);
    }

    #[test]
    fn record_that_denies_the_audit_is_found() {
        let computed = recompute(&scene::draw()).unwrap();
        let delivered = |audit| JobState::Delivered {
            operator: scene::operator(),
            prices: Default::default(),
            commitment: assay_primitives::OutputCommitment {
                output_hash: H256::zero(),
                digest_commitment: H256::zero(),
                tokens: 1,
                finish: assay_primitives::FinishReason::Length,
            },
            took: 1,
            audit,
            until: 9,
        };
        let of = |state: &JobState<AccountId>| {
            of_record(9, state, &computed).map(|finding| finding.agreement)
        };
        assert_eq!(of(&delivered(true)), Some(Agreement::Agrees));
        assert_eq!(of(&delivered(false)), Some(Agreement::Differs));
        // No draw at all after a delivery is a lie too.
        let missing = of_missing(9, &delivered(false), &[]).unwrap();
        assert_eq!((missing.topic, missing.agreement), (Topic::Audit, Agreement::Differs));
        assert_eq!(of_missing(9, &delivered(true), &[Stage::Committee]), None);
    }

    #[test]
    fn accepted_audit_without_a_draw_of_a_second_look_is_found() {
        let accepted = JobState::Settled(assay_primitives::Settlement {
            outcome: assay_primitives::Outcome::Paid,
            operator: None,
            audit: AuditOutcome::Accepted,
            verifiers: 3,
            output_hash: Some(H256::zero()),
            tokens: 1,
            paid: 0,
            refunded: 0,
            slashed: 0,
            burnt: 0,
            at: 8,
        });
        let missing = of_missing(9, &accepted, &[Stage::Committee, Stage::Committee]).unwrap();
        assert_eq!((missing.topic, missing.agreement), (Topic::SecondLook, Agreement::Differs));
        assert_eq!(of_missing(9, &accepted, &[Stage::Committee, Stage::SecondLook]), None);
        assert_eq!(of_missing(9, &accepted, &[Stage::Committee, Stage::Jury]), None);
    }
}
