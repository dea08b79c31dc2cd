// SPDX-License-Identifier: Apache-2.0
//! Where the output of a job comes from: the transcript that was committed, this node's own stream,
//! or what the nodes around say.

use super::assay::{error, Deps, Output, OutputItem};
use crate::exchange::{local_page, Page, PAGE_TOKENS};
use assay_primitives::{
    api::{AssayApi, JobView},
    job::{JobId, JobState, ModelId},
    settlement::Settlement,
    worker::Transcript,
};
use assay_runtime::AccountId;
use assay_worker::{StoreError, MAX_PAYLOAD_BYTES};
use codec::Decode;
use jsonrpsee::{core::RpcResult, SubscriptionMessage, SubscriptionSink};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::H256;
use std::time::{Duration, Instant};

/// How often another node is asked for the tokens of a job that runs there.
const REMOTE_INTERVAL: Duration = Duration::from_millis(250);
/// How often the chain is asked where a job is.
const CHAIN_INTERVAL: Duration = Duration::from_secs(1);
/// How long a subscription waits for a job that no node has tokens of.
const PATIENCE: Duration = Duration::from_secs(600);
/// The same once the job is settled: whatever there is of it can be had by now.
const PATIENCE_AFTER: Duration = Duration::from_secs(30);

impl Deps {
    /// Runs what reads the disk or calls the runtime where it holds nobody up.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Self) -> RpcResult<T> + Send + 'static,
    ) -> RpcResult<T> {
        let deps = self.clone();
        tokio::task::spawn_blocking(move || run(&deps))
            .await
            .map_err(|failure| error(failure.to_string()))?
    }

    async fn view(&self, job: JobId) -> RpcResult<Option<JobView<AccountId>>> {
        self.blocking(move |deps| {
            let best = deps.client.info().best_hash;
            deps.client.runtime_api().job(best, job).map_err(|failure| error(failure.to_string()))
        })
        .await
    }

    /// The output of a job, as far as it is known; `None` of one that the chain does not know.
    pub(super) async fn output_of(&self, job: JobId) -> RpcResult<Option<Output>> {
        let Some(view) = self.view(job).await? else { return Ok(None) };
        if let Some(payload) = self.transcript(job, &view.state).await? {
            return Ok(Output::proven(payload));
        }
        let Some(page) = self.whole(&job, view.spec.max_tokens).await else { return Ok(None) };
        let bytes = self.bytes(view.spec.model, &page.tokens).await;
        Ok(Some(Output {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes: bytes.into(),
            tokens: page.tokens,
            finish: page.finish.map(|finish| finish.label().to_string()),
            transcript: None,
        }))
    }

    /// The transcript that was committed, from here or from the nodes around; kept.
    async fn transcript(
        &self,
        job: JobId,
        state: &JobState<AccountId>,
    ) -> RpcResult<Option<Vec<u8>>> {
        let Some(hash) = committed(state) else { return Ok(None) };
        let stored = |failure: StoreError| error(failure.to_string());
        let here = self.blocking(move |deps| deps.worker.payload(&hash).map_err(stored)).await?;
        if here.is_some() {
            return Ok(here);
        }
        let Some(payload) = self.exchange.payload(hash, &[]).await else { return Ok(None) };
        self.blocking(move |deps| {
            deps.worker.keep_output(&job, &payload).map_err(stored)?;
            Ok(Some(payload))
        })
        .await
    }

    /// A page from here, or from the nodes around, of an output of at most so many tokens.
    async fn page(&self, job: &JobId, index: u32, most: u32) -> Option<Page> {
        let id = *job;
        let here = self.blocking(move |deps| Ok(local_page(&deps.worker, &id, index))).await;
        match here.ok().flatten() {
            Some(page) => Some(page),
            None => self.exchange.page(*job, index, most).await,
        }
    }

    /// All pages so far as one.
    async fn whole(&self, job: &JobId, most: u32) -> Option<Page> {
        let mut whole = self.page(job, 0, most).await?;
        let mut last = whole.tokens.len();
        // A page that is not full is the last one, whether or not the output ends with it.
        while whole.finish.is_none() && last == PAGE_TOKENS && whole.tokens.len() < most as usize {
            let next = self.page(job, whole.tokens.len() as u32, most).await?;
            last = next.tokens.len();
            whole.tokens.extend(next.tokens);
            whole.finish = next.finish;
        }
        Some(whole)
    }

    /// What the tokens stand for: by this node where it has the model, otherwise by one around.
    async fn bytes(&self, model: ModelId, tokens: &[u32]) -> Vec<u8> {
        let own = tokens.to_vec();
        let here = self.blocking(move |deps| Ok(deps.worker.detokenize(&model, &own))).await;
        match here.ok().flatten() {
            Some(bytes) => bytes,
            None => self.exchange.text(model, tokens, MAX_PAYLOAD_BYTES).await.unwrap_or_default(),
        }
    }

    /// Sends tokens as they come, until the output or the listener's interest ends. A slow listener
    /// is waited for and costs nothing: the tokens are kept anyway.
    pub(super) async fn stream(&self, sink: SubscriptionSink, job: JobId, from: u32) {
        tokio::select! {
            () = self.send_all(&sink, job, from) => {},
            () = sink.closed() => {},
        }
    }

    async fn send_all(&self, sink: &SubscriptionSink, job: JobId, from: u32) {
        let mut index = from;
        let mut progress = Instant::now();
        let mut looked: Option<(Instant, Option<JobView<AccountId>>)> = None;
        loop {
            if looked.as_ref().is_none_or(|(at, _)| at.elapsed() >= CHAIN_INTERVAL) {
                let view = self.view(job).await.ok().flatten();
                looked = Some((Instant::now(), view));
            }
            let view = looked.as_ref().and_then(|(_, view)| view.as_ref());
            let mut listener = self.worker.stream(&job).map(|stream| stream.listen());
            // Nobody has tokens of a job that nobody runs.
            let runs = view.filter(|view| has_tokens(&view.state));
            let page = match runs {
                Some(view) => self.page(&job, index, view.spec.max_tokens).await,
                None => None,
            };
            let page = page.filter(|page| !page.tokens.is_empty() || page.finish.is_some());
            if let (Some(page), Some(view)) = (page, runs) {
                progress = Instant::now();
                let next = page.index.saturating_add(page.tokens.len() as u32);
                let item = OutputItem {
                    index: page.index,
                    bytes: self.bytes(view.spec.model, &page.tokens).await.into(),
                    tokens: page.tokens,
                    finish: page.finish.map(|finish| finish.label().to_string()),
                };
                let Ok(message) = SubscriptionMessage::from_json(&item) else { return };
                if sink.send(message).await.is_err() || item.finish.is_some() {
                    return;
                }
                index = next;
                continue;
            }
            let over = view.is_some_and(|view| matches!(view.state, JobState::Settled(_)));
            if progress.elapsed() >= if over { PATIENCE_AFTER } else { PATIENCE } {
                return;
            }
            let pause = if runs.is_some() { REMOTE_INTERVAL } else { CHAIN_INTERVAL };
            let change = async {
                match &mut listener {
                    Some(listener) => drop(listener.changed().await),
                    None => futures::future::pending().await,
                }
            };
            tokio::select! {
                () = change => {},
                () = tokio::time::sleep(pause) => {},
            }
        }
    }
}

/// The hash of the transcript, once it is committed.
fn committed(state: &JobState<AccountId>) -> Option<H256> {
    match state {
        JobState::Delivered { commitment, .. } => Some(commitment.output_hash),
        JobState::Settled(Settlement { output_hash, .. }) => *output_hash,
        _ => None,
    }
}

/// Whether an operator can have tokens of a job in that state.
fn has_tokens(state: &JobState<AccountId>) -> bool {
    matches!(state, JobState::Running { .. }) || committed(state).is_some()
}

impl Output {
    /// What a transcript says.
    fn proven(payload: Vec<u8>) -> Option<Self> {
        let transcript = Transcript::decode(&mut payload.as_slice()).ok()?;
        Some(Self {
            text: String::from_utf8_lossy(&transcript.text).into_owned(),
            tokens: transcript.output,
            bytes: transcript.text.into(),
            finish: Some(transcript.finish.label().into()),
            transcript: Some(payload.into()),
        })
    }
}
