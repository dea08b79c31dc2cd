// SPDX-License-Identifier: Apache-2.0
//! Tests: draws of the real pallets are true, and each way in which a chain could lie is found.

use super::{
    evidence::{Act, Evidence},
    finding::{of_draw, of_missing, of_record, Agreement, Finding, Topic},
    recompute::{read, recompute},
    scene,
};
use crate::chain::state::EventRecord;
use assay_primitives::{settlement::AuditOutcome, JobState};
use assay_runtime::{AccountId, Runtime, RuntimeEvent};
use frame_system::Phase;
use pallet_verification::{Event, Span, Stage};
use sp_core::H256;

fn all(evidence: &Evidence) -> Vec<Finding> {
    of_draw(evidence, recompute(evidence).as_ref())
}

/// Returns the topics about which the chain lied.
fn lies(evidence: &Evidence) -> Vec<Topic> {
    let wrong = |it: &Finding| it.agreement == Agreement::Differs;
    all(evidence).iter().filter(|it| wrong(it)).map(|it| it.topic).collect()
}

fn change(evidence: &mut Evidence, change: impl Fn(&mut Event<Runtime>)) {
    for record in &mut evidence.events {
        if let RuntimeEvent::Verification(event) = &mut record.event {
            change(event);
        }
    }
}

/// Replaces what the chain recorded of the draw.
fn says(evidence: &mut Evidence, event: Event<Runtime>) {
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
        (scene::on_request(), "committee"),
        (scene::challenged(), "jury of a challenge"),
    ] {
        let findings = all(&evidence);
        assert_eq!(lies(&evidence), [], "{act}: {findings:?}");
        assert!(findings.iter().all(|it| it.agreement != Agreement::Unclear), "{findings:?}");
        let computed = recompute(&evidence).unwrap();
        match (computed.act, act) {
            (Act::Drawn(members), "committee") => assert_eq!(members.len(), 3),
            // Twelve operators without that of the job and three that were heard.
            // Twelve operators without that of the job and the challenger are ten.
            (Act::Drawn(members), "jury of a challenge") => assert_eq!(members.len(), 9),
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
    evidence.wait.after -= 1;
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
fn wait_for_later_blocks_is_true_where_no_output_is_known() {
    let mut evidence = scene::draw();
    for block in &mut evidence.blocks {
        block.header = scene::header_without_vrf(block.header.number);
        block.recorded = None;
    }
    evidence.events.clear();
    evidence.waits_again = true;
    assert_eq!(lies(&evidence), []);
    evidence.waits_again = false;
    assert_eq!(lies(&evidence), [Topic::Committee]);
}

#[test]
fn late_draw_is_true_if_it_reads_the_last_blocks() {
    let mut evidence = scene::late_draw();
    assert_eq!(evidence.span.known(), evidence.block);
    assert_eq!(lies(&evidence), []);
    // A chain that waited for other blocks instead could have chosen these.
    evidence.events.clear();
    evidence.waits_again = true;
    assert_eq!(lies(&evidence), [Topic::Audit, Topic::Committee]);
}

#[test]
fn draw_reads_the_last_blocks_only_where_it_is_late_and_lacks_outputs() {
    let span = Span { first: 101, count: 2 };
    let outputs = [Some(H256::repeat_byte(1)), None];
    assert_eq!(read(span, span.known(), &outputs), span);
    assert_eq!(read(span, span.known(), &[None, None]), span, "it waits for the next blocks");
    assert_eq!(read(span, span.known() + 1, &outputs), span);
    assert_eq!(read(span, span.known() + 1, &[None, None]), Span { first: 102, count: 2 });
    assert_eq!(read(span, 229, &outputs), span, "the chain has the outputs of 128 blocks");
    assert_eq!(read(span, 230, &outputs), Span { first: 228, count: 2 });
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
fn audit_that_was_asked_for_and_is_not_held_is_found() {
    let mut evidence = scene::on_request();
    let (job, outcome) = (evidence.job, AuditOutcome::NotAudited);
    says(&mut evidence, Event::AuditConcluded { job, outcome, verifiers: vec![], jurors: 0 });
    assert!(lies(&evidence).contains(&Topic::Audit));
}

#[test]
fn jury_of_a_challenge_with_its_challenger_is_found() {
    let mut evidence = scene::challenged();
    let challenger = assay_runtime::presets::DEVELOPMENT_OPERATORS[1].to_account_id();
    change(&mut evidence, |event| {
        if let Event::AuditDrawn { committee, .. } = event {
            committee[0] = challenger.clone();
        }
    });
    assert_eq!(lies(&evidence), [Topic::Jury]);
}

#[test]
fn challenge_without_a_draw_of_its_jury_is_found() {
    let challenge = Some(assay_primitives::Challenge { challenger: scene::operator(), reward: 0 });
    let settled = |audit| {
        JobState::Settled(assay_primitives::Settlement {
            challenge: challenge.clone(),
            ..ended(audit)
        })
    };
    let state = settled(AuditOutcome::Rejected);
    let missing = of_missing(9, &state, &[Stage::Committee]).unwrap();
    assert_eq!((missing.topic, missing.agreement), (Topic::Jury, Agreement::Differs));
    assert_eq!(of_missing(9, &state, &[Stage::Committee, Stage::Challenge]), None);
    // The draw that the job escaped is no contradiction to what its jury found.
    let escaped = recompute(&scene::rare(false)).unwrap();
    let agreement = |state: &JobState<AccountId>| of_record(9, state, &escaped).unwrap().agreement;
    assert_eq!(agreement(&state), Agreement::Agrees);
    assert_eq!(agreement(&JobState::Settled(ended(AuditOutcome::Rejected))), Agreement::Differs);
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
        challenger: None,
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

/// Returns the settlement of a job with that outcome of its audit.
fn ended(audit: AuditOutcome) -> assay_primitives::Settlement<AccountId> {
    assay_primitives::Settlement {
        outcome: assay_primitives::Outcome::Paid,
        operator: None,
        audit,
        verifiers: 3,
        output_hash: Some(H256::zero()),
        tokens: 1,
        paid: 0,
        refunded: 0,
        slashed: 0,
        burnt: 0,
        fund: 0,
        audit_fees: 0,
        challenge: None,
        at: 8,
    }
}

#[test]
fn accepted_audit_without_a_draw_of_a_second_look_is_found() {
    let accepted = JobState::Settled(ended(AuditOutcome::Accepted));
    let missing = of_missing(9, &accepted, &[Stage::Committee, Stage::Committee]).unwrap();
    assert_eq!((missing.topic, missing.agreement), (Topic::SecondLook, Agreement::Differs));
    assert_eq!(of_missing(9, &accepted, &[Stage::Committee, Stage::SecondLook]), None);
    assert_eq!(of_missing(9, &accepted, &[Stage::Committee, Stage::Jury]), None);
}
