// SPDX-License-Identifier: Apache-2.0
//! Tests of the batch, step by step.

use super::{
    batch::{Batch, Ended},
    config::ServerConfig,
    job::{Handle, Job},
    queue::Queue,
    speed::Speedometer,
};
use crate::{
    generate,
    generate::Generating,
    kv::{KvCache, Pool},
    synthetic::Synthetic,
    verify::Verifying,
    Adjustments, EngineError, GenerateSpec, Generation, Limits, Model, Positions, Prompt,
    SampleSpec, Sampling, StopStrings, Threads, Transcript, Verification,
};
use std::{
    ops::ControlFlow,
    sync::{atomic::AtomicBool, Arc},
};

const SPEC: GenerateSpec = GenerateSpec {
    adjustments: Adjustments::NONE,
    constraint: None,
    ignore_end: false,
    logprobs: 0,
    sample: SampleSpec { key: [5; 32], sampling: Sampling::GREEDY },
    digest_key: [4; 32],
    max_tokens: 60,
    stops: StopStrings::NONE,
};

fn model() -> Arc<Model> {
    Arc::new(Model::from_bytes(Synthetic::default().file().unwrap()).unwrap())
}

fn batch(model: &Arc<Model>, config: ServerConfig) -> Batch {
    let pool = Pool::new(model.shape(), config.cache_bytes);
    let threads = Arc::new(Threads::new(1));
    let speed = Arc::new(Speedometer::start(model, &threads).unwrap());
    Batch::new(model.clone(), threads, config, pool, Arc::default(), speed)
}

fn generating(model: &Model, prompt: &[u8], spec: &GenerateSpec) -> (Job, Handle<Generation>) {
    let task = Generating::new(model, model.tokenize(prompt).unwrap(), spec, None).unwrap();
    Job::generate(task, Limits::default(), Arc::default())
}

/// Returns the output of a generation that has the model to itself.
fn alone(model: &Model, prompt: &[u8], spec: &GenerateSpec) -> Generation {
    let (input, limits) = (model.tokenize(prompt).unwrap(), Limits::default());
    let (threads, never) = (Threads::new(1), AtomicBool::new(false));
    generate(model, &threads, &input, spec, &limits, &never, &mut |_, _| ()).unwrap()
}

/// Returns a verification of an honest output of so many tokens.
fn verification(model: &Model, max_tokens: u32) -> Verifying {
    let spec = GenerateSpec { max_tokens, ..SPEC };
    let done = alone(model, b"b", &spec);
    let input = model.tokenize(b"b").unwrap();
    let transcript =
        Transcript { input, output: done.tokens, finish: done.finish, logprobs: done.logprobs };
    let task =
        Verifying::new(model, &Prompt::text(b"b"), &transcript, &spec, &Positions::All).unwrap();
    let ControlFlow::Continue(task) = task else { panic!("the form is right") };
    task
}

/// Returns a verification of an honest output of 400 tokens.
fn verifying(model: &Model) -> (Job, Handle<Verification>) {
    Job::verify(verification(model, 400), Limits::default(), Arc::default())
}

/// Returns a verification that panics in each pass that reaches the output token at `position`.
fn panicking(model: &Model, position: usize) -> (Job, Handle<Verification>) {
    let mut task = verification(model, 400);
    task.spoil(position);
    Job::verify(task, Limits::default(), Arc::default())
}

fn step(batch: &mut Batch, queue: &mut Queue) -> usize {
    batch.admit(queue);
    batch.step();
    let ended = batch.take_ended();
    let count = ended.len();
    ended.into_iter().for_each(Ended::tell);
    count
}

#[test]
fn generation_writes_a_token_each_step_during_a_verification() {
    let model = model();
    let config = ServerConfig { rows: 64, decode_rows: 16, ..ServerConfig::default() };
    let (mut batch, mut queue) = (batch(&model, config), Queue::new(4));
    let (job, handle) = generating(&model, b"a", &SPEC);
    queue.push(job).unwrap();
    step(&mut batch, &mut queue);
    assert!(handle.try_next_token().is_some());
    let (job, verdict) = verifying(&model);
    queue.push(job).unwrap();
    // 401 tokens go through, 15 with each token that is written.
    for left in (0..401usize.div_ceil(15)).rev() {
        assert_eq!(step(&mut batch, &mut queue), usize::from(left == 0));
        assert!(handle.try_next_token().is_some(), "{left} steps left");
        assert!(batch.metrics().last_rows <= 16);
    }
    assert!(matches!(verdict.wait().unwrap(), Verification::Accept { .. }));
}

#[test]
fn long_prompt_delays_nobody() {
    let model = model();
    let config = ServerConfig { rows: 32, decode_rows: 32, ..ServerConfig::default() };
    let (mut batch, mut queue) = (batch(&model, config), Queue::new(4));
    let (long, _long) = generating(&model, &[b'a'; 400], &SPEC);
    let (short, handle) = generating(&model, b"b", &SPEC);
    queue.push(long).unwrap();
    step(&mut batch, &mut queue);
    queue.push(short).unwrap();
    step(&mut batch, &mut queue);
    assert_eq!(handle.try_next_token().map(|(index, _)| index), Some(0));
}

#[test]
fn kinds_take_turns_at_admission() {
    let model = model();
    let (mut batch, mut queue) =
        (batch(&model, ServerConfig { jobs: 1, ..ServerConfig::default() }), Queue::new(4));
    let spec = GenerateSpec { max_tokens: 1, ..SPEC };
    let (jobs, handles): (Vec<Job>, Vec<_>) =
        (0..3).map(|_| generating(&model, b"a", &spec)).unzip();
    for job in jobs {
        queue.push(job).unwrap();
    }
    step(&mut batch, &mut queue);
    let (job, verdict) = verifying(&model);
    queue.push(job).unwrap();
    while step(&mut batch, &mut queue) == 0 {}
    // The verification was submitted last and ran second.
    assert!(matches!(verdict.wait().unwrap(), Verification::Accept { .. }));
    assert_eq!(queue.len(), 2);
    drop(handles);
}

#[test]
fn job_waits_for_pages_and_is_not_overtaken() {
    let model = model();
    let page = KvCache::bytes(model.shape(), 1);
    let config = ServerConfig { cache_bytes: 6 * page, ..ServerConfig::default() };
    let (mut batch, mut queue) = (batch(&model, config), Queue::new(4));
    // The jobs need four pages, four pages and one page.
    let one = GenerateSpec { max_tokens: 10, ..SPEC };
    let (jobs, _handles): (Vec<Job>, Vec<_>) = [(b"a", SPEC), (b"b", SPEC), (b"c", one)]
        .iter()
        .map(|(prompt, spec)| generating(&model, *prompt, spec))
        .unzip();
    for job in jobs {
        queue.push(job).unwrap();
    }
    step(&mut batch, &mut queue);
    assert_eq!((batch.metrics().running, queue.len()), (1, 2));
    while step(&mut batch, &mut queue) == 0 {}
    step(&mut batch, &mut queue);
    assert_eq!((batch.metrics().running, queue.len()), (2, 0));
}

#[test]
fn halves_keep_room_for_each_kind() {
    let model = model();
    let page = KvCache::bytes(model.shape(), 1);
    // A verification of 401 tokens has 26 pages, and generations of 4 pages each have as many.
    let config =
        ServerConfig { cache_bytes: 52 * page, jobs: 32, halves: true, ..ServerConfig::default() };
    let (mut batch, mut queue) = (batch(&model, config), Queue::new(64));
    let (jobs, _handles): (Vec<Job>, Vec<_>) =
        (0..9).map(|_| generating(&model, b"a", &SPEC)).unzip();
    for job in jobs {
        queue.push(job).unwrap();
    }
    step(&mut batch, &mut queue);
    assert_eq!((batch.metrics().running, queue.len()), (6, 3), "six generations fit their half");
    let (job, verdict) = verifying(&model);
    queue.push(job).unwrap();
    step(&mut batch, &mut queue);
    assert_eq!((batch.metrics().running, queue.len()), (7, 3), "the verification does not wait");
    let (second, _second) = verifying(&model);
    queue.push(second).unwrap();
    step(&mut batch, &mut queue);
    assert_eq!(queue.len(), 4, "another one waits for the first");
    while queue.len() > 0 || !batch.is_empty() {
        step(&mut batch, &mut queue);
    }
    assert!(matches!(verdict.wait().unwrap(), Verification::Accept { .. }));
}

#[test]
fn halves_keep_places_for_each_kind() {
    let model = model();
    let config = ServerConfig { jobs: 4, halves: true, ..ServerConfig::default() };
    let (mut batch, mut queue) = (batch(&model, config), Queue::new(4));
    let (jobs, _handles): (Vec<Job>, Vec<_>) =
        (0..3).map(|_| generating(&model, b"a", &SPEC)).unzip();
    for job in jobs {
        queue.push(job).unwrap();
    }
    step(&mut batch, &mut queue);
    assert_eq!((batch.metrics().running, queue.len()), (2, 1));
    let (job, _verdict) = verifying(&model);
    queue.push(job).unwrap();
    step(&mut batch, &mut queue);
    assert_eq!((batch.metrics().running, queue.len()), (3, 1));
}

#[test]
fn job_that_is_cancelled_while_it_waits_or_runs_ends() {
    let model = model();
    let config = ServerConfig { jobs: 1, ..ServerConfig::default() };
    let (mut batch, mut queue) = (batch(&model, config), Queue::new(4));
    let (running, first) = generating(&model, b"a", &SPEC);
    let (waiting, second) = generating(&model, b"b", &SPEC);
    queue.push(running).unwrap();
    queue.push(waiting).unwrap();
    step(&mut batch, &mut queue);
    first.cancel();
    second.cancel();
    step(&mut batch, &mut queue);
    assert!(matches!(first.wait(), Err(EngineError::Cancelled { tokens: 2 })));
    assert!(matches!(second.wait(), Err(EngineError::Cancelled { tokens: 0 })));
    assert!(batch.is_empty());
}

#[test]
fn job_that_panics_ends_and_the_others_have_the_bits_that_they_have_alone() {
    let model = model();
    // The panic comes at several stages of the other jobs.
    for position in [0, 30, 170, 399] {
        for prefix_cache in [false, true] {
            let config =
                ServerConfig { rows: 64, decode_rows: 24, prefix_cache, ..ServerConfig::default() };
            let (mut batch, mut queue) = (batch(&model, config), Queue::new(8));
            let sampling = Sampling { temperature: 65_536, ..Sampling::GREEDY };
            let spec = GenerateSpec {
                sample: SampleSpec { key: [6; 32], sampling },
                max_tokens: 90,
                ..SPEC
            };
            let prompts = [&b"aaaaaaaaaaaaaaaaaaaaa"[..], b"aaaaaaaaaaaaaaaaaaaab", b"c"];
            let (mut jobs, handles): (Vec<Job>, Vec<_>) =
                prompts.iter().map(|prompt| generating(&model, prompt, &spec)).unzip();
            queue.push(jobs.remove(0)).unwrap();
            // The first has written some tokens when the others come.
            for _ in 0..5 {
                step(&mut batch, &mut queue);
            }
            let (bad, panicked) = panicking(&model, position);
            let (honest, verdict) = verifying(&model);
            for job in jobs.into_iter().chain([bad, honest]) {
                queue.push(job).unwrap();
            }
            while queue.len() > 0 || !batch.is_empty() {
                step(&mut batch, &mut queue);
            }
            match panicked.wait() {
                Err(EngineError::Panicked { message }) => {
                    assert!(message.contains("index out of bounds"), "{message}");
                }
                other => panic!("{other:?}"),
            }
            for (handle, prompt) in handles.into_iter().zip(prompts) {
                let expected = alone(&model, prompt, &spec);
                let streamed: Vec<u32> =
                    std::iter::from_fn(|| handle.next_token()).map(|(_, token)| token).collect();
                assert_eq!(streamed, expected.tokens, "each token comes once");
                assert_eq!(handle.wait().unwrap(), expected);
            }
            let root = alone(&model, b"b", &GenerateSpec { max_tokens: 400, ..SPEC }).digest_root;
            let accept = Verification::Accept { digest_root: Some(root) };
            assert_eq!(verdict.wait().unwrap(), accept);
            let metrics = batch.metrics();
            assert_eq!(metrics.pages_used, metrics.pages_cached);
        }
    }
}

#[test]
fn each_of_two_jobs_that_panic_ends() {
    let model = model();
    let (mut batch, mut queue) = (batch(&model, ServerConfig::default()), Queue::new(4));
    let (first, one) = panicking(&model, 50);
    let (second, other) = panicking(&model, 10);
    let (honest, handle) = generating(&model, b"a", &SPEC);
    for job in [first, second, honest] {
        queue.push(job).unwrap();
    }
    while queue.len() > 0 || !batch.is_empty() {
        step(&mut batch, &mut queue);
    }
    for panicked in [one, other] {
        assert!(matches!(panicked.wait(), Err(EngineError::Panicked { .. })));
    }
    assert_eq!(handle.wait().unwrap(), alone(&model, b"a", &SPEC));
}

#[test]
fn new_job_waits_until_the_suspects_are_through() {
    let model = model();
    let config = ServerConfig { rows: 16, decode_rows: 16, ..ServerConfig::default() };
    let (mut batch, mut queue) = (batch(&model, config), Queue::new(4));
    let (bad, panicked) = panicking(&model, 100);
    let (honest, _handle) = generating(&model, b"a", &SPEC);
    queue.push(bad).unwrap();
    queue.push(honest).unwrap();
    step(&mut batch, &mut queue);
    while batch.metrics().pages_used > 0 {
        // The pass that panics drops all pages.
        step(&mut batch, &mut queue);
    }
    let (late, handle) = generating(&model, b"c", &SPEC);
    queue.push(late).unwrap();
    step(&mut batch, &mut queue);
    assert_eq!((queue.len(), batch.metrics().running), (1, 2));
    while queue.len() > 0 || !batch.is_empty() {
        step(&mut batch, &mut queue);
    }
    assert!(matches!(panicked.wait(), Err(EngineError::Panicked { .. })));
    assert_eq!(handle.wait().unwrap(), alone(&model, b"c", &SPEC));
}
