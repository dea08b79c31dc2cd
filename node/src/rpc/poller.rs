// SPDX-License-Identifier: Apache-2.0
//! Follows the output of one job for all its subscribers.

use super::{
    confirm::{committed, confirmed, end_of, has_tokens},
    feed::Feed,
    feeds::Opened,
    source::Source,
};
use crate::exchange::{Page, PAGE_TOKENS};
use assay_primitives::{api::JobView, worker::Transcript, JobId, JobState, ModelId};
use assay_rpc::StreamEnd;
use assay_runtime::{AccountId, Hash};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The time between two looks at the chain and at other nodes, after new tokens and after none.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));
/// The time after which a stream without new tokens ends.
const PATIENCE: Duration = Duration::from_secs(600);
/// The same for a job that is settled, of which all tokens that exist can be had at once.
const PATIENCE_AFTER: Duration = Duration::from_secs(30);
/// The same for a job that the chain does not have any more. After a reorganisation it may return.
const PATIENCE_WITHOUT: Duration = Duration::from_secs(60);

/// Follows the output of a job until it ends or the last subscriber leaves.
pub async fn follow(source: impl Source, opened: Opened) {
    opened.run(fill(&source, opened.job, &opened.feed)).await;
}

/// Adds the tokens of the job to the feed as they come, until the feed ends.
async fn fill(source: &impl Source, job: JobId, feed: &watch::Sender<Feed>) {
    let mut poller = Poller::new(source, job, feed);
    while feed.borrow().end().is_none() {
        poller.step().await;
    }
}

struct Poller<'a, S> {
    source: &'a S,
    job: JobId,
    feed: &'a watch::Sender<Feed>,
    /// The best block at the last look at the chain.
    block: Option<Hash>,
    /// The job in that block.
    view: Option<JobView<AccountId>>,
    /// The time of the last change.
    progress: Instant,
    pause: Duration,
}

impl<'a, S: Source> Poller<'a, S> {
    fn new(source: &'a S, job: JobId, feed: &'a watch::Sender<Feed>) -> Self {
        let progress = Instant::now();
        Self { source, job, feed, block: None, view: None, progress, pause: PAUSE.0 }
    }

    async fn step(&mut self) {
        self.look().await;
        let listener = self.source.listen(&self.job);
        if self.advance().await {
            self.progress = Instant::now();
            self.pause = PAUSE.0;
            return;
        }
        if let Some(end) = self.impatience() {
            return self.end(end);
        }
        let change = async {
            if let Some(mut listener) = listener {
                if listener.changed().await.is_ok() {
                    return;
                }
            }
            // Without a stream of this node, only time brings something new.
            std::future::pending().await
        };
        tokio::select! {
            () = change => {},
            () = tokio::time::sleep(self.pause) => self.pause = (self.pause * 2).min(PAUSE.1),
        }
    }

    /// Looks at the job on the chain, once in each block.
    async fn look(&mut self) {
        let best = self.source.best_hash();
        if self.block == Some(best) {
            return;
        }
        // An error, such as that of a block that is pruned already, passes with the next block.
        let Ok(view) = self.source.job_at(best, self.job).await else { return };
        let state = |view: &Option<JobView<_>>| view.as_ref().map(|view| view.state.clone());
        if state(&view) != state(&self.view) {
            // What just happened on the chain leads to tokens, or takes others time.
            self.progress = Instant::now();
            self.pause = PAUSE.0;
        }
        (self.block, self.view) = (Some(best), view);
    }

    /// Adds what is new, and returns whether there was something.
    async fn advance(&mut self) -> bool {
        let Some(view) = self.view.clone() else { return false };
        if let Some(hash) = committed(&view.state) {
            if let Some(transcript) = self.source.transcript(self.job, hash).await {
                self.complete(view.spec.model, &transcript).await;
                return true;
            }
        } else if matches!(view.state, JobState::Settled(_)) {
            self.end(StreamEnd::NoOutput);
            return true;
        }
        if !has_tokens(&view.state) {
            return false;
        }
        let index = self.len();
        let page = self.source.page(self.job, &view, index).await;
        let Page { tokens, finish, .. } = page.unwrap_or_default();
        let text = self.source.text(self.job, view.spec.model, &tokens).await;
        self.feed.send_if_modified(|feed| {
            feed.push(&tokens, &text);
            !tokens.is_empty()
        });
        match confirmed(&view, self.len(), finish) {
            Some(finish) => self.end(end_of(finish)),
            None => return !tokens.is_empty(),
        }
        true
    }

    /// Adds the rest of the committed output, and ends the stream.
    async fn complete(&self, model: ModelId, transcript: &Transcript) {
        let Transcript { output, text, finish, .. } = transcript;
        let rest = {
            let feed = self.feed.borrow();
            output.strip_prefix(feed.tokens()).map(|rest| {
                // What is committed is proven, so no node is asked for the text if one page has it.
                let text = text.strip_prefix(feed.text()).filter(|_| rest.len() <= PAGE_TOKENS);
                (rest, text)
            })
        };
        let Some((rest, proven)) = rest else { return self.end(StreamEnd::Replaced) };
        for tokens in rest.chunks(PAGE_TOKENS) {
            let text = match proven {
                Some(text) => text.to_vec(),
                None => self.source.text(self.job, model, tokens).await,
            };
            self.feed.send_modify(|feed| feed.push(tokens, &text));
        }
        self.end(end_of(*finish));
    }

    /// Returns why the stream ends for lack of anything new; `None` while it goes on.
    fn impatience(&self) -> Option<StreamEnd> {
        let waited = self.progress.elapsed();
        let (patience, end) = match self.view.as_ref().map(|view| &view.state) {
            None => (PATIENCE_WITHOUT, StreamEnd::JobGone),
            Some(JobState::Settled(_)) => (PATIENCE_AFTER, StreamEnd::Unavailable),
            Some(state) if committed(state).is_some() => (PATIENCE, StreamEnd::Unavailable),
            Some(_) => (PATIENCE, StreamEnd::TimedOut),
        };
        (waited >= patience).then_some(end)
    }

    fn len(&self) -> u32 {
        self.feed.borrow().len()
    }

    fn end(&self, end: StreamEnd) {
        self.feed.send_modify(|feed| feed.finish(end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::{
        settlement::AuditOutcome,
        testing::{job, spec},
        FinishReason, JobSpec, Outcome, OutputCommitment, Payment, Prices, Settlement,
    };
    use assay_worker::StreamState;
    use jsonrpsee::core::RpcResult;
    use sp_core::H256;

    /// A chain with one job, and a node that says whatever the test says.
    struct Scene {
        state: Option<JobState<AccountId>>,
        block: u8,
        says: StreamState,
        transcript: Option<Transcript>,
    }

    impl Scene {
        fn running(says: &[u32], finish: Option<FinishReason>) -> Self {
            let (operator, prices) = (AccountId::new([1; 32]), Prices::default());
            let state = Some(JobState::Running { operator, prices, until: 9 });
            let says = StreamState { tokens: says.to_vec(), finish };
            Self { state, block: 0, says, transcript: None }
        }

        /// Goes on with another block.
        fn then(&mut self, state: Option<JobState<AccountId>>) {
            (self.state, self.block) = (state, self.block + 1);
        }

        fn delivered(tokens: u32) -> JobState<AccountId> {
            let commitment = OutputCommitment {
                output_hash: H256::zero(),
                digest_commitment: H256::zero(),
                tokens,
                finish: FinishReason::EndToken,
            };
            let (operator, prices, took) = (AccountId::new([1; 32]), Prices::default(), 1);
            JobState::Delivered { operator, prices, commitment, took, audit: true, until: 9 }
        }
    }

    impl Source for Scene {
        fn best_hash(&self) -> Hash {
            Hash::repeat_byte(self.block)
        }

        async fn job_at(&self, _: Hash, _: JobId) -> RpcResult<Option<JobView<AccountId>>> {
            Ok(self.state.clone().map(|state| JobView {
                client: AccountId::new([2; 32]),
                spec: JobSpec { max_tokens: 4, ..spec() },
                payment: Payment { down: 0, cost: 1, tip: 0 },
                created: 1,
                attempts: 1,
                state,
                committee: vec![],
            }))
        }

        async fn page(&self, _: JobId, _: &JobView<AccountId>, index: u32) -> Option<Page> {
            Some(Page::of(&self.says, index))
        }

        async fn transcript(&self, _: JobId, _: H256) -> Option<Transcript> {
            self.transcript.clone()
        }

        async fn text(&self, _: JobId, _: ModelId, tokens: &[u32]) -> Vec<u8> {
            tokens.iter().map(|token| b'a' + *token as u8).collect()
        }

        fn listen(&self, _: &JobId) -> Option<watch::Receiver<StreamState>> {
            None
        }
    }

    fn transcript(output: &[u32], text: &[u8]) -> Transcript {
        let (output, text) = (output.to_vec(), text.to_vec());
        let finish = FinishReason::EndToken;
        Transcript { input: vec![1], output, text, finish, salt: H256::zero() }
    }

    /// Takes a step and returns the tokens and the end of the feed.
    async fn step(
        scene: &Scene,
        feed: &watch::Sender<Feed>,
    ) -> (Vec<u32>, Vec<u8>, Option<StreamEnd>) {
        Poller::new(scene, job(1), feed).step().await;
        let feed = feed.borrow();
        (feed.tokens().to_vec(), feed.text().to_vec(), feed.end())
    }

    #[tokio::test]
    async fn forged_finish_ends_nothing() {
        let feed = watch::Sender::new(Feed::new());
        let mut scene = Scene::running(&[1, 2], Some(FinishReason::EndToken));
        assert_eq!(step(&scene, &feed).await, (vec![1, 2], b"bc".to_vec(), None));
        // The operator goes on, and commits to more.
        scene.says.tokens.push(3);
        scene.then(Some(Scene::delivered(3)));
        let complete = (vec![1, 2, 3], b"bcd".to_vec(), Some(StreamEnd::Stop));
        assert_eq!(step(&scene, &feed).await, complete);
    }

    #[tokio::test]
    async fn output_of_full_length_ends_before_the_commitment() {
        let feed = watch::Sender::new(Feed::new());
        let scene = Scene::running(&[1, 2, 3, 0], Some(FinishReason::Length));
        let complete = (vec![1, 2, 3, 0], b"bcda".to_vec(), Some(StreamEnd::Length));
        assert_eq!(step(&scene, &feed).await, complete);
    }

    #[tokio::test]
    async fn committed_transcript_completes_the_output() {
        let feed = watch::Sender::new(Feed::new());
        let mut scene = Scene::running(&[1], None);
        step(&scene, &feed).await;
        scene.transcript = Some(transcript(&[1, 2], b"bC"));
        scene.says = StreamState::default();
        scene.then(Some(Scene::delivered(2)));
        let complete = (vec![1, 2], b"bC".to_vec(), Some(StreamEnd::Stop));
        assert_eq!(step(&scene, &feed).await, complete, "the text is that of the transcript");
    }

    #[tokio::test]
    async fn other_tokens_than_those_committed_are_told() {
        let feed = watch::Sender::new(Feed::new());
        let mut scene = Scene::running(&[1, 3], None);
        step(&scene, &feed).await;
        scene.transcript = Some(transcript(&[1, 2], b"bc"));
        scene.then(Some(Scene::delivered(2)));
        let replaced = (vec![1, 3], b"bd".to_vec(), Some(StreamEnd::Replaced));
        assert_eq!(step(&scene, &feed).await, replaced);
    }

    #[tokio::test]
    async fn job_that_is_settled_without_an_output_is_told() {
        let feed = watch::Sender::new(Feed::new());
        let mut scene = Scene::running(&[1], None);
        step(&scene, &feed).await;
        scene.then(Some(JobState::Settled(Settlement {
            outcome: Outcome::Refunded,
            operator: None,
            audit: AuditOutcome::NotAudited,
            verifiers: 0,
            output_hash: None,
            tokens: 0,
            paid: 0,
            refunded: 1,
            slashed: 0,
            burnt: 0,
            at: 9,
        })));
        let told = (vec![1], b"b".to_vec(), Some(StreamEnd::NoOutput));
        assert_eq!(step(&scene, &feed).await, told);
    }

    #[tokio::test]
    async fn patience_and_its_end_depend_on_the_state() {
        let feed = watch::Sender::new(Feed::new());
        let scene = Scene::running(&[], None);
        let mut poller = Poller::new(&scene, job(1), &feed);
        let long_ago = |patience| Instant::now().checked_sub(patience).expect("it is later");
        let cases = [
            (None, PATIENCE_WITHOUT, StreamEnd::JobGone),
            (scene.state.clone(), PATIENCE, StreamEnd::TimedOut),
            (Some(Scene::delivered(2)), PATIENCE, StreamEnd::Unavailable),
        ];
        for (state, patience, end) in cases {
            let view = scene.job_at(Hash::zero(), job(1)).await.unwrap();
            poller.view = state.map(|state| JobView { state, ..view.unwrap() });
            poller.progress = Instant::now();
            assert_eq!(poller.impatience(), None);
            poller.progress = long_ago(patience);
            assert_eq!(poller.impatience(), Some(end));
        }
    }
}
