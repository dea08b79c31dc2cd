// SPDX-License-Identifier: Apache-2.0
//! Clients that send and read what tests tell them to.

use serde_json::{json, Value};
use soketto::handshake;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// The bytes that the system keeps for a client, which it doubles.
const KEPT: u32 = 64 << 10;

/// A client over a WebSocket.
pub struct Client {
    sender: soketto::Sender<Compat<TcpStream>>,
    receiver: soketto::Receiver<Compat<TcpStream>>,
}

async fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(KEPT).unwrap();
    socket.connect(address).await.unwrap()
}

/// Returns the text of a call of a method.
pub fn call(id: usize, method: &str, params: Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = connect(address).await.compat();
        let host = address.to_string();
        let mut client = handshake::Client::new(stream, &host, "/");
        let accepted = client.handshake().await.unwrap();
        assert!(matches!(accepted, handshake::ServerResponse::Accepted { .. }));
        let (sender, receiver) = client.into_builder().finish();
        Self { sender, receiver }
    }

    /// Sends a message.
    pub async fn send(&mut self, text: &str) {
        self.sender.send_text(text).await.unwrap();
        self.sender.flush().await.unwrap();
    }

    /// Reads the next message; `None` if there is none.
    pub async fn read(&mut self) -> Option<Value> {
        let mut data = Vec::new();
        self.receiver.receive_data(&mut data).await.ok()?;
        Some(serde_json::from_slice(&data).unwrap())
    }

    /// Sends a message and returns the next one.
    pub async fn ask(&mut self, text: &str) -> Value {
        self.send(text).await;
        self.read().await.unwrap()
    }
}

/// Opens a WebSocket, and returns the stream for frames of the test's own.
pub async fn upgrade(address: SocketAddr) -> TcpStream {
    upgrade_with(address, &[]).await
}

/// Opens a WebSocket as [`upgrade`] does, and sends these bytes before it is open.
pub async fn upgrade_with(address: SocketAddr, early: &[u8]) -> TcpStream {
    let mut stream = connect(address).await;
    let head = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), early].concat()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream
}

/// Returns a frame of a client, with that first byte and at most 125 bytes of data.
pub fn frame(first: u8, data: impl AsRef<[u8]>) -> Vec<u8> {
    let data = data.as_ref();
    // The mask is zero.
    let mut frame = vec![first, 0x80 | data.len() as u8, 0, 0, 0, 0];
    frame.extend(data);
    frame
}

/// Returns the first byte and the data of the next frame of the server, which has at most 125 bytes of data.
pub async fn read_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    stream.read_exact(&mut head).await.unwrap();
    let mut data = vec![0; head[1] as usize];
    stream.read_exact(&mut data).await.unwrap();
    (head[0], data)
}

/// A client over HTTP.
pub struct HttpClient(TcpStream);

impl HttpClient {
    pub async fn connect(address: SocketAddr) -> Self {
        Self(connect(address).await)
    }

    /// Reads nothing, and waits until the server closes the connection.
    pub async fn closed(&mut self) {
        assert!(!matches!(self.0.read(&mut [0]).await, Ok(1..)));
    }

    /// Sends a message.
    pub async fn send(&mut self, text: &str) {
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            text.len()
        );
        self.0.write_all(head.as_bytes()).await.unwrap();
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads the next answer.
    pub async fn read(&mut self) -> Value {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let length = length.split("\r\n").next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}
