// SPDX-License-Identifier: Apache-2.0
//! Follows the output of one job for all its subscribers.

use super::{
    confirm::{committed, confirmed, end_of, fits, has_tokens, most_tokens},
    feed::{most_text, Feed},
    feeds::{weight, Opened},
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
    let grow = |weight| opened.grow(weight);
    opened.run(fill(&source, opened.job, &opened.feed, &grow)).await;
}

/// Counts a piece of that weight, and returns `false` if there is no room for it.
type Grow<'a> = &'a (dyn Fn(u64) -> bool + Sync);

/// Adds the tokens of the job to the feed as they come, until the feed ends.
async fn fill(source: &impl Source, job: JobId, feed: &watch::Sender<Feed>, grow: Grow<'_>) {
    let mut poller = Poller::new(source, job, feed, grow);
    while feed.borrow().end().is_none() {
        poller.step().await;
    }
}

struct Poller<'a, S> {
    source: &'a S,
    job: JobId,
    feed: &'a watch::Sender<Feed>,
    grow: Grow<'a>,
    /// The best block at the last look at the chain.
    block: Option<Hash>,
    /// The job in that block.
    view: Option<JobView<AccountId>>,
    /// The time of the last change.
    progress: Instant,
    pause: Duration,
}

impl<'a, S: Source> Poller<'a, S> {
    fn new(source: &'a S, job: JobId, feed: &'a watch::Sender<Feed>, grow: Grow<'a>) -> Self {
        let progress = Instant::now();
        Self { source, job, feed, grow, block: None, view: None, progress, pause: PAUSE.0 }
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
            // The job has come closer to tokens, or its next operator needs time.
            self.progress = Instant::now();
            self.pause = PAUSE.0;
        }
        (self.block, self.view) = (Some(best), view);
    }

    /// Adds what is new, and returns whether there was something.
    async fn advance(&mut self) -> bool {
        let Some(view) = self.view.clone() else { return false };
        // A transcript is not fetched if there is no room for it.
        let has_room = (self.grow)(0) || self.len() >= most_tokens(&view);
        if let Some(hash) = committed(&view.state).filter(|_| has_room) {
            if let Some(transcript) = self.source.transcript(self.job, hash).await {
                if fits(&view, &transcript) {
                    return self.complete(view.spec.model, &transcript).await;
                }
                // No other transcript has the hash, so there is no output to wait for.
                self.end(StreamEnd::Unavailable);
                return true;
            }
        } else if matches!(view.state, JobState::Settled(_)) && committed(&view.state).is_none() {
            self.end(StreamEnd::NoOutput);
            return true;
        }
        if !has_tokens(&view.state) || !has_room {
            return false;
        }
        let index = self.len();
        let page = self.source.page(self.job, &view, index).await;
        let Page { tokens, finish, .. } = page.unwrap_or_default();
        let text = self.claimed_text(view.spec.model, &tokens).await;
        if !tokens.is_empty() && !(self.grow)(weight(tokens.len(), text.len())) {
            return false;
        }
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

    /// Adds the rest of the committed output, and ends the stream. Returns `false` if there is no room
    /// for the rest yet.
    async fn complete(&self, model: ModelId, transcript: &Transcript) -> bool {
        let Transcript { output, text, finish, .. } = transcript;
        let rest = {
            let feed = self.feed.borrow();
            output.strip_prefix(feed.tokens()).map(|rest| (rest, text.strip_prefix(feed.text())))
        };
        let Some((rest, mut proven)) = rest else {
            self.end(StreamEnd::Replaced);
            return true;
        };
        // The text of a piece is asked for, but what is committed is proven. So the last piece brings the
        // rest of the proven text, also if the texts of those before are not those of the transcript.
        let mut asks = true;
        for (index, tokens) in rest.chunks(PAGE_TOKENS).enumerate() {
            let is_last = (index + 1) * PAGE_TOKENS >= rest.len();
            let text = match proven {
                Some(text) if is_last => text.to_vec(),
                Some(text) => {
                    let claimed =
                        if asks { self.claimed_text(model, tokens).await } else { Vec::new() };
                    let left = text.strip_prefix(claimed.as_slice());
                    asks = !claimed.is_empty() && left.is_some();
                    proven = left.or(proven);
                    if left.is_some() {
                        claimed
                    } else {
                        Vec::new()
                    }
                }
                None => self.claimed_text(model, tokens).await,
            };
            if !(self.grow)(weight(tokens.len(), text.len())) {
                return false;
            }
            self.feed.send_modify(|feed| feed.push(tokens, &text));
        }
        self.end(end_of(*finish));
        true
    }

    /// Returns the text of tokens; no text if a node claims more than tokens can have.
    async fn claimed_text(&self, model: ModelId, tokens: &[u32]) -> Vec<u8> {
        let mut text = self.source.text(self.job, model, tokens).await;
        if text.len() > most_text(tokens.len()) {
            text.clear();
        }
        text
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
        /// The bytes of each token's text.
        width: usize,
        /// The most tokens of the job.
        most: u32,
    }

    impl Scene {
        fn running(says: &[u32], finish: Option<FinishReason>) -> Self {
            let (operator, prices) = (AccountId::new([1; 32]), Prices::default());
            let state = Some(JobState::Running { operator, prices, until: 9 });
            let says = StreamState { tokens: says.to_vec(), finish };
            Self { state, block: 0, says, transcript: None, width: 1, most: 4 }
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
            JobState::Delivered {
                operator,
                prices,
                commitment,
                took,
                audit: true,
                challenger: None,
                until: 9,
            }
        }
    }

    impl Source for Scene {
        fn best_hash(&self) -> Hash {
            Hash::repeat_byte(self.block)
        }

        async fn job_at(&self, _: Hash, _: JobId) -> RpcResult<Option<JobView<AccountId>>> {
            Ok(self.state.clone().map(|state| JobView {
                client: AccountId::new([2; 32]),
                spec: JobSpec { max_tokens: self.most, ..spec() },
                payment: Payment { down: 0, cost: 1, tip: 0 },
                created: 1,
                attempts: 1,
                state,
                committee: vec![],
                challenge_bond: None,
            }))
        }

        async fn page(&self, _: JobId, _: &JobView<AccountId>, index: u32) -> Option<Page> {
            Some(Page::of(&self.says, index))
        }

        async fn transcript(&self, _: JobId, _: H256) -> Option<Transcript> {
            self.transcript.clone()
        }

        async fn text(&self, _: JobId, _: ModelId, tokens: &[u32]) -> Vec<u8> {
            tokens.iter().flat_map(|token| vec![b'a' + *token as u8; self.width]).collect()
        }

        fn listen(&self, _: &JobId) -> Option<watch::Receiver<StreamState>> {
            None
        }
    }

    fn transcript(output: &[u32], text: &[u8]) -> Transcript {
        let (output, text) = (output.to_vec(), text.to_vec());
        let finish = FinishReason::EndToken;
        let (job, salt) = (JobId::zero(), H256::zero());
        Transcript { job, input: vec![1], output, text, finish, salt, logprobs: Default::default() }
    }

    /// Takes a step and returns the tokens and the end of the feed.
    async fn step(
        scene: &Scene,
        feed: &watch::Sender<Feed>,
    ) -> (Vec<u32>, Vec<u8>, Option<StreamEnd>) {
        Poller::new(scene, job(1), feed, &|_| true).step().await;
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
    async fn proven_text_comes_with_the_last_piece_if_that_of_others_cannot_be_had() {
        let output = vec![1; 2 * PAGE_TOKENS + 1];
        let mut scene = Scene::running(&[], None);
        scene.most = output.len() as u32;
        scene.transcript = Some(transcript(&output, &vec![b'b'; output.len()]));
        scene.then(Some(Scene::delivered(output.len() as u32)));
        // The source has the text of each piece, or none.
        for (width, pieces) in [(1, [PAGE_TOKENS, PAGE_TOKENS, 1]), (0, [0, 0, output.len()])] {
            let feed = watch::Sender::new(Feed::new());
            scene.width = width;
            let (tokens, text, end) = step(&scene, &feed).await;
            assert_eq!((tokens.len(), end), (output.len(), Some(StreamEnd::Stop)));
            assert_eq!(text, vec![b'b'; output.len()]);
            let feed = feed.borrow();
            let mut index = 0;
            let texts = pieces.map(|_| {
                let part = feed.part(index).unwrap();
                index += part.tokens.len() as u32;
                part.bytes.unwrap().len()
            });
            assert_eq!(texts, pieces);
        }
        // Another text than the transcript's is not believed.
        scene.transcript = Some(transcript(&output, &vec![b'c'; output.len()]));
        scene.width = 1;
        let feed = watch::Sender::new(Feed::new());
        assert_eq!(step(&scene, &feed).await.1, vec![b'c'; output.len()]);
    }

    #[tokio::test]
    async fn transcript_of_another_length_than_was_committed_is_refused() {
        let feed = watch::Sender::new(Feed::new());
        let mut scene = Scene::running(&[1], None);
        step(&scene, &feed).await;
        scene.transcript = Some(transcript(&[1, 2, 3], b"bcd"));
        scene.then(Some(Scene::delivered(2)));
        let refused = (vec![1], b"b".to_vec(), Some(StreamEnd::Unavailable));
        assert_eq!(step(&scene, &feed).await, refused);
    }

    #[tokio::test]
    async fn text_that_is_too_long_for_its_tokens_is_left_out() {
        let feed = watch::Sender::new(Feed::new());
        let mut scene = Scene::running(&[1], None);
        scene.width = most_text(1) + 1;
        assert_eq!(step(&scene, &feed).await, (vec![1], vec![], None));
        scene.says.tokens.push(2);
        scene.width = most_text(1);
        assert_eq!(step(&scene, &feed).await, (vec![1, 2], vec![b'c'; most_text(1)], None));
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
            fund: 0,
            audit_fees: 0,
            challenge: None,
            at: 9,
        })));
        let told = (vec![1], b"b".to_vec(), Some(StreamEnd::NoOutput));
        assert_eq!(step(&scene, &feed).await, told);
    }

    #[tokio::test]
    async fn feed_without_room_gets_no_more_and_goes_on_later() {
        let feed = watch::Sender::new(Feed::new());
        let mut scene = Scene::running(&[1, 2], None);
        let room = std::sync::atomic::AtomicBool::new(false);
        let grow = |weight| weight == 0 || room.load(std::sync::atomic::Ordering::Relaxed);
        let mut poller = Poller::new(&scene, job(1), &feed, &grow);
        poller.look().await;
        assert!(!poller.advance().await);
        assert_eq!(feed.borrow().len(), 0);
        scene.transcript = Some(transcript(&[1, 2], b"bc"));
        scene.then(Some(Scene::delivered(2)));
        let mut poller = Poller::new(&scene, job(1), &feed, &grow);
        poller.look().await;
        assert!(!poller.advance().await);
        assert_eq!((feed.borrow().len(), feed.borrow().end()), (0, None));
        room.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(poller.advance().await);
        assert_eq!((feed.borrow().len(), feed.borrow().end()), (2, Some(StreamEnd::Stop)));
    }

    #[tokio::test]
    async fn patience_and_its_end_depend_on_the_state() {
        let feed = watch::Sender::new(Feed::new());
        let scene = Scene::running(&[], None);
        let mut poller = Poller::new(&scene, job(1), &feed, &|_| true);
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
