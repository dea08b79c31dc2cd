// SPDX-License-Identifier: Apache-2.0
//! A check that the node's ports are free, before anything starts.
//!
//! The RPC server would otherwise silently choose another port if its own is taken, and no client
//! would find it there.

use anyhow::bail;
use sc_network_types::multiaddr::{Multiaddr, Protocol};
use sc_service::Configuration;
use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
};

/// Fails if another process listens on a port of this node. The error names the port and the option
/// that changes it.
pub fn ensure_free(config: &Configuration) -> anyhow::Result<()> {
    let rpc = match &config.rpc.addr {
        Some(endpoints) => endpoints
            .iter()
            .filter(|endpoint| !endpoint.is_optional)
            .map(|endpoint| endpoint.listen_addr)
            .collect(),
        None => vec![SocketAddr::from((Ipv4Addr::LOCALHOST, config.rpc.port))],
    };
    ensure_free_for("the RPC", "--rpc-port", rpc)?;
    let peers = config.network.listen_addresses.iter().filter_map(tcp);
    ensure_free_for("peers", "--port", peers)?;
    let metrics = config.prometheus_config.iter().map(|prometheus| prometheus.port);
    ensure_free_for("metrics", "--prometheus-port", metrics)
}

fn ensure_free_for(
    what: &str,
    option: &str,
    addresses: impl IntoIterator<Item = SocketAddr>,
) -> anyhow::Result<()> {
    for address in addresses {
        // Other problems of an address are reported by the service that listens on it later.
        let taken =
            TcpListener::bind(address).is_err_and(|error| error.kind() == ErrorKind::AddrInUse);
        if taken {
            bail!(
                "the port {} for {what} is already in use on {}: is another node running? Stop it, \
                 or choose another port with {option}",
                address.port(),
                address.ip(),
            );
        }
    }
    Ok(())
}

/// Returns the address and the port of a TCP listener.
fn tcp(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some((ip, port).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_port_is_named_with_the_option() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let error = ensure_free_for("the RPC", "--rpc-port", [address]).unwrap_err().to_string();
        assert!(error.contains(&address.port().to_string()), "{error}");
        assert!(error.contains("--rpc-port"), "{error}");
        drop(listener);
        assert!(ensure_free_for("the RPC", "--rpc-port", [address]).is_ok());
    }

    #[test]
    fn only_tcp_addresses_have_a_port_to_look_at() {
        let address = |text: &str| tcp(&text.parse().unwrap());
        assert_eq!(address("/ip4/127.0.0.1/tcp/30333"), Some(([127, 0, 0, 1], 30333).into()));
        assert_eq!(address("/ip6/::/tcp/30333/ws").map(|address| address.port()), Some(30333));
        assert_eq!(address("/memory/7"), None);
    }
}
