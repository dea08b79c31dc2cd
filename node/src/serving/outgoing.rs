// SPDX-License-Identifier: Apache-2.0
//! The frames that the node sends over a WebSocket (RFC 6455).

use soketto::base::{Codec, Header, OpCode};
use std::io;
use tokio::io::{AsyncWrite, AsyncWriteExt, BufWriter};

/// The frames for a client.
pub struct Outgoing<S> {
    stream: BufWriter<S>,
    codec: Codec,
}

impl<S: AsyncWrite + Unpin> Outgoing<S> {
    /// Writes frames to a stream.
    pub fn new(stream: S) -> Self {
        Self { stream: BufWriter::new(stream), codec: Codec::new() }
    }

    /// Sends a message or a control frame as a whole.
    pub async fn send(&mut self, opcode: OpCode, data: &[u8]) -> io::Result<()> {
        let mut header = Header::new(opcode);
        header.set_payload_len(data.len());
        self.stream.write_all(self.codec.encode_header(&header)).await?;
        self.stream.write_all(data).await?;
        self.stream.flush().await
    }

    /// Closes the WebSocket, with a status if there is one.
    pub async fn close(&mut self, status: Option<u16>) -> io::Result<()> {
        let status = status.map(u16::to_be_bytes);
        self.send(OpCode::Close, status.as_ref().map_or(&[], |status| status)).await?;
        self.stream.shutdown().await
    }
}
