// SPDX-License-Identifier: Apache-2.0
//! Fetches payloads of other nodes, in ranges, all of one payload from one peer.

use super::{
    client::Exchange,
    reputation::{MALFORMED, WRONG_PAYLOAD},
    search::{search, Search},
    wire::{Range, Request},
};
use assay_primitives::JobId;
use futures::FutureExt;
use parking_lot::Mutex;
use sc_network::{PeerId, ReputationChange};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout_at};

/// The number of times that a peer that has the first range is asked for each of the others: it may be busy.
const TRIES: u32 = 3;
/// The time between two of them.
const AGAIN: Duration = Duration::from_millis(500);

/// The search for one payload.
struct Fetch {
    exchange: Exchange,
    job: JobId,
    hash: H256,
    /// The peer that the job names.
    named: Option<PeerId>,
    /// The operator's node, once the chain was asked for it.
    operator: OnceLock<PeerId>,
    /// The peers that have said that they have the payload, as far as they were asked.
    told: Mutex<Vec<PeerId>>,
}

impl Exchange {
    /// Fetches a payload of a job; `None` if it is not found by `until`.
    ///
    /// The operator of the job is asked first, by its contact on the chain, together with the peer that
    /// the job names and those that have said that they have the payload. Then come this node's peers,
    /// and then the nodes that provide it through the DHT. Callers that want the same payload of a job at the
    /// same time wait for one fetch, each until its own time. A payload that the operator has published on
    /// the chain is taken from there.
    pub async fn payload(
        &self,
        job: JobId,
        hash: H256,
        named: &[u8],
        until: Instant,
    ) -> Option<Vec<u8>> {
        let begin = || {
            let named = PeerId::from_bytes(named).ok();
            let (operator, told) = Default::default();
            let fetch = Fetch { exchange: self.clone(), job, hash, named, operator, told };
            async move { search(&fetch).await.map(Arc::new) }.boxed()
        };
        let flight = self.flights.join(job, hash, begin);
        if let Some(bytes) = self.directory.published(job, hash).await {
            return Some(bytes);
        }
        let whole = timeout_at(until.into(), flight).await.ok()??;
        Some(Arc::unwrap_or_clone(whole))
    }

    /// Asks a peer for the bytes of a payload from an offset on.
    async fn range(&self, peer: PeerId, hash: H256, offset: u32) -> Option<Range> {
        let range: Range = self.ask(peer, &Request::Payload(hash, offset)).await?;
        if !range.answers(offset) {
            self.report(peer, MALFORMED);
            return None;
        }
        Some(range)
    }
}

impl Fetch {
    /// Returns the peers that have said that they have the payload since the last call.
    fn newly_told(&self) -> Vec<PeerId> {
        let (mut told, mut peers) = (self.told.lock(), self.exchange.notices.peers(&self.hash));
        peers.retain(|peer| !told.contains(peer));
        told.extend(&peers);
        peers
    }
}

impl Search for Fetch {
    type Peer = PeerId;
    type Part = Range;
    type Whole = Vec<u8>;
    const PATIENCE: Duration = Duration::from_secs(2);
    const STALL: Duration = Duration::from_secs(1);

    async fn stage(&self, stage: usize) -> Option<Vec<PeerId>> {
        let exchange = &self.exchange;
        let mut peers = match stage {
            0 => {
                let operator = exchange.operator(self.job).await;
                let operator = operator.map(|peer| *self.operator.get_or_init(|| peer));
                let mut peers = self.newly_told();
                peers.extend(self.named.into_iter().chain(operator));
                peers
            }
            1 => exchange.peers().await,
            2 => exchange.providers(&self.hash).await,
            _ => return None,
        };
        peers.retain(|peer| *peer != exchange.peer_id());
        Some(peers)
    }

    async fn more(&self) -> Vec<PeerId> {
        let newly_told = || Some(self.newly_told()).filter(|peers| !peers.is_empty());
        self.exchange.notices.look(newly_told).await
    }

    fn is_named(&self, peer: &PeerId) -> bool {
        self.named.as_ref() == Some(peer) || self.operator.get() == Some(peer)
    }

    async fn probe(&self, peer: PeerId) -> Option<Range> {
        self.exchange.range(peer, self.hash, 0).await
    }

    async fn pull(&self, peer: PeerId, first: Range) -> Option<Vec<u8>> {
        let next = |offset| async move {
            for _ in 1..TRIES {
                if let Some(range) = self.exchange.range(peer, self.hash, offset).await {
                    return Some(range);
                }
                sleep(AGAIN).await;
            }
            self.exchange.range(peer, self.hash, offset).await
        };
        match checked(assemble(first, next).await?, &self.hash) {
            Ok(whole) => Some(whole),
            Err(change) => {
                log::warn!("{peer} sent something else than the payload {:?}", self.hash);
                self.exchange.report(peer, change);
                None
            }
        }
    }
}

/// The ranges of a payload, put together.
#[derive(Debug, PartialEq, Eq)]
enum Assembled {
    /// All bytes.
    Whole(Vec<u8>),
    /// The ranges are of payloads of different lengths.
    Changed,
}

/// Asks for all ranges after the first, one after the other; `None` if one is not answered.
async fn assemble<F>(first: Range, next: impl Fn(u32) -> F) -> Option<Assembled>
where
    F: Future<Output = Option<Range>>,
{
    let length = first.length;
    let mut whole = first.bytes;
    // The length is checked: the first range answers.
    whole.reserve_exact((length as usize).saturating_sub(whole.len()));
    while whole.len() < length as usize {
        let range = next(u32::try_from(whole.len()).ok()?).await?;
        if range.length != length {
            return Some(Assembled::Changed);
        }
        whole.extend(range.bytes);
    }
    Some(Assembled::Whole(whole))
}

/// Returns the payload, if it is the one with that hash, or what its peer's reputation pays.
fn checked(assembled: Assembled, hash: &H256) -> Result<Vec<u8>, ReputationChange> {
    match assembled {
        Assembled::Whole(whole) if blake2_256(&whole) == hash.0 => Ok(whole),
        Assembled::Whole(_) => Err(WRONG_PAYLOAD),
        Assembled::Changed => Err(MALFORMED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::wire::RANGE_BYTES;
    use futures::future::ready;

    fn payload() -> Vec<u8> {
        (0..2 * RANGE_BYTES + 5).map(|n| (n % 251) as u8).collect()
    }

    fn range(payload: &[u8], offset: u32) -> Range {
        let rest = &payload[offset as usize..];
        let bytes = rest[..rest.len().min(RANGE_BYTES)].to_vec();
        Range { length: payload.len() as u32, bytes }
    }

    #[tokio::test]
    async fn payload_is_put_together_from_its_ranges() {
        for payload in [payload(), payload()[..RANGE_BYTES].to_vec(), vec![7], Vec::new()] {
            let next = |offset| ready(Some(range(&payload, offset)));
            let whole = assemble(range(&payload, 0), next).await;
            assert!(whole == Some(Assembled::Whole(payload)));
        }
    }

    #[tokio::test]
    async fn payload_that_changes_its_length_is_refused() {
        let payload = payload();
        let shorter = &payload[..payload.len() - 1];
        let next = |offset| ready(Some(range(shorter, offset)));
        assert_eq!(assemble(range(&payload, 0), next).await, Some(Assembled::Changed));
    }

    #[test]
    fn wrong_payload_costs_the_reputation_of_its_peer() {
        let payload = payload();
        let hash = H256(blake2_256(&payload));
        let whole = |bytes: &[u8]| checked(Assembled::Whole(bytes.to_vec()), &hash);
        assert!(whole(&payload) == Ok(payload.clone()));
        assert_eq!(whole(&payload[1..]), Err(WRONG_PAYLOAD));
        assert_eq!(checked(Assembled::Changed, &hash), Err(MALFORMED));
        const { assert!(WRONG_PAYLOAD.value < 0 && MALFORMED.value < 0) };
    }

    #[tokio::test]
    async fn payload_whose_peer_is_gone_is_not_whole() {
        let payload = payload();
        assert_eq!(assemble(range(&payload, 0), |_| ready(None)).await, None);
    }
}
