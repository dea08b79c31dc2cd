// SPDX-License-Identifier: Apache-2.0
//! The loop that accepts connections at an address.

use super::{
    connection::Connection,
    connections::Connections,
    endpoint::Endpoint,
    http::{Client, Serving},
    metered::Metered,
};
use hyper::body::Incoming;
use jsonrpsee::server::{serve_with_graceful_shutdown, HttpRequest};
use rustix::io::Errno;
use sc_rpc_server::NodeHealthProxyLayer;
use std::{future::Future, io, net::SocketAddr, sync::Arc};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tower::Service;

/// A source of connections over TCP.
pub trait Listen {
    /// Returns the next connection and the address of its client.
    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Listen for TcpListener {
    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send {
        Self::accept(self)
    }
}

/// Accepts connections until the node ends.
pub async fn accept(
    listener: impl Listen,
    endpoint: Arc<Endpoint>,
    serving: Arc<Serving>,
    connections: Arc<Connections>,
) {
    let mut stopped = std::pin::pin!(serving.stop.clone().shutdown());
    loop {
        // This also notices a connection that ends before the wait begins.
        let ended = connections.ended();
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stopped => return,
        };
        match accepted {
            Ok((stream, address)) => {
                let Ok(place) = endpoint.sockets.clone().try_acquire_owned() else {
                    log::debug!(target: "rpc", "{address} is one connection too many");
                    continue;
                };
                let (endpoint, serving) = (endpoint.clone(), serving.clone());
                // Messages are written as wholes.
                if let Err(error) = stream.set_nodelay(true) {
                    log::debug!(target: "rpc", "the connection of {address} is gone: {error}");
                    continue;
                }
                let connection = connections.open();
                let stream =
                    (Metered::new(stream, connection.clone(), place, connections.end()), address);
                tokio::spawn(serve(stream, connection, endpoint, serving));
            }
            Err(error) => {
                log::debug!(target: "rpc", "a connection cannot be accepted: {error}");
                if !lacks_resources(&error) {
                    continue;
                }
                // The rest of the node can also close files and free memory, and nothing signals that.
                tokio::select! {
                    _ = timeout(connections.limits.pause, ended) => {}
                    () = &mut stopped => return,
                }
            }
        }
    }
}

/// Returns whether a connection could not be accepted because all descriptors or all memory are in use.
fn lacks_resources(error: &io::Error) -> bool {
    let lacking = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|error| lacking.contains(&error))
}

/// Serves a connection until it ends, it becomes a WebSocket, or it is cut.
async fn serve(
    (stream, address): (Metered<TcpStream>, SocketAddr),
    connection: Arc<Connection>,
    endpoint: Arc<Endpoint>,
    serving: Arc<Serving>,
) {
    let layers = tower::ServiceBuilder::new()
        .option_layer(endpoint.hosts.clone())
        // Serves `/health` and `/health/readiness`.
        .layer(NodeHealthProxyLayer)
        .layer(endpoint.cors.clone());
    let stopped = serving.stop.clone().shutdown();
    let client =
        Client { serving, endpoint, connection: connection.clone(), address: address.ip() };
    let service = tower::service_fn(move |request: http::Request<Incoming>| {
        let client = client.clone();
        let answer = tower::service_fn(move |request: HttpRequest| client.clone().serve(request));
        let mut service = layers.service(answer);
        async move { service.call(request).await.map_err(io::Error::other) }
    });
    tokio::select! {
        served = serve_with_graceful_shutdown(stream, service, stopped) => {
            if let Err(error) = served {
                log::debug!(target: "rpc", "the connection of {address} fails: {error}");
            }
        }
        () = connection.until_cut() => {}
    }
}
