// SPDX-License-Identifier: Apache-2.0
//! Jobs that run together produce the bits that they produce alone.

mod models;

use assay_engine::{
    draft::{Drafter, ModelDrafter, PromptLookup},
    generate_with_draft,
    serve::{GenerateJob, Handle, Server, ServerConfig, VerifyJob},
    synthetic::Synthetic,
    verify, EngineError, GenerateSpec, Generation, Limits, Model, Positions, Prompt, SampleSpec,
    Session, StopStrings, Threads, Transcript, Verification,
};
use models::{check, model, rows, run, sampled, spec, transcript, NEVER};
use proptest::prelude::{any, prop, prop_assert_eq, proptest, ProptestConfig, Strategy};
use std::{
    cell::Cell,
    sync::{atomic::AtomicBool, Arc},
    time::{Duration, Instant},
};

fn synthetic() -> Arc<Model> {
    Arc::new(model(Synthetic::default()))
}

fn generation(model: &Model, prompt: &[u8], spec: &GenerateSpec) -> GenerateJob {
    GenerateJob {
        input: model.tokenize(prompt).unwrap(),
        spec: spec.clone(),
        limits: Limits::default(),
        cancel: Arc::default(),
        drafter: None,
    }
}

fn verification(prompt: &[u8], transcript: Transcript, spec: &GenerateSpec) -> VerifyJob {
    VerifyJob {
        prompt: Prompt::text(prompt),
        transcript,
        spec: spec.clone(),
        positions: Positions::All,
        limits: Limits::default(),
        cancel: Arc::default(),
    }
}

fn server(model: &Arc<Model>, threads: usize, config: ServerConfig) -> Server {
    Server::start(model.clone(), Arc::new(Threads::new(threads)), config).unwrap()
}

/// A drafter that guesses correctly except for every n-th token, where it returns a wrong token or
/// stops.
struct Guess {
    right: Vec<u32>,
    wrong_every: usize,
}

impl Drafter for Guess {
    fn draft(&mut self, _sample: &SampleSpec, tokens: &[u32], count: usize) -> Vec<u32> {
        // It drafts one more than requested.
        let places = tokens.len()..=tokens.len() + count;
        let guess = |at: usize| match self.right.get(at).copied().unwrap_or(1) {
            _ if at.is_multiple_of(2 * self.wrong_every) => u32::MAX,
            right if at.is_multiple_of(self.wrong_every) => right ^ 1,
            right => right,
        };
        places.map(guess).collect()
    }
}

/// A drafter that panics in a call, and in later ones if `again` is set.
struct Panics {
    calls: usize,
    at: usize,
    again: bool,
}

impl Drafter for Panics {
    fn draft(&mut self, _sample: &SampleSpec, _tokens: &[u32], _count: usize) -> Vec<u32> {
        self.calls += 1;
        assert!(self.calls <= self.at || (!self.again && self.calls > self.at + 1), "a bad draft");
        Vec::new()
    }
}

/// A drafter that panics when its job has ended.
struct PanicsAtTheEnd;

impl Drafter for PanicsAtTheEnd {
    fn draft(&mut self, _sample: &SampleSpec, _tokens: &[u32], _count: usize) -> Vec<u32> {
        Vec::new()
    }
}

impl Drop for PanicsAtTheEnd {
    fn drop(&mut self) {
        panic!("a bad end");
    }
}

#[derive(Clone, Debug)]
struct Mixed {
    prompt: Vec<u8>,
    max_tokens: u32,
    temperature: u32,
    /// 0 generates, 1 generates with a draft, 2 verifies, 3 verifies an edited output, 4 generates
    /// with a drafter that panics.
    what: u8,
    /// Whether the output ends at two bytes from its middle.
    stops: bool,
    cancelled: bool,
}

fn mixed() -> impl Strategy<Value = Mixed> {
    // There are few letters, so that prompts share beginnings.
    let prompt = (0usize..70, prop::collection::vec(97u8..99, 0..20))
        .prop_map(|(same, rest)| [vec![b'a'; same], rest].concat());
    let max_tokens = prop::sample::select(vec![1u32, 2, 15, 40, 90]);
    let temperature = prop::sample::select(vec![0u32, 65_536]);
    (prompt, max_tokens, temperature, 0u8..5, any::<bool>(), prop::bool::weighted(0.15)).prop_map(
        |(prompt, max_tokens, temperature, what, stops, cancelled)| Mixed {
            prompt,
            max_tokens,
            temperature,
            what,
            stops,
            cancelled,
        },
    )
}

enum Expected {
    Generation(Handle<Generation>, Generation),
    /// A generation that may panic before its end.
    Panic(Handle<Generation>, Generation),
    Verification(Handle<Verification>, Verification),
}

/// Submits one job of the mix, with the result of running it alone.
fn submit(server: &Server, job: &Mixed) -> Expected {
    let model = server.model();
    let mut spec = spec(sampled(job.temperature, 0, 65_536, 7), job.max_tokens);
    let mut alone = run(model, &job.prompt, &spec);
    if job.stops {
        let text = model.detokenize(&alone.tokens);
        let middle = text.len() / 2;
        spec.stops = StopStrings::new([&text[middle..text.len().min(middle + 2)]]);
        alone = run(model, &job.prompt, &spec);
    }
    if job.what == 4 {
        let (at, again) = (job.prompt.len() % 7, job.prompt.len().is_multiple_of(2));
        let drafter: Box<dyn Drafter> = Box::new(Panics { calls: 0, at, again });
        let submitted = generation(model, &job.prompt, &spec);
        let submitted = GenerateJob { drafter: Some(drafter), ..submitted };
        Expected::Panic(server.generate(submitted).unwrap(), alone)
    } else if job.what < 2 {
        let mut submitted = generation(model, &job.prompt, &spec);
        if job.what == 1 {
            let right = [model.tokenize(&job.prompt).unwrap(), alone.tokens.clone()].concat();
            submitted.drafter = Some(Box::new(Guess { right, wrong_every: 5 }));
        }
        Expected::Generation(server.generate(submitted).unwrap(), alone)
    } else {
        let mut transcript = transcript(model, &job.prompt, &alone);
        if job.what == 3 {
            let middle = transcript.output.len() / 2;
            transcript.output[middle] ^= 1;
        }
        let verdict = check(model, &job.prompt, &transcript, &spec, &Positions::All).unwrap();
        let submitted = verification(&job.prompt, transcript, &spec);
        Expected::Verification(server.verify(submitted).unwrap(), verdict)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn jobs_together_return_what_they_return_alone(
        jobs in prop::collection::vec(mixed(), 1..14),
        threads in prop::sample::select(vec![1usize, 2, 4]),
        rows in prop::sample::select(vec![7usize, 16, 50, 128]),
        pages in prop::sample::select(vec![12u64, 20, 100]),
        running in 1usize..8,
        prefix_cache in any::<bool>(),
        halves in any::<bool>(),
    ) {
        let model = synthetic();
        let page = 2 * 2 * 32 * 16 * 4;
        // Half of the doubled pages are then as many.
        let pages = if halves { 2 * pages } else { pages };
        let config = ServerConfig {
            cache_bytes: pages * page,
            jobs: running,
            queue: 64,
            rows,
            decode_rows: rows / 2 + 1,
            prefix_cache,
            halves,
        };
        let server = server(&model, threads, config);
        prop_assert_eq!(server.metrics().pages_limit as u64, pages);
        let submitted: Vec<(Expected, bool)> =
            jobs.iter().map(|job| (submit(&server, job), job.cancelled)).collect();
        for (expected, cancelled) in &submitted {
            match expected {
                Expected::Generation(handle, _) | Expected::Panic(handle, _) if *cancelled => {
                    handle.cancel();
                }
                Expected::Verification(handle, _) if *cancelled => handle.cancel(),
                _ => {}
            }
        }
        for (expected, cancelled) in submitted {
            let may_panic = matches!(&expected, Expected::Panic(..));
            match expected {
                Expected::Generation(handle, alone) | Expected::Panic(handle, alone) => {
                    let mut streamed = Vec::new();
                    while let Some((index, token)) = handle.next_token() {
                        prop_assert_eq!(index as usize, streamed.len());
                        streamed.push(token);
                    }
                    match handle.wait() {
                        Ok(generation) => {
                            prop_assert_eq!(&streamed, &generation.tokens);
                            prop_assert_eq!(generation, alone);
                        }
                        Err(EngineError::Cancelled { .. }) if cancelled => {
                            prop_assert_eq!(&streamed[..], &alone.tokens[..streamed.len()]);
                        }
                        Err(EngineError::Panicked { message }) if may_panic => {
                            prop_assert_eq!(message, "a bad draft");
                            prop_assert_eq!(&streamed[..], &alone.tokens[..streamed.len()]);
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                Expected::Verification(handle, alone) => match handle.wait() {
                    Ok(verification) => prop_assert_eq!(verification, alone),
                    Err(EngineError::Cancelled { .. }) if cancelled => {}
                    Err(error) => panic!("{error}"),
                },
            }
        }
        let metrics = server.metrics();
        prop_assert_eq!((metrics.waiting, metrics.running), (0, 0));
        prop_assert_eq!(metrics.pages_used, metrics.pages_cached);
    }
}

#[test]
fn prefix_of_an_earlier_job_is_not_computed_again() {
    let model = synthetic();
    let server = server(&model, 2, ServerConfig::default());
    let prompt = [b'x'; 100];
    let spec = spec(sampled(65_536, 0, 65_536, 3), 50);
    let alone = run(&model, &prompt, &spec);
    let first = server.generate(generation(&model, &prompt, &spec)).unwrap().wait().unwrap();
    assert_eq!(server.metrics().reused, 0);
    let again = server.generate(generation(&model, &prompt, &spec)).unwrap().wait().unwrap();
    // The input has 101 tokens, of which the last chooses the first output token.
    assert_eq!(server.metrics().reused, 96);
    let claimed = transcript(&model, &prompt, &first);
    let verdict = server.verify(verification(&prompt, claimed, &spec)).unwrap().wait().unwrap();
    assert_eq!(server.metrics().reused, 192);
    assert_eq!((&first, &again), (&alone, &alone));
    assert_eq!(verdict, Verification::Accept { digest_root: Some(alone.digest_root) });
}

#[test]
fn server_refuses_more_than_its_queue() {
    let model = synthetic();
    // There is room for one job at a time.
    let config = ServerConfig { jobs: 1, queue: 2, ..ServerConfig::default() };
    let server = server(&model, 1, config);
    let spec = spec(sampled(0, 0, 65_536, 1), 400);
    let mut handles = Vec::new();
    let refused = loop {
        match server.generate(generation(&model, b"a", &spec)) {
            Ok(handle) => handles.push(handle),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, EngineError::QueueFull { waiting: 2 }), "{refused}");
    // Verifications have a line of their own.
    let done = run(&model, b"a", &spec);
    let job = verification(b"a", transcript(&model, b"a", &done), &spec);
    let verdict = server.verify(job).unwrap();
    for handle in handles {
        assert_eq!(handle.wait().unwrap(), done);
    }
    assert!(matches!(verdict.wait().unwrap(), Verification::Accept { .. }));
}

#[test]
fn server_refuses_jobs_that_no_one_can_run() {
    let model = synthetic();
    let config = ServerConfig { cache_bytes: 100_000, ..ServerConfig::default() };
    let server = server(&model, 1, config);
    let greedy = sampled(0, 0, 65_536, 1);
    let submit = |prompt: &[u8], max, limits| {
        let job = GenerateJob { limits, ..generation(&model, prompt, &spec(greedy, max)) };
        server.generate(job).map(|_| ()).unwrap_err()
    };
    let limits = Limits::default();
    assert!(matches!(submit(b"a", 0, limits), EngineError::MaxTokensZero));
    assert!(matches!(submit(b"a", 511, limits), EngineError::PromptTooLong { .. }));
    // 211 tokens need 14 pages of 8 KiB, but the cache has 12.
    let error = submit(b"a", 210, limits);
    assert!(
        matches!(error, EngineError::MemoryLimit { needed: 114_688, limit: 98_304 }),
        "{error}"
    );
    let small = Limits { memory_bytes: 20_000, ..limits };
    assert!(matches!(submit(b"a", 40, small), EngineError::MemoryLimit { limit: 20_000, .. }));
    let late = Limits { deadline: Some(Instant::now()), ..limits };
    let job = GenerateJob { limits: late, ..generation(&model, b"a", &spec(greedy, 5)) };
    let result = server.generate(job).unwrap().wait();
    assert!(matches!(result, Err(EngineError::Deadline { tokens: 0 })));
}

#[test]
fn deadline_ends_a_job_and_no_other() {
    let model = synthetic();
    let server = server(&model, 2, ServerConfig::default());
    let spec = spec(sampled(0, 0, 65_536, 1), 500);
    let other = server.generate(generation(&model, b"a", &spec)).unwrap();
    let limits =
        Limits { deadline: Some(Instant::now() + Duration::from_micros(500)), ..Limits::default() };
    let job = GenerateJob { limits, ..generation(&model, b"b", &spec) };
    let late = server.generate(job).unwrap().wait();
    assert!(matches!(late, Err(EngineError::Deadline { .. })), "{late:?}");
    assert_eq!(other.wait().unwrap(), run(&model, b"a", &spec));
}

#[test]
fn server_that_is_dropped_ends_its_jobs() {
    let model = synthetic();
    let server = server(&model, 1, ServerConfig { jobs: 1, ..ServerConfig::default() });
    let spec = spec(sampled(0, 0, 65_536, 1), 500);
    let mut handles: Vec<_> =
        (0..60).map(|_| server.generate(generation(&model, b"a", &spec)).unwrap()).collect();
    assert_eq!(handles[0].next_token().map(|(index, _)| index), Some(0));
    drop(server);
    let last = handles.pop().unwrap();
    assert!(matches!(last.wait(), Err(EngineError::ServerClosed)));
}

#[test]
fn job_that_panics_alone_ends_with_the_message_and_the_next_one_runs() {
    let model = synthetic();
    let server = server(&model, 2, ServerConfig::default());
    let spec = spec(sampled(0, 0, 65_536, 1), 60);
    let drafter: Option<Box<dyn Drafter>> = Some(Box::new(Panics { calls: 0, at: 0, again: true }));
    let bad = server.generate(GenerateJob { drafter, ..generation(&model, b"a", &spec) }).unwrap();
    match bad.wait() {
        Err(EngineError::Panicked { message }) => assert_eq!(message, "a bad draft"),
        other => panic!("{other:?}"),
    }
    assert!(!server.is_closed());
    let next = server.generate(generation(&model, b"a", &spec)).unwrap();
    assert_eq!(next.wait().unwrap(), run(&model, b"a", &spec));
}

#[test]
fn job_whose_end_panics_ends_with_the_message() {
    let model = synthetic();
    let server = server(&model, 1, ServerConfig::default());
    let spec = spec(sampled(0, 0, 65_536, 1), 2);
    let drafter: Option<Box<dyn Drafter>> = Some(Box::new(PanicsAtTheEnd));
    let bad = server.generate(GenerateJob { drafter, ..generation(&model, b"a", &spec) }).unwrap();
    match bad.wait() {
        Err(EngineError::Panicked { message }) => assert_eq!(message, "a bad end"),
        other => panic!("{other:?}"),
    }
    let next = server.generate(generation(&model, b"a", &spec)).unwrap();
    assert_eq!(next.wait().unwrap(), run(&model, b"a", &spec));
}

#[test]
fn server_that_panics_between_passes_is_closed_and_says_why() {
    let model = synthetic();
    let server = server(&model, 1, ServerConfig { jobs: 1, ..ServerConfig::default() });
    let spec = spec(sampled(0, 0, 65_536, 1), 500);
    let running = server.generate(generation(&model, b"a", &spec)).unwrap();
    assert!(running.next_token().is_some());
    // The server drops a job that is cancelled while it waits, and with it the drafter.
    let drafter: Option<Box<dyn Drafter>> = Some(Box::new(PanicsAtTheEnd));
    let bad = server.generate(GenerateJob { drafter, ..generation(&model, b"b", &spec) }).unwrap();
    bad.cancel();
    assert!(matches!(running.wait(), Err(EngineError::ServerClosed)));
    assert_eq!(server.wait().as_deref(), Some("a bad end"));
    assert!(server.is_closed());
    let late = server.generate(generation(&model, b"a", &spec)).map(|_| ());
    assert!(matches!(late, Err(EngineError::ServerClosed)));
}

#[test]
fn server_that_is_closed_ends_without_a_panic() {
    let model = synthetic();
    let server = server(&model, 1, ServerConfig::default());
    assert!(!server.is_closed());
    server.close();
    assert_eq!(server.wait(), None);
    assert!(server.is_closed());
}

#[test]
fn server_calls_the_hook_of_its_threads_before_anything_else() {
    thread_local! {
        static STARTED: Cell<bool> = const { Cell::new(false) };
    }
    struct Started;
    impl Drafter for Started {
        fn draft(&mut self, _sample: &SampleSpec, _tokens: &[u32], _count: usize) -> Vec<u32> {
            assert!(STARTED.get(), "the hook was not called");
            Vec::new()
        }
    }
    let model = synthetic();
    let threads = Threads::start(Arc::default(), 2, || STARTED.set(true));
    let server = Server::start(model.clone(), Arc::new(threads), ServerConfig::default()).unwrap();
    let spec = spec(sampled(0, 0, 65_536, 1), 20);
    let drafter: Option<Box<dyn Drafter>> = Some(Box::new(Started));
    let job = server.generate(GenerateJob { drafter, ..generation(&model, b"a", &spec) }).unwrap();
    assert_eq!(job.wait().unwrap(), run(&model, b"a", &spec));
}

#[test]
fn handle_that_is_dropped_cancels_its_job() {
    let model = synthetic();
    let server = server(&model, 1, ServerConfig { jobs: 1, ..ServerConfig::default() });
    let spec = spec(sampled(0, 0, 65_536, 1), 300);
    let cancel = Arc::new(AtomicBool::new(false));
    let job = GenerateJob { cancel: cancel.clone(), ..generation(&model, b"a", &spec) };
    drop(server.generate(job).unwrap());
    assert!(cancel.load(std::sync::atomic::Ordering::Relaxed));
    // The next job gets its turn.
    let handle = server.generate(generation(&model, b"b", &spec)).unwrap();
    assert_eq!(handle.wait().unwrap(), run(&model, b"b", &spec));
}

fn drafted(model: &Model, prompt: &[u8], spec: &GenerateSpec, drafter: Box<dyn Drafter>) {
    let (input, threads, limits) =
        (model.tokenize(prompt).unwrap(), Threads::new(2), Limits::default());
    let mut streamed = Vec::new();
    let mut on_token = |_, token| streamed.push(token);
    let done =
        generate_with_draft(model, &threads, &input, drafter, spec, &limits, &NEVER, &mut on_token);
    let alone = run(model, prompt, spec);
    assert_eq!(streamed, alone.tokens);
    assert_eq!(done.unwrap(), alone);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn drafts_change_no_bit(
        letters in prop::collection::vec(97u8..100, 1..60),
        max_tokens in 1u32..120,
        temperature in prop::sample::select(vec![0u32, 20_000, 65_536]),
        top_k in prop::sample::select(vec![0u32, 5]),
        seed in any::<u64>(),
        wrong_every in 1usize..20,
    ) {
        let models = [model(Synthetic::default()), Model::tiny().unwrap()];
        for model in models {
            let spec = spec(sampled(temperature, top_k, 65_536, seed), max_tokens);
            drafted(&model, &letters, &spec, Box::new(PromptLookup));
            let right = [model.tokenize(&letters).unwrap(), run(&model, &letters, &spec).tokens].concat();
            drafted(&model, &letters, &spec, Box::new(Guess { right, wrong_every }));
        }
    }
}

#[test]
fn smaller_model_drafts_and_changes_no_bit() {
    let tiny = Model::tiny().unwrap();
    let (q4, other) = (Arc::new(tiny.requantised_q4_0().unwrap()), synthetic());
    for drafting in [q4, other] {
        for temperature in [0, 65_536] {
            let spec = spec(sampled(temperature, 0, 65_536, 11), 150);
            let threads = Arc::new(Threads::new(1));
            let limits = Limits::default();
            let drafter = ModelDrafter::new(drafting.clone(), threads, &tiny, 170, &limits);
            drafted(&tiny, b"And it came to pass", &spec, Box::new(drafter.unwrap()));
        }
    }
}

#[test]
fn model_drafter_refuses_what_it_cannot_do() {
    let tiny = Arc::new(Model::tiny().unwrap());
    let threads = Arc::new(Threads::new(1));
    let small = Limits { memory_bytes: 1000, ..Limits::default() };
    let result = ModelDrafter::new(tiny.clone(), threads, &tiny, 100, &small);
    assert!(matches!(result, Err(EngineError::MemoryLimit { limit: 1000, .. })));
}

#[test]
fn verify_keeps_its_limits() {
    let (model, threads) = (synthetic(), Threads::new(1));
    let spec = spec(sampled(0, 0, 65_536, 1), 100);
    let claimed = transcript(&model, b"a", &run(&model, b"a", &spec));
    let verdict = |limits: &Limits, cancel: &AtomicBool| {
        verify(
            &model,
            &threads,
            &Prompt::text(b"a"),
            &claimed,
            &spec,
            &Positions::All,
            limits,
            cancel,
        )
    };
    let small = Limits { memory_bytes: 10_000, ..Limits::default() };
    assert!(matches!(verdict(&small, &NEVER), Err(EngineError::MemoryLimit { limit: 10_000, .. })));
    let late = Limits { deadline: Some(Instant::now()), ..Limits::default() };
    assert!(matches!(verdict(&late, &NEVER), Err(EngineError::Deadline { tokens: 0 })));
    let cancelled = verdict(&Limits::default(), &AtomicBool::new(true));
    assert!(matches!(cancelled, Err(EngineError::Cancelled { tokens: 0 })));
}

#[test]
fn session_that_is_rolled_back_returns_the_same_rows() {
    let (model, threads, limits) = (synthetic(), Threads::new(2), Limits::default());
    let tokens: Vec<u32> = (0..200).map(|i| i * 7 % 256).collect();
    let expected = rows(&model, &threads, &tokens, 200);
    let mut session = Session::new(&model, &threads, 200, &limits).unwrap();
    session.forward(&tokens, &limits, &NEVER, &|_| false, &|_| ()).unwrap();
    for (wrong, from) in [(37, 5), (60, 60), (100, 16), (20, 0)] {
        session.truncate(from);
        let other = vec![255; wrong];
        session.forward(&other, &limits, &NEVER, &|_| false, &|_| ()).unwrap();
        session.truncate(from);
        let got = session
            .forward(&tokens[from..], &limits, &NEVER, &|_| true, &|row| row.logits.to_vec())
            .unwrap();
        assert!(got == expected[from..], "from {from}");
    }
}
