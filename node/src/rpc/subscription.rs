// SPDX-License-Identifier: Apache-2.0
//! Sends the output of a job to a subscriber, as it comes.

use super::{
    deps::AssayDeps,
    output::{bytes, has_tokens, page},
};
use assay_primitives::{api::JobView, JobId, JobState};
use assay_rpc::OutputItem;
use assay_runtime::AccountId;
use jsonrpsee::{SubscriptionMessage, SubscriptionSink};
use std::time::{Duration, Instant};

/// The time between two requests to other nodes for the tokens of a job that runs there.
const REMOTE_INTERVAL: Duration = Duration::from_millis(250);
/// The time between two looks at the state of the job on the chain.
const CHAIN_INTERVAL: Duration = Duration::from_secs(1);
/// The time after which a subscription without new tokens ends.
const PATIENCE: Duration = Duration::from_secs(600);
/// The same for a job that is settled, of which all tokens that exist can be had at once.
const PATIENCE_AFTER: Duration = Duration::from_secs(30);

/// Sends tokens until the output ends or the subscriber leaves. A slow subscriber is waited for, which
/// costs nothing, because the tokens are kept anyway.
pub async fn run(deps: &AssayDeps, sink: SubscriptionSink, job: JobId, from: u32) {
    tokio::select! {
        () = send_all(deps, &sink, job, from) => {},
        () = sink.closed() => {},
    }
}

async fn send_all(deps: &AssayDeps, sink: &SubscriptionSink, job: JobId, from: u32) {
    let mut index = from;
    let mut progress = Instant::now();
    let mut looked: Option<(Instant, Option<JobView<AccountId>>)> = None;
    loop {
        if looked.as_ref().is_none_or(|(at, _)| at.elapsed() >= CHAIN_INTERVAL) {
            let view = deps.job(job).await.ok().flatten();
            looked = Some((Instant::now(), view));
        }
        let view = looked.as_ref().and_then(|(_, view)| view.as_ref());
        let mut listener = deps.worker.stream(&job).map(|stream| stream.listen());
        // No node has tokens of a job that no operator runs.
        let runs = view.filter(|view| has_tokens(&view.state));
        if let Some(view) = runs {
            if let Some(item) = next_item(deps, &job, view, index).await {
                progress = Instant::now();
                index = item.index.saturating_add(item.tokens.len() as u32);
                let Ok(message) = SubscriptionMessage::from_json(&item) else { return };
                if sink.send(message).await.is_err() || item.finish.is_some() {
                    return;
                }
                continue;
            }
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

/// Returns the tokens from an index on; `None` if there is nothing new.
async fn next_item(
    deps: &AssayDeps,
    job: &JobId,
    view: &JobView<AccountId>,
    index: u32,
) -> Option<OutputItem> {
    let page = page(deps, job, index, view.spec.max_tokens).await?;
    if page.tokens.is_empty() && page.finish.is_none() {
        return None;
    }
    Some(OutputItem {
        index: page.index,
        bytes: bytes(deps, *job, view.spec.model, &page.tokens).await.into(),
        tokens: page.tokens,
        finish: page.finish.map(|finish| finish.label().to_string()),
    })
}
