// SPDX-License-Identifier: Apache-2.0
//! Generations by the paths that must agree with one alone: with others in a server, and with guesses.

use super::NEVER;
use assay_engine::{
    draft::PromptLookup,
    generate_with_draft,
    serve::{GenerateJob, Server},
    GenerateSpec, Generation, Limits, Model, Threads,
};
use std::sync::Arc;

/// Generates the outputs of these jobs together. Every second one has guesses, from the first on if `turn` is
/// even and from the second on if it is odd.
pub fn together(
    server: &Server,
    input: &[u32],
    jobs: &[GenerateSpec],
    turn: usize,
) -> Vec<Generation> {
    let send = |(at, spec): (usize, &GenerateSpec)| {
        let job = GenerateJob {
            input: input.to_vec(),
            spec: spec.clone(),
            limits: Limits::default(),
            cancel: Arc::default(),
            drafter: (at % 2 == turn % 2).then(|| Box::new(PromptLookup) as _),
        };
        server.generate(job).expect("room for the job")
    };
    let handles: Vec<_> = jobs.iter().enumerate().map(send).collect();
    handles.into_iter().map(|handle| handle.wait().expect("an honest job")).collect()
}

/// Generates the output of a job with guesses.
pub fn drafted(model: &Model, threads: &Threads, input: &[u32], spec: &GenerateSpec) -> Generation {
    let (drafter, limits) = (Box::new(PromptLookup), Limits::default());
    generate_with_draft(model, threads, input, drafter, spec, &limits, &NEVER, &mut |_, _| ())
        .expect("an honest job")
}
