// SPDX-License-Identifier: Apache-2.0
//! A server with methods whose answers are long.

use super::super::{
    connection::Connection, connections::Connections, limits::Limits, serve, Config, Metrics,
};
use jsonrpsee::{
    server::{stop_channel, BatchRequestConfig, ServerHandle},
    RpcModule, SubscriptionMessage,
};
use sc_rpc_server::{RpcEndpoint, RpcMethods};
use std::{
    net::SocketAddr,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};
use tokio::runtime::Handle;

/// The longest answer of the server, in bytes.
pub const LONGEST: usize = 1 << 20;
/// A time that no test lasts.
pub const NEVER: Duration = Duration::from_secs(86_400);

/// A server, until it is dropped.
pub struct Given {
    pub address: SocketAddr,
    pub connections: Arc<Connections>,
    /// The long answers and messages that were computed.
    pub computed: Arc<AtomicUsize>,
    handle: ServerHandle,
}

/// Returns limits that close no connection.
pub fn limits(answers: usize, all_answers: usize) -> Limits {
    let tick = Duration::from_millis(1);
    Limits {
        answers,
        all_answers,
        patience: NEVER,
        pressed: NEVER,
        tick,
        ..Limits::new(LONGEST, LONGEST)
    }
}

/// Returns an address at a free port, with so many places for subscriptions on each connection.
pub fn endpoint(subscriptions: u32) -> RpcEndpoint {
    RpcEndpoint {
        listen_addr: ([127, 0, 0, 1], 0).into(),
        batch_config: BatchRequestConfig::Limit(8),
        max_connections: 16,
        max_payload_in_mb: 1,
        max_payload_out_mb: (LONGEST >> 20) as u32,
        max_subscriptions_per_connection: subscriptions,
        max_buffer_capacity_per_connection: 64,
        rate_limit: None,
        rate_limit_trust_proxy_headers: false,
        rate_limit_whitelisted_ips: Vec::new(),
        cors: None,
        rpc_methods: RpcMethods::Auto,
        is_optional: false,
        retry_random_port: false,
    }
}

impl Given {
    /// Serves `long(bytes)`, which answers with so many bytes, `patient(bytes)`, which does so without
    /// room, and `subscribe(messages, bytes)`.
    pub fn serve(limits: Limits) -> Self {
        Self::serve_subscriptions(limits, 2)
    }

    /// Serves with so many places for subscriptions on each connection.
    pub fn serve_subscriptions(limits: Limits, subscriptions: u32) -> Self {
        let computed = Arc::<AtomicUsize>::default();
        let mut methods = RpcModule::new(());
        let count = computed.clone();
        let long = move |bytes: usize| {
            count.fetch_add(1, Ordering::SeqCst);
            "x".repeat(bytes)
        };
        let (own, patient) = (long.clone(), long.clone());
        methods
            .register_method("long", move |params, _, _| own(params.one().unwrap_or(0)))
            .unwrap();
        methods
            .register_async_method("patient", move |params, _, _| {
                let text = patient(params.one().unwrap_or(0));
                async move { text }
            })
            .unwrap();
        methods
            .register_subscription("subscribe", "item", "unsubscribe", move |params, sink, _, _| {
                let long = long.clone();
                async move {
                    let (messages, bytes): (usize, usize) = params.parse().unwrap_or_default();
                    let Ok(sink) = sink.accept().await else { return };
                    for _ in 0..messages {
                        let message = SubscriptionMessage::from_json(&long(bytes)).unwrap();
                        if sink.send(message).await.is_err() {
                            return;
                        }
                    }
                    sink.closed().await;
                }
            })
            .unwrap();
        let config = Config {
            endpoints: vec![endpoint(subscriptions)],
            methods,
            patient: &["patient"],
            ids: None,
            log_length: 64,
            metrics: Metrics::default(),
        };
        let connections = Connections::new(limits);
        let (stop, handle) = stop_channel();
        let addresses = serve(config, connections.clone(), stop, &Handle::current()).unwrap();
        Self { address: addresses[0], connections, computed, handle }
    }

    /// Ends the server as soon as the calls in progress are answered.
    pub fn stop(&self) {
        self.handle.stop().unwrap();
    }

    /// Returns the number of long answers that were computed.
    pub fn computed(&self) -> usize {
        self.computed.load(Ordering::SeqCst)
    }

    /// Returns the only connection.
    pub fn connection(&self) -> Arc<Connection> {
        let mut live = self.connections.live();
        assert_eq!(live.len(), 1);
        live.remove(0)
    }
}

/// Waits until that is so.
pub async fn until(so: impl Fn() -> bool) {
    while !so() {
        tokio::task::yield_now().await;
    }
}
