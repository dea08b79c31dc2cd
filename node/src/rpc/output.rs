// SPDX-License-Identifier: Apache-2.0
//! Finds the output of a job: in the transcript that was committed, in this node's own stream, or at
//! other nodes.

use super::{
    confirm::{committed, confirmed, fits, has_tokens},
    deps::{error, AssayDeps},
    feed::most_text,
};
use crate::exchange::{local_page, Page, PAGE_TOKENS};
use assay_primitives::{
    api::JobView,
    job::{JobId, ModelId},
    worker::{Likely, Transcript},
};
use assay_rpc::{Output, TokenLogprobs};
use assay_runtime::AccountId;
use codec::Decode;
use jsonrpsee::core::RpcResult;
use sp_core::H256;
use std::time::{Duration, Instant};

/// The longest that a transcript is looked for.
const FETCH: Duration = Duration::from_secs(20);

/// Returns the output of a job as far as it is known; `None` if no node has a token of it.
pub async fn output(deps: &AssayDeps, job: JobId) -> RpcResult<Option<Output>> {
    let view = deps.known_job(job).await?;
    if let Some(hash) = committed(&view.state) {
        if let Some(payload) = transcript(deps, job, hash).await? {
            let view = view.clone();
            let read = move |deps: &AssayDeps| {
                let text_of = |tokens: &[u32]| deps.worker.detokenize(&view.spec.model, tokens);
                Ok(committed_output(payload, |transcript| fits(&view, transcript), text_of))
            };
            if let Some(output) = deps.blocking(read).await? {
                return Ok(Some(output));
            }
        }
    }
    if !has_tokens(&view.state) {
        return Ok(None);
    }
    let Some(page) = whole(deps, &job, &view).await else { return Ok(None) };
    let bytes = bytes(deps, job, view.spec.model, &page.tokens).await;
    let finish = confirmed(&view, page.tokens.len() as u32, page.finish);
    Ok(Some(Output {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        bytes: bytes.into(),
        tokens: page.tokens,
        finish: finish.map(|finish| finish.label().to_string()),
        transcript: None,
        text_matches: None,
        logprobs: None,
    }))
}

/// Returns a page of an output, from this node or from the operator's.
pub async fn page(
    deps: &AssayDeps,
    job: &JobId,
    view: &JobView<AccountId>,
    index: u32,
) -> Option<Page> {
    let id = *job;
    let here = deps.blocking(move |deps| Ok(local_page(&deps.worker, &id, index))).await;
    match here.ok().flatten() {
        Some(page) => Some(page).filter(|page| page.answers(index, view.spec.max_tokens)),
        None => deps.exchange.page(*job, index, view.spec.max_tokens).await,
    }
}

/// Returns the bytes of the text of a job's tokens: from this node if it has the model, otherwise from the
/// operator's. They are empty if neither has it.
pub async fn bytes(deps: &AssayDeps, job: JobId, model: ModelId, tokens: &[u32]) -> Vec<u8> {
    let own = tokens.to_vec();
    let here = deps.blocking(move |deps| Ok(deps.worker.detokenize(&model, &own))).await;
    match here.ok().flatten() {
        Some(bytes) => bytes,
        None => {
            let text = deps.exchange.text(job, model, tokens, most_text(tokens.len())).await;
            text.unwrap_or_default()
        }
    }
}

/// Returns the transcript with that hash, from this node or from another, and keeps it.
pub async fn transcript(deps: &AssayDeps, job: JobId, hash: H256) -> RpcResult<Option<Vec<u8>>> {
    let here = deps.blocking(move |deps| deps.worker.payload(&hash).map_err(error)).await?;
    if here.is_some() {
        return Ok(here);
    }
    let fetched = deps.exchange.payload(job, hash, &[], Instant::now() + FETCH).await;
    let Some(payload) = fetched else { return Ok(None) };
    deps.blocking(move |deps| {
        // A full disk is no reason to withhold it.
        if let Err(error) = deps.worker.keep_output(&job, &payload) {
            log::debug!("the output of job {job:?} is not kept: {error}");
        }
        Ok(Some(payload))
    })
    .await
}

/// Returns all pages so far as one.
async fn whole(deps: &AssayDeps, job: &JobId, view: &JobView<AccountId>) -> Option<Page> {
    let most = view.spec.max_tokens;
    let mut whole = page(deps, job, view, 0).await?;
    let mut last = whole.tokens.len();
    // A page that is not full is the last one, whether or not the output ends with it.
    while whole.finish.is_none() && last == PAGE_TOKENS && whole.tokens.len() < most as usize {
        let next = page(deps, job, view, whole.tokens.len() as u32).await?;
        last = next.tokens.len();
        whole.tokens.extend(next.tokens);
        whole.finish = next.finish;
    }
    Some(whole)
}

/// Returns the output that a transcript holds, if it `fits` the commitment. `text_of` returns the text of
/// tokens, if the model is loaded.
fn committed_output(
    payload: Vec<u8>,
    fits: impl FnOnce(&Transcript) -> bool,
    text_of: impl FnOnce(&[u32]) -> Option<Vec<u8>>,
) -> Option<Output> {
    let transcript = Transcript::decode(&mut payload.as_slice()).ok().filter(fits)?;
    let text = text_of(&transcript.output);
    let logprobs = transcript.logprobs.by_token(transcript.output.len());
    Some(Output {
        logprobs: logprobs.map(|all| all.map(of_token).collect()),
        text_matches: text.map(|text| text == transcript.text),
        text: String::from_utf8_lossy(&transcript.text).into_owned(),
        tokens: transcript.output,
        bytes: transcript.text.into(),
        finish: Some(transcript.finish.label().into()),
        transcript: Some(payload.into()),
    })
}

/// Returns the log probabilities of one token as they are sent.
fn of_token((logprob, top): (i32, &[Likely])) -> TokenLogprobs {
    TokenLogprobs {
        logprob,
        top: top.iter().map(|likely| (likely.token, likely.logprob)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::{worker::Logprobs, FinishReason};
    use codec::Encode;

    /// Returns the output that a transcript with one token holds, given the text of that token.
    fn read(fits: bool, text: Option<&[u8]>) -> Option<Output> {
        let transcript = Transcript {
            job: H256::zero(),
            input: vec![256],
            output: vec![66],
            text: b"B".to_vec(),
            finish: FinishReason::Length,
            salt: H256::zero(),
            logprobs: Logprobs { chosen: vec![-3], top: vec![Likely { token: 65, logprob: -2 }] },
        };
        let fits = |read: &Transcript| *read == transcript && fits;
        committed_output(transcript.encode(), fits, |tokens| {
            assert_eq!(tokens, [66]);
            text.map(<[u8]>::to_vec)
        })
    }

    fn matches(text: Option<&[u8]>) -> Option<bool> {
        read(true, text).expect("it is a transcript that fits").text_matches
    }

    #[test]
    fn transcript_that_does_not_fit_the_commitment_is_no_output() {
        assert_eq!(read(false, Some(b"B")), None);
    }

    #[test]
    fn log_probabilities_are_those_of_the_transcript() {
        let logprobs = read(true, None).expect("it fits").logprobs;
        assert_eq!(logprobs, Some(vec![TokenLogprobs { logprob: -3, top: vec![(65, -2)] }]));
    }

    #[test]
    fn text_is_compared_with_the_tokens_where_the_model_is_loaded() {
        assert_eq!(matches(Some(b"B")), Some(true));
        assert_eq!(matches(Some(b"C")), Some(false));
        assert_eq!(matches(None), None);
    }
}
