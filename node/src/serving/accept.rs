// SPDX-License-Identifier: Apache-2.0
//! The loop that accepts connections at an address.

use super::{
    connection::{Connection, Connections},
    endpoint::Endpoint,
    http::{Client, Serving},
    metered::Metered,
};
use hyper::body::Incoming;
use jsonrpsee::server::{serve_with_graceful_shutdown, HttpRequest};
use sc_rpc_server::NodeHealthProxyLayer;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::{TcpListener, TcpStream};
use tower::Service;

/// The time until another connection is accepted after one could not be, such as for want of a descriptor.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until the node ends.
pub async fn accept(
    listener: TcpListener,
    endpoint: Arc<Endpoint>,
    serving: Arc<Serving>,
    connections: Arc<Connections>,
) {
    let mut stopped = std::pin::pin!(serving.stop.clone().shutdown());
    loop {
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
                let stream = (Metered::new(stream, connection.clone(), place), address);
                tokio::spawn(serve(stream, connection, endpoint, serving));
            }
            Err(error) => {
                log::debug!(target: "rpc", "a connection cannot be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
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
