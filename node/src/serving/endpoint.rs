// SPDX-License-Identifier: Apache-2.0
//! An address at which the node serves RPC, with the options of the command line for it.

use super::socket::Most;
use forwarded_header_value::ForwardedHeaderValue;
use http::{HeaderMap, HeaderValue};
use jsonrpsee::server::{middleware::http::HostFilterLayer, ConnectionGuard};
use sc_rpc_server::{IpNetwork, RpcEndpoint};
use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener},
    num::NonZeroU32,
    sync::Arc,
};
use tokio::sync::Semaphore;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// The bytes of a unit in which options say sizes.
const MEBIBYTE: u32 = 1 << 20;

/// The connections over TCP for each that can have a request at a time.
const SOCKETS: usize = 4;

/// An address at which the node serves RPC.
pub struct Endpoint {
    /// The address.
    pub address: SocketAddr,
    /// Whether unsafe methods are refused.
    pub deny_unsafe: sc_rpc::DenyUnsafe,
    /// The names of this host, if requests for others are refused.
    pub hosts: Option<HostFilterLayer>,
    /// The web pages that may call.
    pub cors: CorsLayer,
    /// The bounds of each connection.
    pub most: Most,
    /// The places for connections.
    pub places: ConnectionGuard,
    /// The places for connections over TCP, of which those without a request need no other.
    pub sockets: Arc<Semaphore>,
    rate: Rate,
}

/// The limit of calls in a minute, and those that it does not apply to.
struct Rate {
    limit: Option<NonZeroU32>,
    trusts_proxy: bool,
    exempt: Vec<IpNetwork>,
}

impl Endpoint {
    /// Listens at the address that the options name.
    pub fn bind(options: RpcEndpoint) -> io::Result<(Self, TcpListener)> {
        let listener = match TcpListener::bind(options.listen_addr) {
            Err(_) if options.retry_random_port => {
                TcpListener::bind((options.listen_addr.ip(), 0))?
            }
            bound => bound?,
        };
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let endpoint = Self {
            address,
            deny_unsafe: sc_rpc_server::utils::deny_unsafe(&address, &options.rpc_methods),
            hosts: options.cors.as_ref().map(|_| hosts(address.port())).transpose()?,
            cors: cors(options.cors)?,
            most: Most {
                request: options.max_payload_in_mb.saturating_mul(MEBIBYTE),
                answer: options.max_payload_out_mb.saturating_mul(MEBIBYTE),
                messages: options.max_buffer_capacity_per_connection.max(1),
                subscriptions: options.max_subscriptions_per_connection,
                batches: options.batch_config,
            },
            places: ConnectionGuard::new(options.max_connections as usize),
            sockets: Arc::new(Semaphore::new(options.max_connections as usize * SOCKETS)),
            rate: Rate {
                limit: options.rate_limit,
                trusts_proxy: options.rate_limit_trust_proxy_headers,
                exempt: options.rate_limit_whitelisted_ips,
            },
        };
        Ok((endpoint, listener))
    }

    /// Returns the limit of calls in a minute for a client at that address, with these headers.
    pub fn rate(&self, client: IpAddr, headers: &HeaderMap) -> Option<NonZeroU32> {
        let forwarded = self.rate.trusts_proxy.then(|| behind_proxy(headers)).flatten();
        let client = forwarded.unwrap_or(client);
        self.rate.limit.filter(|_| !self.rate.exempt.iter().any(|exempt| exempt.contains(client)))
    }
}

/// Returns the filter of requests that name another host than this one.
fn hosts(port: u16) -> io::Result<HostFilterLayer> {
    let names = ["localhost", "127.0.0.1", "[::1]"];
    HostFilterLayer::new(names.map(|name| format!("{name}:{port}"))).map_err(io::Error::other)
}

/// Returns the layer that permits calls by pages of these origins, or of all.
fn cors(origins: Option<Vec<String>>) -> io::Result<CorsLayer> {
    let Some(origins) = origins else { return Ok(CorsLayer::permissive()) };
    let origins = origins.iter().map(|origin| HeaderValue::from_str(origin));
    let origins = origins.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
    Ok(CorsLayer::new().allow_origin(AllowOrigin::list(origins)))
}

/// Returns the address for which a proxy says that it calls.
fn behind_proxy(headers: &HeaderMap) -> Option<IpAddr> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let of = |value: ForwardedHeaderValue| value.remotest_forwarded_for_ip();
    let forwarded =
        text("forwarded").and_then(|text| ForwardedHeaderValue::from_forwarded(text).ok());
    forwarded
        .and_then(of)
        .or_else(|| {
            let text = text("x-forwarded-for")?;
            ForwardedHeaderValue::from_x_forwarded_for(text).ok().and_then(of)
        })
        .or_else(|| text("x-real-ip")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> RpcEndpoint {
        RpcEndpoint {
            listen_addr: ([127, 0, 0, 1], 0).into(),
            batch_config: jsonrpsee::server::BatchRequestConfig::Unlimited,
            max_connections: 1,
            max_payload_in_mb: 1,
            max_payload_out_mb: 2,
            max_subscriptions_per_connection: 1,
            max_buffer_capacity_per_connection: 0,
            rate_limit: NonZeroU32::new(7),
            rate_limit_trust_proxy_headers: true,
            rate_limit_whitelisted_ips: vec!["10.0.0.0/8".parse().unwrap()],
            cors: Some(vec!["http://localhost:*".into()]),
            rpc_methods: sc_rpc_server::RpcMethods::Auto,
            is_optional: false,
            retry_random_port: false,
        }
    }

    #[test]
    fn address_that_is_taken_is_an_error_unless_any_port_will_do() {
        let (_, listener) = Endpoint::bind(options()).unwrap();
        let listen_addr = listener.local_addr().unwrap();
        let taken = |retry_random_port| {
            Endpoint::bind(RpcEndpoint { listen_addr, retry_random_port, ..options() })
        };
        assert_eq!(taken(false).map(|_| ()).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_ne!(taken(true).unwrap().0.address, listen_addr);
    }

    #[test]
    fn rate_applies_to_the_client_that_the_proxy_names() {
        let (endpoint, _) = Endpoint::bind(options()).unwrap();
        let rate = |header: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header, value.parse().unwrap());
            endpoint.rate([10, 0, 0, 1].into(), &headers).is_some()
        };
        assert!(!rate("accept", "text/plain"), "the client itself is exempt");
        assert!(rate("forwarded", "for=192.0.2.60;proto=http"));
        assert!(rate("x-forwarded-for", "192.0.2.60, 10.0.0.2"));
        assert!(rate("x-real-ip", "192.0.2.60"));
        assert!(!rate("x-real-ip", "10.9.9.9"));
    }
}
