// SPDX-License-Identifier: Apache-2.0
//! Servers that are dropped where other tasks run.

use super::{
    super::{Config, Metrics, Server},
    given::endpoint,
};
use jsonrpsee::RpcModule;
use sc_rpc_server::RpcEndpoint;
use std::{io, net::SocketAddr};
use tokio::{net::TcpListener, runtime::Runtime};

fn server() -> Server {
    Server::new(Runtime::new().unwrap())
}

fn config(listen_addr: SocketAddr) -> Config {
    Config {
        endpoints: vec![RpcEndpoint { listen_addr, ..endpoint(0) }],
        methods: RpcModule::new(()),
        patient: &[],
        ids: None,
        log_length: 0,
        metrics: Metrics::default(),
    }
}

#[tokio::test]
async fn server_that_is_not_started_ends() {
    let server = server();
    let task = server.runtime().spawn(std::future::pending::<()>());
    drop(server);
    assert!(task.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn server_whose_address_is_taken_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = server();
    let error = server.start(config(listener.local_addr().unwrap())).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}
