// SPDX-License-Identifier: Apache-2.0
//! The worker decides by the request of a job alone whether anyone can run the job.

mod given;

use assay_engine::Model;
use assay_host::Mailbox;
use assay_primitives::{
    request::{Prompt, RequestV1, MAX_REQUEST_BYTES},
    DeclineReason, EngineResult, RejectReason, Request, Task, Verdict,
};
use assay_worker::SupportedRequest;
use codec::Encode;
use given::{
    commitment, generate, job, of_output, prepare, put, result, start, task, until_idle, verdict,
    worker, OtherNode, PROMPT,
};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::sync::Arc;

/// Returns a task with these bytes for a request, and a node that has them.
fn of_request(request: Vec<u8>, input_tokens: u32) -> (Task, Arc<OtherNode>) {
    let request_hash = H256(blake2_256(&request));
    let other = Arc::new(OtherNode::default());
    other.payloads.lock().insert(request_hash, request);
    (Task { request_hash, input_tokens, ..task(PROMPT, 8) }, other)
}

/// Returns a task for a request that is longer than any, and a node that has it.
fn over_the_limit() -> (Task, Arc<OtherNode>) {
    let prompt = vec![b'a'; MAX_REQUEST_BYTES];
    of_request(Request::text(prompt).encode(), MAX_REQUEST_BYTES as u32 + 1)
}

#[test]
fn job_with_another_input_length_is_refused() {
    let (_dir, mailbox) = worker(None);
    let wrong = Task { input_tokens: 3, ..task(PROMPT, 8) };
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::InputLength };
    assert_eq!(result(&mailbox, prepare(wrong)), refused);
}

#[test]
fn request_over_the_limit_is_refused_before_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start(dir.path(), None);
    let (task, other) = over_the_limit();
    mailbox.0.set_source(other);
    // By its length in tokens alone, the prompt would exceed the context.
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::Request };
    assert_eq!(result(&mailbox, prepare(task)), refused);
}

#[test]
fn request_over_the_limit_is_rejected_before_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start(dir.path(), None);
    let (task, other) = over_the_limit();
    mailbox.0.set_source(other.clone());
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Request };
    assert_eq!(verdict(&mailbox, task.clone(), of_output(b"any")), rejected);
    // Nothing else is fetched.
    assert_eq!(*other.asked.lock(), [(job(), task.request_hash, Vec::new())]);
}

#[test]
fn request_over_the_limit_is_not_generated_from() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start(dir.path(), None);
    let (task, other) = over_the_limit();
    mailbox.0.set_source(other);
    assert!(mailbox.submit(generate(task)));
    until_idle(&mailbox);
    assert_eq!(mailbox.poll(8), []);
}

#[test]
fn request_that_no_engine_honours_is_declined_and_rejected() {
    let prompt = Prompt::Text(PROMPT.to_vec());
    let unsupported = RequestV1 { salt: Some([1; 32]), ..RequestV1::new(prompt) };
    let unknown = Request::tokens(vec![u32::MAX; task(PROMPT, 8).input_tokens as usize]);
    let trailing = [Request::text(PROMPT).encode(), vec![0]].concat();
    let requests = [PROMPT.to_vec(), trailing, unknown.encode(), Request::V1(unsupported).encode()];
    for request in requests {
        let dir = tempfile::tempdir().unwrap();
        let mailbox = start(dir.path(), None);
        let request_is_known = SupportedRequest::read(&request).is_ok();
        let (task, other) = of_request(request, task(PROMPT, 8).input_tokens);
        mailbox.0.set_source(other.clone());
        let refused = EngineResult::Refused { job: job(), reason: DeclineReason::Request };
        assert_eq!(result(&mailbox, prepare(task.clone())), refused);
        let rejected = Verdict::Reject { position: 0, reason: RejectReason::Request };
        assert_eq!(verdict(&mailbox, task, of_output(b"any")), rejected);
        // Only that its tokens are not the model's does not show without the model.
        let most = if request_is_known { usize::MAX } else { 1 };
        assert!(other.asked.lock().len() <= most, "the transcript is not fetched");
    }
}

#[test]
fn output_of_a_job_over_the_context_is_rejected() {
    let (_dir, mailbox) = worker(None);
    let honest = commitment(&mailbox, 8);
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Request };
    assert_eq!(verdict(&mailbox, task(PROMPT, 2_048), honest), rejected);
}

#[test]
fn prompt_of_tokens_is_read_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start(dir.path(), None);
    let tokens = Model::tiny().unwrap().tokenize(PROMPT).unwrap();
    let count = tokens.len() as u32;
    let (of_tokens, other) = of_request(Request::tokens(tokens.clone()).encode(), count);
    mailbox.0.set_source(other);
    assert_eq!(result(&mailbox, prepare(of_tokens.clone())), EngineResult::Ready { job: job() });
    let EngineResult::Generated { commitment, .. } = result(&mailbox, generate(of_tokens.clone()))
    else {
        panic!()
    };
    let transcript = mailbox.0.output(&job()).unwrap();
    assert_eq!(transcript.input, tokens);
    assert!(matches!(verdict(&mailbox, of_tokens.clone(), commitment), Verdict::Accept { .. }));
    // The same tokens as a text are the same job in another form.
    put(&mailbox.0, PROMPT);
    assert!(matches!(verdict(&mailbox, task(PROMPT, 8), commitment), Verdict::Accept { .. }));
    let (fewer, other) = of_request(Request::tokens(&tokens[1..]).encode(), count);
    let elsewhere = tempfile::tempdir().unwrap();
    let second = start(elsewhere.path(), None);
    second.0.set_source(other);
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::InputLength };
    assert_eq!(result(&second, prepare(fewer)), refused);
}
