// SPDX-License-Identifier: Apache-2.0
//! Serves RPC over HTTP and WebSockets in bounded memory, whatever clients leave unread.
//!
//! The server of jsonrpsee answers each message of a WebSocket at once and keeps the answers until the client
//! reads them. This one reads a message only when there is a place for it, computes an answer only when there
//! is room for the longest, and counts it until it is written. A client that reads slowly is served slowly, and
//! one that does not read is closed. The options are those of `sc-rpc-server`, with their meaning.

mod accept;
mod calls;
mod connection;
mod connections;
mod elements;
mod endpoint;
mod first;
mod http;
mod incoming;
mod limits;
mod message;
mod metered;
mod outgoing;
mod progress;
mod room;
mod slot;
mod socket;
#[cfg(test)]
mod tests;

pub use slot::Slot;

use self::http::Serving;
use connections::{Connections, Reason};
use endpoint::Endpoint;
use jsonrpsee::{
    core::{id_providers::RandomStringIdProvider, traits::IdProvider},
    server::{stop_channel, ServerHandle, StopHandle},
    RpcModule,
};
use limits::Limits;
use sc_rpc_server::{RpcEndpoint, RpcMetrics};
use std::{
    io,
    net::SocketAddr,
    sync::{atomic::AtomicUsize, Arc},
};
use substrate_prometheus_endpoint::{register, CounterVec, Opts, PrometheusError, Registry, U64};
use tokio::runtime::{Handle, Runtime};

/// The length of the ids of subscriptions.
const ID_LENGTH: usize = 16;

/// The addresses, methods and metrics of a server.
pub struct Config {
    /// The addresses, with their options.
    pub endpoints: Vec<RpcEndpoint>,
    /// The methods.
    pub methods: RpcModule<()>,
    /// The methods that can wait for long before they have an answer. They take room for it then, as
    /// [`Slot::reserve`] does, or it is short.
    pub patient: &'static [&'static str],
    /// The source of the ids of subscriptions, if it is not the usual one.
    pub ids: Option<Box<dyn IdProvider>>,
    /// The longest part of a call that is logged.
    pub log_length: u32,
    /// The metrics.
    pub metrics: Metrics,
}

/// The metrics of a server.
#[derive(Default)]
pub struct Metrics {
    calls: Option<RpcMetrics>,
    closed: Option<CounterVec<U64>>,
}

impl Metrics {
    /// Registers the metrics.
    pub fn register(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
        let Some(registry) = registry else { return Ok(Self::default()) };
        let options = Opts::new(
            "assay_rpc_closed_total",
            "Connections of RPC that were closed because the client does not read or send what it should",
        );
        let closed = register(CounterVec::new(options, &["reason"])?, registry)?;
        for reason in [Reason::Stalled, Reason::Pressed] {
            closed.with_label_values(&[reason.label()]).inc_by(0);
        }
        Ok(Self { calls: RpcMetrics::new(Some(registry))?, closed: Some(closed) })
    }
}

/// A server with its own runtime. It can be dropped inside another runtime.
pub struct Server {
    handle: ServerHandle,
    stop: StopHandle,
    runtime: Option<Runtime>,
}

impl Server {
    /// Makes a server that does not listen yet.
    pub fn new(runtime: Runtime) -> Self {
        let (stop, handle) = stop_channel();
        Self { handle, stop, runtime: Some(runtime) }
    }

    /// Returns the runtime on which it serves.
    pub fn runtime(&self) -> &Handle {
        self.runtime.as_ref().expect("only the end of the server takes it").handle()
    }

    /// Starts to serve.
    ///
    /// # Errors
    ///
    /// The node cannot listen at an address that is not optional, or at none.
    pub fn start(&self, config: Config) -> io::Result<()> {
        let connections = Connections::new(Limits::of(&config.endpoints));
        let addresses = serve(config, connections, self.stop.clone(), self.runtime())?;
        let names: String = addresses.iter().map(|address| format!("{address},")).collect();
        let names = if addresses.len() > 1 { names.trim_end_matches(',') } else { &names };
        // Scripts read this line of the SDK.
        log::info!(target: "sc_rpc_server", "Running JSON-RPC server: addr={names}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is no matter whether the server has ended before.
        let _ = self.handle.stop();
        // Tokio panics if a runtime is dropped inside of another.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Serves at all addresses until told to stop, and returns them.
fn serve(
    config: Config,
    connections: Arc<Connections>,
    stop: StopHandle,
    runtime: &Handle,
) -> io::Result<Vec<SocketAddr>> {
    let Config { endpoints, methods, patient, ids, log_length, metrics } = config;
    let methods = with_names(methods)?;
    let known: Vec<&'static str> = methods.method_names().collect();
    let serving = Arc::new(Serving {
        patient,
        ids: match ids {
            Some(ids) => Arc::new(ids),
            None => Arc::new(RandomStringIdProvider::new(ID_LENGTH)),
        },
        log_length,
        metrics: metrics.calls.map(|metrics| metrics.with_known_methods(known)),
        methods: methods.into(),
        stop,
        next: AtomicUsize::new(0),
    });
    let _runtime = runtime.enter();
    let mut addresses = Vec::new();
    for options in endpoints {
        let (address, optional) = (options.listen_addr, options.is_optional);
        let (endpoint, listener) = match Endpoint::bind(options) {
            Ok(bound) => bound,
            Err(error) if optional => {
                log::debug!(target: "rpc", "the optional address {address} is not served: {error}");
                continue;
            }
            Err(error) => {
                let why = format!("cannot listen for RPC on {address}: {error}");
                return Err(io::Error::new(error.kind(), why));
            }
        };
        addresses.push(endpoint.address);
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (endpoint, connections) = (Arc::new(endpoint), connections.clone());
        runtime.spawn(accept::accept(listener, endpoint, serving.clone(), connections));
    }
    if addresses.is_empty() {
        return Err(io::Error::other("the node can listen for RPC on none of its addresses"));
    }
    let closed = move |reason: Reason| {
        log::debug!(target: "rpc", "a connection is closed whose client stalls: {}", reason.label());
        if let Some(closed) = &metrics.closed {
            closed.with_label_values(&[reason.label()]).inc();
        }
    };
    runtime.spawn(connections.watch(closed));
    Ok(addresses)
}

/// Adds the method that returns the names of all.
fn with_names(mut methods: RpcModule<()>) -> io::Result<RpcModule<()>> {
    let mut names: Vec<&'static str> = methods.method_names().chain(["rpc_methods"]).collect();
    names.sort_unstable();
    let names = serde_json::json!({ "methods": names });
    let method =
        move |_: jsonrpsee::types::Params<'_>, _: &(), _: &jsonrpsee::Extensions| names.clone();
    methods.register_method("rpc_methods", method).map_err(io::Error::other)?;
    Ok(methods)
}
