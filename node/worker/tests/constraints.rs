// SPDX-License-Identifier: Apache-2.0
//! Jobs whose request constrains the output, and operators that ignore the constraint.

mod given;

use assay_engine::{
    constraint::{COMPILER, COMPILER_VERSION},
    EngineError,
};
use assay_host::Mailbox;
use assay_primitives::{
    request::{Compiled, Constraint, Prompt, RequestV1},
    AbstainReason, DeclineReason, EngineResult, RejectReason, Request, Sampling, Task, Verdict,
};
use assay_worker::{Fault, SupportedRequest, WorkerConfig, WorkerMailbox};
use codec::Encode;
use given::{
    config, generate, job, of_output, prepare, result, start, start_config, task, until_idle,
    verdict, OtherNode, PROMPT,
};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::sync::Arc;

/// A schema of which the beginning of an unconstrained output is no part.
const SCHEMA: &str = r#"{"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 99}, "minItems": 2,
    "maxItems": 4, "x-guidance": {"whitespace_flexible": false}}"#;

fn compiled(source: &str) -> Compiled {
    Compiled { source: source.into(), compiler: COMPILER.into(), version: COMPILER_VERSION.into() }
}

fn of(constraint: Constraint) -> Vec<u8> {
    let prompt = Prompt::Text(PROMPT.to_vec());
    Request::V1(RequestV1 { constraint, ..RequestV1::new(prompt) }).encode()
}

/// Starts a worker whose fellow nodes have the request, and returns its greedy task.
fn worker(fault: Option<Fault>, request: &[u8]) -> (tempfile::TempDir, WorkerMailbox, Task) {
    let dir = tempfile::tempdir().unwrap();
    let (mailbox, task) = with_request(start(dir.path(), fault), request);
    (dir, mailbox, task)
}

fn with_request(mailbox: WorkerMailbox, request: &[u8]) -> (WorkerMailbox, Task) {
    let request_hash = H256(blake2_256(request));
    let other = Arc::new(OtherNode::default());
    other.payloads.lock().insert(request_hash, request.to_vec());
    mailbox.0.set_source(other);
    (mailbox, Task { request_hash, sampling: Sampling::GREEDY, ..task(PROMPT, 40) })
}

#[test]
fn constrained_output_is_accepted_and_one_that_ignores_it_is_rejected_where_it_leaves_the_form() {
    let request = of(Constraint::JsonSchema(compiled(SCHEMA)));
    let mut outputs = Vec::new();
    let (_dir, honest, task) = worker(None, &request);
    let (_cheat_dir, cheat, _) = worker(Some(Fault::IgnoreConstraint), &request);
    let [truth, lie] = [&honest, &cheat].map(|mailbox| {
        assert_eq!(result(mailbox, prepare(task.clone())), EngineResult::Ready { job: job() });
        match result(mailbox, generate(task.clone())) {
            EngineResult::Generated { commitment, .. } => {
                outputs.push(mailbox.0.output(&job()).unwrap());
                commitment
            }
            other => panic!("{other:?}"),
        }
    });
    let text = String::from_utf8(outputs[0].text.clone()).unwrap();
    let inner = text.strip_prefix('[').unwrap().strip_suffix(']').unwrap();
    let numbers: Vec<u32> = inner.split(',').map(|number| number.parse().unwrap()).collect();
    assert!((2..=4).contains(&numbers.len()) && numbers.iter().all(|n| (1..=99).contains(n)));
    let payload = cheat.0.payload(&lie.output_hash).unwrap().unwrap();
    assert!(matches!(verdict(&honest, task.clone(), truth), Verdict::Accept { .. }));
    let (_judge_dir, judge, _) = worker(None, &request);
    judge.0.keep_output(&job(), &payload).unwrap();
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Continuity };
    assert_eq!(verdict(&judge, task, lie), rejected);
}

#[test]
fn operator_that_takes_no_constraints_declines_them_and_still_verifies() {
    let request = of(Constraint::JsonSchema(compiled(SCHEMA)));
    let dir = tempfile::tempdir().unwrap();
    let config = WorkerConfig { accept_constraints: false, ..config(dir.path()) };
    let (mailbox, task) = with_request(start_config(config), &request);
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::Resource };
    assert_eq!(result(&mailbox, prepare(task.clone())), refused);
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Malformed };
    assert_eq!(verdict(&mailbox, task, of_output(b"any")), rejected);
}

#[test]
fn constraint_that_does_not_compile_is_declined_and_rejected() {
    for source in ["{", r#"{"type": "thing"}"#] {
        let request = of(Constraint::JsonSchema(compiled(source)));
        let (_dir, mailbox, task) = worker(None, &request);
        let supported = SupportedRequest::read(&request).unwrap();
        let error = mailbox.0.count_tokens(&task.model, &supported).unwrap_err();
        assert!(matches!(error, EngineError::Constraint { .. }), "{error}");
        let refused = EngineResult::Refused { job: job(), reason: DeclineReason::Request };
        assert_eq!(result(&mailbox, prepare(task.clone())), refused);
        let rejected = Verdict::Reject { position: 0, reason: RejectReason::Request };
        assert_eq!(verdict(&mailbox, task, of_output(b"any")), rejected);
    }
}

#[test]
fn constraint_of_another_version_is_declined_and_not_judged() {
    let other = Compiled { version: "0.1.0".into(), ..compiled("[a-z]+") };
    let request = of(Constraint::Regex(other));
    let (_dir, mailbox, task) = worker(None, &request);
    let supported = SupportedRequest::read(&request).unwrap();
    let error = mailbox.0.count_tokens(&task.model, &supported).unwrap_err().to_string();
    assert!(error.contains("0.1.0") && error.contains(COMPILER_VERSION), "{error}");
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::Resource };
    assert_eq!(result(&mailbox, prepare(task.clone())), refused);
    let abstains = Verdict::Abstain(AbstainReason::Resource);
    assert_eq!(verdict(&mailbox, task, of_output(b"any")), abstains);
    let (_dir, mailbox, task) = worker(None, &request);
    assert!(mailbox.submit(generate(task)));
    until_idle(&mailbox);
    assert_eq!(mailbox.poll(8), []);
}
