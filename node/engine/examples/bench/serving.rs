// SPDX-License-Identifier: Apache-2.0
//! Measures a server: several jobs at a time, and the first token after a prompt that begins with a cached prefix.

use crate::{lengths::full, median, Bench};
use anyhow::{Context, Result};
use assay_engine::{
    serve::{GenerateJob, Handle, Server, ServerConfig},
    GenerateSpec, Generation, SampleSpec, Sampling,
};
use std::{sync::Arc, time::Instant};

/// The number of tokens after a prefix that is kept.
const QUESTION: usize = 16;

impl Bench {
    fn server(&self, prefix_cache: bool) -> Result<Server> {
        let config = ServerConfig { prefix_cache, ..ServerConfig::default() };
        Ok(Server::start(self.model.clone(), self.threads.clone(), config)?)
    }

    fn send(
        &self,
        server: &Server,
        input: &[u32],
        spec: &GenerateSpec,
    ) -> Result<Handle<Generation>> {
        let (input, spec) = (input.to_vec(), spec.clone());
        let (limits, cancel) = (self.limits, Arc::default());
        Ok(server.generate(GenerateJob { input, spec, limits, cancel, drafter: None })?)
    }

    /// Returns the seconds of jobs that run together, each of `tokens` output tokens.
    pub fn batch(&self, input: &[u32], jobs: usize, tokens: u32) -> Result<f64> {
        let server = self.server(false)?;
        let spec = full(self, input, tokens)?;
        let begun = Instant::now();
        let handles: Vec<_> =
            (0..jobs).map(|_| self.send(&server, input, &spec)).collect::<Result<_>>()?;
        for handle in handles {
            handle.wait()?;
        }
        Ok(begun.elapsed().as_secs_f64())
    }

    /// Returns the median seconds to the first token after a prefix of so many tokens that is new,
    /// and after the same prefix when the server has kept it, each with a question of its own.
    pub fn first_token(&self, text: &[u32], prefix: usize, rounds: u32) -> Result<(f64, f64)> {
        let server = self.server(true)?;
        let spec = GenerateSpec::new(SampleSpec::new(0, &[0; 32], Sampling::GREEDY), 1, [0; 32]);
        let (mut new, mut kept) = (vec![], vec![]);
        for round in 0..rounds as usize {
            let from = |start: usize| text.iter().copied().cycle().skip(start);
            let prefix: Vec<u32> = from(round).take(prefix).collect();
            for (question, seconds) in [&mut new, &mut kept].into_iter().enumerate() {
                let question = from(round + 7 * question + 1).take(QUESTION);
                let input: Vec<u32> = prefix.iter().copied().chain(question).collect();
                let begun = Instant::now();
                let handle = self.send(&server, &input, &spec)?;
                handle.next_token().context("the server gave no token")?;
                seconds.push(begun.elapsed().as_secs_f64());
                handle.wait()?;
            }
        }
        Ok((median(new), median(kept)))
    }
}
