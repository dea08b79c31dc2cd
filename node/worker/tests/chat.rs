// SPDX-License-Identifier: Apache-2.0
//! Jobs whose request is a chat or has stop strings, and operators that ignore a part of it.

mod given;

use assay_engine::{synthetic::Synthetic, Model};
use assay_primitives::{
    request::{Argument, Chat, Message, Prompt, RequestV1},
    worker::Logprobs,
    DeclineReason, EngineResult, FinishReason, OutputCommitment, RejectReason, Request, Sampling,
    Task, Verdict,
};
use assay_worker::{Fault, SupportedRequest, WorkerMailbox};
use codec::Encode;
use given::{generate, job, prepare, result, start_with, task, verdict, PROMPT};
use sp_core::H256;

/// A template that writes roles and contents, then the tools and a date.
const TEMPLATE: &str = "{% for m in messages %}{{ m.role[0] }}{{ m.content }}{% endfor %}\
                        {{ tools | tojson }}{{ date }}";

fn model() -> Model {
    Model::from_bytes(Synthetic::default().file_with_template(TEMPLATE).unwrap()).unwrap()
}

fn chat(messages: &[(&str, &str)]) -> Request {
    let message = |(role, content): &(&str, &str)| Message {
        role: (*role).into(),
        content: (*content).into(),
    };
    let chat = Chat {
        messages: messages.iter().map(message).collect(),
        tools: vec!["{\"name\":1}".into()],
        arguments: vec![Argument { name: "date".into(), value: "\"1 May\"".into() }],
    };
    Request::V1(RequestV1::new(Prompt::Chat(chat)))
}

/// Starts workers with that fault and with none, which have the request, and returns its greedy task.
fn workers(
    fault: Fault,
    model: fn() -> Model,
    request: &Request,
    max_tokens: u32,
) -> (Vec<tempfile::TempDir>, [WorkerMailbox; 2], Task) {
    let encoding = request.encode();
    let supported = SupportedRequest::read(&encoding).unwrap();
    let mut tokens = None;
    let id = H256(model().root());
    let mut dirs = Vec::new();
    let mailboxes = [Some(fault), None].map(|fault| {
        let dir = tempfile::tempdir().unwrap();
        let mailbox = start_with(dir.path(), fault, vec![model()]);
        mailbox.0.put_request(&supported).unwrap();
        tokens = mailbox.0.count_tokens(&id, &supported).unwrap();
        dirs.push(dir);
        mailbox
    });
    let task = Task {
        model: id,
        request_hash: request.hash(),
        input_tokens: tokens.expect("the model is loaded"),
        max_tokens,
        sampling: Sampling::GREEDY,
        ..task(PROMPT, max_tokens)
    };
    (dirs, mailboxes, task)
}

fn generated(mailbox: &WorkerMailbox, task: &Task) -> OutputCommitment {
    assert_eq!(result(mailbox, prepare(task.clone())), EngineResult::Ready { job: job() });
    match result(mailbox, generate(task.clone())) {
        EngineResult::Generated { commitment, .. } => commitment,
        other => panic!("{other:?}"),
    }
}

/// Returns the verdict of `judge` about the output of another worker.
fn judged(
    judge: &WorkerMailbox,
    of: &WorkerMailbox,
    task: &Task,
    commitment: OutputCommitment,
) -> Verdict {
    let output = of.0.payload(&commitment.output_hash).unwrap().unwrap();
    judge.0.keep_output(&job(), &output).unwrap();
    verdict(judge, task.clone(), commitment)
}

#[test]
fn chat_is_counted_generated_and_accepted() {
    let request = chat(&[("system", "Be brief."), ("user", "Hi")]);
    let (_dirs, [_, honest], task) = workers(Fault::Reject, model, &request, 24);
    let text = b"sBe brief.uHi[{\"name\": 1}]1 May";
    assert_eq!(task.input_tokens as usize, 1 + text.len());
    let commitment = generated(&honest, &task);
    let transcript = honest.0.output(&job()).unwrap();
    assert_eq!(transcript.input[1..], text.map(u32::from));
    assert!(matches!(verdict(&honest, task, commitment), Verdict::Accept { .. }));
}

#[test]
fn operator_that_ignores_the_system_message_is_rejected() {
    let request = chat(&[("system", "Be brief."), ("user", "Hi")]);
    let (_dirs, [cheat, honest], task) = workers(Fault::IgnoreSystem, model, &request, 24);
    let lie = generated(&cheat, &task);
    generated(&honest, &task);
    let [said, truth] = [&cheat, &honest].map(|mailbox| mailbox.0.output(&job()).unwrap());
    assert_eq!(said.input, truth.input, "it claims to have read the message");
    let first = said.output.iter().zip(&truth.output).position(|(one, other)| one != other);
    let position = first.expect("the message changes the output") as u32;
    let reason = if position == 0 { RejectReason::Continuity } else { RejectReason::Integrity };
    assert_eq!(judged(&honest, &cheat, &task, lie), Verdict::Reject { position, reason });
}

#[test]
fn chat_is_declined_and_rejected_by_a_model_without_a_template() {
    let request = chat(&[("user", "Hi")]);
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start_with(dir.path(), None, vec![Model::tiny().unwrap()]);
    let encoding = request.encode();
    let supported = SupportedRequest::read(&encoding).unwrap();
    mailbox.0.put_request(&supported).unwrap();
    let task = Task { request_hash: request.hash(), ..task(PROMPT, 8) };
    let error = mailbox.0.count_tokens(&task.model, &supported).unwrap_err().to_string();
    assert!(error.contains("no chat template; use a plain prompt"), "{error}");
    let refused = EngineResult::Refused { job: job(), reason: DeclineReason::Request };
    assert_eq!(result(&mailbox, prepare(task.clone())), refused);
    let rejected = Verdict::Reject { position: 0, reason: RejectReason::Request };
    assert_eq!(verdict(&mailbox, task, given::of_output(b"any")), rejected);
}

fn tiny() -> Model {
    Model::tiny().unwrap()
}

/// Returns the request for the continuation of the prompt up to one of these strings.
fn stopping(stops: &[&[u8]]) -> Request {
    let stop = stops.iter().map(|stop| stop.to_vec()).collect();
    Request::V1(RequestV1 { stop, ..RequestV1::new(Prompt::Text(PROMPT.to_vec())) })
}

#[test]
fn output_ends_with_the_stop_string_that_it_completes_first() {
    let (_dirs, [_, honest], task) = workers(Fault::Reject, tiny, &stopping(&[]), 40);
    let whole = generated(&honest, &task);
    assert_eq!((whole.tokens, whole.finish), (40, FinishReason::Length));
    let text = honest.0.output(&job()).unwrap().text;
    let request = stopping(&[b"\0", &text[20..24]]);
    let (_dirs, [_, honest], task) = workers(Fault::Reject, tiny, &request, 40);
    let commitment = generated(&honest, &task);
    let end = text.windows(4).position(|part| part == &text[20..24]).unwrap() + 4;
    assert_eq!((commitment.tokens as usize, commitment.finish), (end, FinishReason::Stop(1)));
    assert_eq!(honest.0.output(&job()).unwrap().text, text[..end], "it is paid, so it is there");
    assert!(matches!(verdict(&honest, task, commitment), Verdict::Accept { .. }));
}

#[test]
fn operator_that_ignores_the_penalties_is_rejected_where_the_output_differs() {
    let prompt = Prompt::Text(b"In the beginning".to_vec());
    let request = RequestV1 { frequency: 1 << 16, min_p: 6_554, ..RequestV1::new(prompt) };
    let request = Request::V1(request);
    let (_dirs, [cheat, honest], task) = workers(Fault::IgnoreChoice, tiny, &request, 40);
    let (lie, truth) = (generated(&cheat, &task), generated(&honest, &task));
    let output = |worker: &WorkerMailbox| worker.0.output(&job()).unwrap().output;
    let (lied, said) = (output(&cheat), output(&honest));
    let position = lied.iter().zip(&said).position(|(one, other)| one != other).unwrap() as u32;
    assert!(position > 0, "the first token has no penalty");
    let rejected = Verdict::Reject { position, reason: RejectReason::Integrity };
    assert_eq!(judged(&honest, &cheat, &task, lie), rejected);
    assert!(matches!(verdict(&honest, task, truth), Verdict::Accept { .. }));
}

/// Returns the request for the continuation of the prompt with that many log probabilities.
fn with_logprobs(logprobs: u8) -> Request {
    let prompt = Prompt::Text(PROMPT.to_vec());
    Request::V1(RequestV1 { logprobs, ..RequestV1::new(prompt) })
}

#[test]
fn log_probabilities_are_in_the_transcript_and_accepted() {
    let (_dirs, [_, honest], task) = workers(Fault::Reject, tiny, &with_logprobs(3), 40);
    let commitment = generated(&honest, &task);
    let transcript = honest.0.output(&job()).unwrap();
    let by_token: Vec<_> = transcript.logprobs.by_token(40).unwrap().collect();
    for ((own, top), token) in by_token.into_iter().zip(&transcript.output) {
        // The output is greedy.
        assert_eq!((top.len(), top[0].token, top[0].logprob), (3, *token, own));
    }
    assert!(matches!(verdict(&honest, task, commitment), Verdict::Accept { .. }));
    let (_dirs, [_, honest], task) = workers(Fault::Reject, tiny, &with_logprobs(0), 40);
    generated(&honest, &task);
    assert_eq!(honest.0.output(&job()).unwrap().logprobs, Logprobs::default());
}

#[test]
fn operator_that_returns_a_wrong_log_probability_is_rejected_where_it_is() {
    let (_dirs, [cheat, honest], task) = workers(Fault::WrongLogprob, tiny, &with_logprobs(3), 40);
    let (lie, _) = (generated(&cheat, &task), generated(&honest, &task));
    let rejected = Verdict::Reject { position: 20, reason: RejectReason::Logprobs };
    assert_eq!(judged(&honest, &cheat, &task, lie), rejected);
}

/// Returns the commitment to another transcript than the honest one, which the worker now has.
fn forged(
    worker: &WorkerMailbox,
    honest: OutputCommitment,
    forge: impl FnOnce(&mut Logprobs),
) -> OutputCommitment {
    let mut transcript = worker.0.output(&job()).unwrap();
    forge(&mut transcript.logprobs);
    worker.0.keep_output(&job(), &transcript.encode()).unwrap();
    OutputCommitment { output_hash: transcript.hash(), ..honest }
}

#[test]
fn missing_and_superfluous_log_probabilities_are_rejected() {
    type Lie = fn(&mut Logprobs);
    let lies: [(u8, Lie, u32); 4] = [
        (0, |lie| lie.chosen.push(0), 0),
        (2, |lie| *lie = Logprobs::default(), 0),
        (2, |lie| lie.top.truncate(2 * 40 - 1), 39),
        (2, |lie| lie.chosen.push(0), 40),
    ];
    for (asked, lie, position) in lies {
        let (_dirs, [_, honest], task) = workers(Fault::Reject, tiny, &with_logprobs(asked), 40);
        let commitment = generated(&honest, &task);
        let lie = forged(&honest, commitment, lie);
        let rejected = Verdict::Reject { position, reason: RejectReason::Logprobs };
        assert_eq!(verdict(&honest, task, lie), rejected);
    }
}

#[test]
fn operator_that_ignores_the_stop_strings_is_rejected_where_the_output_ends() {
    // The tiny model is trained on a text that is full of the letter.
    let request = stopping(&[b"e"]);
    let (_dirs, [cheat, honest], task) = workers(Fault::IgnoreStop, tiny, &request, 40);
    let lie = generated(&cheat, &task);
    let truth = generated(&honest, &task);
    assert_eq!((lie.tokens, truth.finish), (40, FinishReason::Stop(0)));
    assert!(truth.tokens < 40);
    let position = truth.tokens - 1;
    let rejected = Verdict::Reject { position, reason: RejectReason::Truncation };
    assert_eq!(judged(&honest, &cheat, &task, lie), rejected);
}
