// SPDX-License-Identifier: Apache-2.0
//! Listeners that cannot accept a connection.

use super::{
    super::{
        accept::accept, accept::Listen, connections::Connections, endpoint::Endpoint, Serving,
    },
    client::{call, HttpClient},
    given::{endpoint, limits, until, NEVER},
};
use jsonrpsee::{
    core::id_providers::RandomIntegerIdProvider,
    server::{stop_channel, ServerHandle},
    RpcModule,
};
use rustix::io::Errno;
use serde_json::json;
use std::{
    io,
    net::SocketAddr,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};

/// A listener whose second attempt to accept a connection fails.
struct Failing {
    listener: TcpListener,
    error: Errno,
    attempts: Arc<AtomicUsize>,
}

impl Listen for Failing {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match self.attempts.fetch_add(1, Ordering::SeqCst) {
            1 => Err(self.error.into()),
            _ => self.listener.accept().await,
        }
    }
}

/// Accepts connections with that error in between, after which the server waits for at most `pause`.
/// Returns the address, the number of attempts, and the handle of the server.
fn fail(error: Errno, pause: Duration) -> (SocketAddr, Arc<AtomicUsize>, ServerHandle) {
    let mut limits = limits(1 << 20, 1 << 20);
    limits.pause = pause;
    let (endpoint, listener) = Endpoint::bind(endpoint(0)).unwrap();
    let address = endpoint.address;
    let attempts = Arc::<AtomicUsize>::default();
    let listener = TcpListener::from_std(listener).unwrap();
    let listener = Failing { listener, error, attempts: attempts.clone() };
    let (stop, handle) = stop_channel();
    let serving = Serving {
        methods: RpcModule::new(()).into(),
        patient: &[],
        ids: Arc::new(RandomIntegerIdProvider),
        log_length: 0,
        metrics: None,
        stop,
        next: AtomicUsize::new(0),
    };
    let connections = Connections::new(limits);
    tokio::spawn(accept(listener, Arc::new(endpoint), Arc::new(serving), connections));
    (address, attempts, handle)
}

async fn ask(client: &mut HttpClient) {
    client.send(&call(7, "unknown", json!([]))).await;
    assert_eq!(client.read().await["id"], 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn listener_that_cannot_accept_goes_on_when_a_connection_ends() {
    for error in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
        let (address, attempts, _server) = fail(error, NEVER);
        let mut first = HttpClient::connect(address).await;
        ask(&mut first).await;
        until(|| attempts.load(Ordering::SeqCst) >= 2).await;
        let mut second = HttpClient::connect(address).await;
        ask(&mut first).await;
        assert_eq!(attempts.load(Ordering::SeqCst), 2, "it waits");
        drop(first);
        ask(&mut second).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listener_without_descriptors_goes_on_when_its_pause_ends() {
    let (address, _, _server) = fail(Errno::MFILE, Duration::from_millis(1));
    let mut clients = [HttpClient::connect(address).await, HttpClient::connect(address).await];
    for client in &mut clients {
        ask(client).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listener_goes_on_at_once_after_a_connection_that_is_gone() {
    let (address, _, _server) = fail(Errno::CONNABORTED, NEVER);
    let mut clients = [HttpClient::connect(address).await, HttpClient::connect(address).await];
    for client in &mut clients {
        ask(client).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listener_without_descriptors_stops() {
    let (address, attempts, server) = fail(Errno::MFILE, NEVER);
    let mut client = HttpClient::connect(address).await;
    ask(&mut client).await;
    until(|| attempts.load(Ordering::SeqCst) == 2).await;
    server.stop().unwrap();
    client.closed().await;
    server.stopped().await;
}
