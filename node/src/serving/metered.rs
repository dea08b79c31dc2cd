// SPDX-License-Identifier: Apache-2.0
//! A stream that counts the bytes read from it and written to it.

use super::{connection::Connection, connections::End};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{ready, Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::OwnedSemaphorePermit,
};

/// A stream that tells a connection what is read from it and written to it, and has a place among all.
pub struct Metered<S> {
    stream: S,
    connection: Arc<Connection>,
    _place: OwnedSemaphorePermit,
    // It is dropped after the stream, whose descriptor is free by then.
    _end: End,
}

impl<S> Metered<S> {
    /// Wraps the stream of that connection.
    pub const fn new(
        stream: S,
        connection: Arc<Connection>,
        place: OwnedSemaphorePermit,
        end: End,
    ) -> Self {
        Self { stream, connection, _place: place, _end: end }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.connection.got(buf.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.connection.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.connection.wrote(written);
        Poll::Ready(Ok(written))
    }

    // Answers over HTTP stay where they are counted until they are written, instead of being copied.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
