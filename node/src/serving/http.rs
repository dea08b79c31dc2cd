// SPDX-License-Identifier: Apache-2.0
//! Requests over HTTP: a message with its answer, or the beginning of a WebSocket.

use super::{
    calls::Calls,
    connection::{Connection, Debt},
    endpoint::Endpoint,
    message::{self, Service},
    slot::Slot,
    socket::{self, Socket},
};
use bytes::Bytes;
use http::Method;
use http_body_util::Full;
use jsonrpsee::{
    core::{
        http_helpers::{read_body, HttpError},
        traits::IdProvider,
        BoxError,
    },
    server::{
        http::{content_type_is_json, response},
        middleware::rpc::RpcLoggerLayer,
        ws, ConnectionPermit, HttpBody, HttpRequest, HttpResponse, Methods, StopHandle,
    },
    ConnectionId,
};
use sc_rpc_server::{Metrics, MiddlewareLayer, RpcMetrics};
use std::{
    net::IpAddr,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Instant,
};
use tower::Layer;

/// The methods that all connections serve, with everything that is around them.
pub struct Serving {
    /// The methods.
    pub methods: Methods,
    /// The methods that can wait for long, as [`Calls::patient`] says.
    pub patient: &'static [&'static str],
    /// The source of the ids of subscriptions.
    pub ids: Arc<dyn IdProvider>,
    /// The longest part of a call that is logged.
    pub log_length: u32,
    /// The metrics of calls.
    pub metrics: Option<RpcMetrics>,
    /// The signal that the node ends.
    pub stop: StopHandle,
    /// The number of the next connection.
    pub next: AtomicUsize,
}

/// A client at an address of the node.
#[derive(Clone)]
pub struct Client {
    /// The methods with everything around them.
    pub serving: Arc<Serving>,
    /// The address of the node.
    pub endpoint: Arc<Endpoint>,
    /// The connection.
    pub connection: Arc<Connection>,
    /// The client's address.
    pub address: IpAddr,
}

/// An answer over HTTP, which is counted until it is written.
struct Answer {
    text: String,
    _debt: Debt,
    _permit: ConnectionPermit,
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl Client {
    /// Serves a request.
    pub async fn serve(self, mut request: HttpRequest) -> Result<HttpResponse, BoxError> {
        let Some(permit) = self.endpoint.places.try_acquire() else {
            return Ok(response::too_many_requests());
        };
        // Each request over HTTP counts as a connection of its own, because those of many clients can share
        // one that a proxy keeps.
        let number = ConnectionId(self.serving.next.fetch_add(1, Ordering::Relaxed));
        request.extensions_mut().insert(number);
        request.extensions_mut().insert(self.endpoint.deny_unsafe);
        if ws::is_upgrade_request(&request) {
            return Ok(self.upgrade(number, request, permit));
        }
        match *request.method() {
            Method::POST if content_type_is_json(&request) => {
                Ok(self.answer(number, request, permit).await)
            }
            Method::POST => Ok(response::unsupported_content_type()),
            _ => Ok(response::method_not_allowed()),
        }
    }

    /// Returns the methods with the layers around them, and the layer that counts them.
    fn service(
        &self,
        transport: &'static str,
        request: &HttpRequest,
        calls: Calls,
    ) -> (Service, MiddlewareLayer) {
        let mut layer = MiddlewareLayer::new();
        if let Some(metrics) = &self.serving.metrics {
            layer = layer.with_metrics(Metrics::new(metrics.clone(), transport));
        }
        if let Some(rate) = self.endpoint.rate(self.address, request.headers()) {
            layer = layer.with_rate_limit_per_minute(rate);
        }
        let service = RpcLoggerLayer::new(self.serving.log_length).layer(layer.layer(calls));
        (service, layer)
    }

    fn calls(&self, connection: ConnectionId) -> Calls {
        Calls {
            methods: self.serving.methods.clone(),
            connection,
            most: self.endpoint.most.answer as usize,
            patient: self.serving.patient,
            subscriptions: None,
        }
    }

    async fn answer(
        self,
        number: ConnectionId,
        request: HttpRequest,
        permit: ConnectionPermit,
    ) -> HttpResponse {
        let (service, _) = self.service("http", &request, self.calls(number));
        let (parts, body) = request.into_parts();
        let most = self.endpoint.most;
        let data = match read_body(&parts.headers, body, most.request).await {
            Ok((data, _)) => data,
            Err(HttpError::TooLarge) => return response::too_large(most.request),
            Err(HttpError::Malformed) => return response::malformed(),
            Err(HttpError::Stream(error)) => {
                log::debug!(target: "rpc", "a request over HTTP cannot be read: {error}");
                return response::internal_error();
            }
        };
        let connection = &self.connection;
        let _busy = connection.busy();
        let _room = connection.requests.take(data.len()).await;
        let slot = Slot::new(connection.clone(), most.answer as usize);
        let mut extensions = parts.extensions;
        extensions.insert(slot.clone());
        let context = message::Context {
            service: &service,
            connection,
            slot: &slot,
            batches: most.batches,
            most: most.answer as usize,
            extensions,
        };
        let answer = message::answer(&data, context).await;
        // Notifications are acknowledged by nothing.
        let text = answer.map_or_else(String::new, |answer| answer.into_result());
        let Ok(charge) = slot.close(text.len()).await else { return response::internal_error() };
        let _debt = connection.owe(charge, text.len());
        let bytes = Bytes::from_owner(Answer { text, _debt, _permit: permit });
        response::ok_response(HttpBody::new(Full::new(bytes)))
    }

    fn upgrade(
        self,
        number: ConnectionId,
        request: HttpRequest,
        permit: ConnectionPermit,
    ) -> HttpResponse {
        let response = match soketto::handshake::http::Server::new().receive_request(&request) {
            Ok(response) => response,
            Err(error) => {
                log::debug!(target: "rpc", "a WebSocket cannot be opened: {error}");
                let body = format!("Could not upgrade connection: {error}");
                return HttpResponse::new(HttpBody::from(body));
            }
        };
        let most = self.endpoint.most;
        let ids = self.serving.ids.clone();
        let (subscriptions, inbox) = socket::subscriptions(most.subscriptions, ids);
        let calls = Calls { subscriptions: Some(subscriptions), ..self.calls(number) };
        let (service, layer) = self.service("ws", &request, calls);
        let busy = self.connection.busy();
        let socket = Socket {
            connection: self.connection,
            most,
            extensions: request.extensions().clone(),
            _permit: permit,
            stop: self.serving.stop.clone(),
        };
        tokio::spawn(async move {
            let upgraded = match hyper::upgrade::on(request).await {
                Ok(upgraded) => upgraded,
                Err(error) => {
                    log::debug!(target: "rpc", "a connection is not upgraded: {error}");
                    return;
                }
            };
            let start = Instant::now();
            layer.ws_connect();
            socket::serve(socket, service, inbox, upgraded).await;
            layer.ws_disconnect(start);
            drop(busy);
        });
        response.map(|()| HttpBody::empty())
    }
}
