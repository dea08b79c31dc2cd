// SPDX-License-Identifier: Apache-2.0
//! The task that follows the chain and keeps the metrics.

use super::{
    counters::Counters,
    gauges::Gauges,
    heartbeats::Heartbeats,
    offers::Offers,
    reports::Reports,
    state::{LocalOperator, State},
};
use crate::client::{FullClient, Parts};
use assay_primitives::{
    api::{AssayApi, RoutingApi},
    worker::KEY_TYPE,
};
use assay_runtime::{opaque::Block, AccountId, Hash, RuntimeEvent};
use futures::StreamExt;
use sc_client_api::{BlockchainEvents, FinalityNotification};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_keystore::{Keystore, KeystorePtr};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use substrate_prometheus_endpoint::{PrometheusError, Registry};

/// The most operators that are looked at. A node has one; a development chain has four.
const MAX_OPERATORS: usize = 16;
/// The most blocks of a finality notification whose events are counted: the states of older ones are
/// gone.
const MAX_BLOCKS: usize = 256;
/// The shortest time between two looks at the best block, which a node that catches up imports many of.
const LOOK: Duration = Duration::from_secs(1);

/// The metrics of this node's operators, and what they are read from.
pub struct Watch {
    client: Arc<FullClient>,
    keystore: KeystorePtr,
    gauges: Gauges,
    offers: Offers,
    counters: Counters,
    heartbeats: Heartbeats,
    reports: Reports,
    /// The operators at the last look.
    shown: Vec<LocalOperator>,
}

impl Watch {
    /// Registers the metrics.
    pub fn new(parts: &Parts, registry: &Registry) -> Result<Self, PrometheusError> {
        Ok(Self {
            client: parts.client.clone(),
            keystore: parts.keystore.clone(),
            gauges: Gauges::register(registry)?,
            offers: Offers::register(registry)?,
            counters: Counters::register(registry)?,
            heartbeats: Heartbeats::default(),
            reports: Reports::register(parts.backend.clone(), registry)?,
            shown: Vec::new(),
        })
    }

    /// Follows the chain as long as the node runs.
    pub async fn run(mut self) {
        let mut imports = self.client.import_notification_stream().fuse();
        let mut finality = self.client.finality_notification_stream().fuse();
        let info = self.client.info();
        // A new node shows nothing until it has caught up: at genesis nobody is registered or paid.
        if info.best_number > 0 {
            self.show(info.best_hash);
        }
        let mut looked = Instant::now();
        loop {
            futures::select! {
                block = imports.next() => match block {
                    Some(block) if block.is_new_best && looked.elapsed() >= LOOK => {
                        self.show(block.hash);
                        looked = Instant::now();
                    }
                    Some(_) => {}
                    None => return,
                },
                notification = finality.next() => match notification {
                    Some(notification) => self.count(&notification),
                    None => return,
                },
            }
        }
    }

    /// Shows how the operators stand at a block.
    fn show(&mut self, at: Hash) {
        if let Err(error) = self.try_show(at) {
            log::debug!("the metrics of operators cannot be read at block {at:?}: {error:#}");
        }
    }

    fn try_show(&mut self, at: Hash) -> anyhow::Result<()> {
        let state = State::new(&self.client, at);
        let operators = self.operators(&state)?;
        if operators != self.shown {
            self.gauges.clear();
            self.offers.clear();
            operators.iter().filter_map(|operator| operator.stash.as_ref()).for_each(|stash| {
                self.counters.begin(stash);
            });
            self.shown = operators;
        }
        for operator in &self.shown {
            self.gauges.show_worker(operator, &state)?;
            self.reports.look(operator);
            let Some(stash) = &operator.stash else { continue };
            let api = self.client.runtime_api();
            let view = api.operator(at, stash.clone())?;
            let (Some(view), Some(member)) = (view, state.member(stash)?) else { continue };
            self.gauges.show_operator(&view, &member);
            let mut offers = Vec::new();
            for offer in view.offers {
                let allocation = api.allocation(at, offer.model, stash.clone())?;
                offers.push((offer, allocation));
            }
            self.offers.show(stash, &offers);
        }
        Ok(())
    }

    /// Counts the events of the blocks that are finalised.
    fn count(&mut self, notification: &FinalityNotification<Block>) {
        let route = &notification.tree_route;
        let skipped = route.len().saturating_sub(MAX_BLOCKS);
        for block in route.iter().skip(skipped).chain([&notification.hash]) {
            if let Err(error) = self.count_block(*block) {
                log::debug!("the events of block {block:?} are not counted: {error:#}");
            }
        }
    }

    fn count_block(&mut self, block: Hash) -> anyhow::Result<()> {
        let state = State::new(&self.client, block);
        let stashes: Vec<AccountId> =
            self.operators(&state)?.into_iter().filter_map(|operator| operator.stash).collect();
        if stashes.is_empty() {
            return Ok(());
        }
        let Some(header) = self.client.header(block)? else { return Ok(()) };
        let events = state.events()?;
        // After a block that cannot be read, nothing is known of what came between.
        self.heartbeats.follow(header.parent_hash, block);
        for event in &events {
            self.counters.count(event, &stashes);
        }
        for stash in &stashes {
            let Some(member) = state.member(stash)? else { continue };
            let answered = events.iter().any(|event| is_heartbeat(event, stash));
            if self.heartbeats.is_missed(stash, member, answered) {
                self.counters.missed_heartbeat(stash);
            }
        }
        Ok(())
    }

    /// Returns the operators of the worker keys in the keystore.
    fn operators(&self, state: &State) -> anyhow::Result<Vec<LocalOperator>> {
        let mut keys = self.keystore.sr25519_public_keys(KEY_TYPE);
        keys.sort();
        let operator = |key: sp_core::sr25519::Public| -> anyhow::Result<LocalOperator> {
            let worker = AccountId::from(key);
            let stash = state.stash_of(&worker)?;
            Ok(LocalOperator { key: key.into(), worker, stash })
        };
        keys.into_iter().take(MAX_OPERATORS).map(operator).collect()
    }
}

/// Returns whether an event is the heartbeat of an operator.
fn is_heartbeat(event: &RuntimeEvent, stash: &AccountId) -> bool {
    matches!(
        event,
        RuntimeEvent::Routing(pallet_routing::Event::HeartbeatReceived { operator })
            if operator == stash
    )
}
