// SPDX-License-Identifier: Apache-2.0
//! A network between command and node that fails when a test says so.

use crate::port::Port;
use std::{net::Ipv4Addr, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        tcp::{OwnedReadHalf, OwnedWriteHalf},
        TcpListener, TcpStream,
    },
    sync::watch,
    task::JoinHandle,
};

/// The state of the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    /// It carries bytes to the node with that port.
    Works { to: u16 },
    /// It carries what comes from the clients, and loses the node's answers.
    Deaf,
    /// It carries nothing and closes nothing, as when a cable is cut.
    Silent,
    /// It closes every connection.
    Closes,
}

/// A TCP proxy on the loopback interface. It ends when it is dropped.
pub struct Proxy {
    port: Port,
    mode: Arc<watch::Sender<Mode>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy before the node with that port.
    pub async fn start(to: u16) -> Self {
        let port = Port::claim();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).await.unwrap();
        let mode = Arc::new(watch::Sender::new(Mode::Works { to }));
        let accepting = tokio::spawn(accept(listener, mode.clone()));
        Self { port, mode, accepting }
    }

    /// Returns the address to connect to instead of the node's.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port.number())
    }

    /// Carries bytes to the node with that port. Connections that were silent before stay dead, as
    /// those whose other end has forgotten them.
    pub fn works(&self, to: u16) {
        self.mode.send_replace(Mode::Works { to });
    }

    /// Carries only what clients send over their present connections, and loses the node's answers.
    pub fn loses_answers(&self) {
        self.mode.send_replace(Mode::Deaf);
    }

    /// Carries nothing from now on, and closes nothing.
    pub fn falls_silent(&self) {
        self.mode.send_replace(Mode::Silent);
    }

    /// Closes every connection, also new ones.
    pub fn closes(&self) {
        self.mode.send_replace(Mode::Closes);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.mode.send_replace(Mode::Closes);
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, mode: Arc<watch::Sender<Mode>>) {
    while let Ok((client, _)) = listener.accept().await {
        let mut mode = mode.subscribe();
        tokio::spawn(async move {
            let now = *mode.borrow_and_update();
            match now {
                Mode::Works { to } => carry(client, to, mode).await,
                Mode::Deaf | Mode::Silent => until_closed(&mut mode).await,
                Mode::Closes => {}
            }
        });
    }
}

/// Carries the bytes of one connection for as long as the network works as it does now.
async fn carry(client: TcpStream, to: u16, mut mode: watch::Receiver<Mode>) {
    let Ok(node) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_node, mut to_node) = node.into_split();
    tokio::select! {
        () = copy(&mut from_client, &mut to_node) => return,
        () = copy(&mut from_node, &mut to_client) => return,
        _ = mode.changed() => {}
    }
    if *mode.borrow_and_update() == Mode::Deaf {
        tokio::select! {
            () = copy(&mut from_client, &mut to_node) => return,
            _ = mode.changed() => {}
        }
    }
    // Both ends stay open, and nothing passes.
    until_closed(&mut mode).await;
}

async fn copy(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf) {
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
}

async fn until_closed(mode: &mut watch::Receiver<Mode>) {
    let _ = mode.wait_for(|mode| *mode == Mode::Closes).await;
}
