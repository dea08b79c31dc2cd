// SPDX-License-Identifier: Apache-2.0
//! The messages that a client sends over a WebSocket (RFC 6455). Memory for one grows with the bytes that came,
//! however long its frames announce it to be, and is taken from the room for requests.

use super::{connection::Connection, room::Charge};
use soketto::{
    base::{Codec, Error, Header, OpCode},
    Parsing,
};
use std::{fmt, io, mem, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt, BufReader},
    time::timeout,
};

/// The least memory that is taken for a message of at least that length, in bytes.
const PIECE: usize = 16 << 10;

/// The messages of a client.
pub struct Incoming<S> {
    stream: BufReader<S>,
    codec: Codec,
    most: usize,
    connection: Arc<Connection>,
    /// The fragments of the next message.
    data: Vec<u8>,
    /// The room that they take.
    room: Option<Charge>,
    /// Whether more fragments of it follow.
    begun: bool,
    /// Whether it is too long, so that its bytes are not kept.
    skipped: bool,
}

/// An event that is to be answered.
pub enum Event {
    /// The client sends a message, for which that room is taken unless it is empty.
    Message(Vec<u8>, Option<Charge>),
    /// The client sends a message that is too long.
    TooLong,
    /// The client asks for a pong with these bytes.
    Ping(Vec<u8>),
}

/// The reason for which nothing more is read.
#[derive(Debug)]
pub enum End {
    /// The client closes the WebSocket, with that status if it names one.
    Closed(Option<u16>),
    /// The connection is lost.
    Lost(io::Error),
    /// No byte came for too long.
    Silent,
    /// The client breaks the protocol.
    Invalid(String),
    /// A frame is longer than any that is read.
    Large(String),
}

impl End {
    /// Returns the status with which the WebSocket is closed (RFC 6455, section 7.4.1), if it is to be closed
    /// with one.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Closed(status) => *status,
            Self::Lost(_) => None,
            Self::Silent => Some(1008),
            Self::Invalid(_) => Some(1002),
            Self::Large(_) => Some(1009),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(Some(status)) => write!(f, "the client closes it with status {status}"),
            Self::Closed(None) => f.write_str("the client closes it"),
            Self::Lost(error) => write!(f, "the connection is lost: {error}"),
            Self::Silent => f.write_str("the client gives no sign of life"),
            Self::Invalid(why) => write!(f, "the client breaks the protocol: {why}"),
            Self::Large(why) => write!(f, "a frame is too long: {why}"),
        }
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        let why = error.to_string();
        match error {
            Error::PayloadTooLarge { .. } => Self::Large(why),
            _ => Self::Invalid(why),
        }
    }
}

impl<S: AsyncRead + Unpin> Incoming<S> {
    /// Reads messages of at most `most` bytes from the stream of a connection.
    pub fn new(stream: S, connection: Arc<Connection>, most: usize) -> Self {
        let (stream, codec, data) = (BufReader::new(stream), Codec::new(), Vec::new());
        Self { stream, codec, most, connection, data, room: None, begun: false, skipped: false }
    }

    /// Waits for the next event. Nothing more can be read after an error, nor if this is dropped before.
    pub async fn next(&mut self) -> Result<Event, End> {
        loop {
            let header = self.header().await?;
            match header.opcode() {
                OpCode::Ping => return Ok(Event::Ping(self.control(&header).await?)),
                // Every byte is a sign of life.
                OpCode::Pong => drop(self.control(&header).await?),
                OpCode::Close => return Err(End::Closed(status(&self.control(&header).await?)?)),
                _ => {
                    if let Some(message) = self.fragment(&header).await? {
                        return Ok(message);
                    }
                }
            }
        }
    }

    /// Reads and forgets everything until the client closes the connection.
    pub async fn drain(&mut self) {
        self.take();
        let _ = tokio::io::copy_buf(&mut self.stream, &mut tokio::io::sink()).await;
    }

    async fn header(&mut self) -> Result<Header, End> {
        let mut bytes = Vec::new();
        loop {
            match self.codec.decode_header(&bytes)? {
                Parsing::Done { value, .. } if value.is_masked() => return Ok(value),
                Parsing::Done { .. } => return Err(End::Invalid("a frame has no mask".into())),
                Parsing::NeedMore(more) => self.read(&mut bytes, more).await?,
            }
        }
    }

    /// Returns the data of a control frame, which has at most 125 bytes.
    async fn control(&mut self, header: &Header) -> Result<Vec<u8>, End> {
        let mut data = Vec::new();
        self.read(&mut data, header.payload_len()).await?;
        Codec::apply_mask(header, &mut data);
        Ok(data)
    }

    /// Reads a fragment, and returns the message if it is the last.
    async fn fragment(&mut self, header: &Header) -> Result<Option<Event>, End> {
        if self.begun != (header.opcode() == OpCode::Continue) {
            return Err(End::Invalid("a fragment is not of the message before".into()));
        }
        self.begun = !header.is_fin();
        let (bytes, start) = (header.payload_len(), self.data.len());
        self.skipped |= bytes > self.most.saturating_sub(start);
        if self.skipped {
            self.take();
            self.skip(bytes).await?;
        } else {
            self.keep(bytes).await?;
            Codec::apply_mask(header, self.data.get_mut(start..).unwrap_or_default());
        }
        if self.begun {
            return Ok(None);
        }
        let (data, room) = self.take();
        let skipped = mem::take(&mut self.skipped);
        Ok(Some(if skipped { Event::TooLong } else { Event::Message(data, room) }))
    }

    /// Returns the fragments and their room, and begins anew.
    fn take(&mut self) -> (Vec<u8>, Option<Charge>) {
        self.connection.receives(0);
        (mem::take(&mut self.data), self.room.take())
    }

    /// Adds so many bytes to the fragments, which take room as they come.
    async fn keep(&mut self, mut bytes: usize) -> Result<(), End> {
        while bytes > 0 {
            if self.data.len() == self.data.capacity() {
                // The length of all fragments is not known before the last.
                let most = if self.begun { self.most - self.data.len() } else { bytes };
                let more = self.data.len().max(PIECE).min(most);
                self.grow(more).await;
                self.data.reserve_exact(more);
                self.connection.receives(self.data.capacity());
            }
            let mut data = mem::take(&mut self.data);
            let read = self.read_some(&mut data, bytes).await;
            self.data = data;
            bytes -= read?;
        }
        Ok(())
    }

    /// Takes room for so many bytes more.
    async fn grow(&mut self, more: usize) {
        let requests = &self.connection.requests;
        match &mut self.room {
            Some(room) => {
                self.connection.waits(true);
                requests.grow(room, more).await;
                self.connection.waits(false);
            }
            room => *room = Some(requests.take(more).await),
        }
    }

    /// Adds so many bytes to the data of a header or a control frame.
    async fn read(&mut self, data: &mut Vec<u8>, mut bytes: usize) -> Result<(), End> {
        data.reserve(bytes);
        while bytes > 0 {
            bytes -= self.read_some(data, bytes).await?;
        }
        Ok(())
    }

    /// Forgets so many bytes.
    async fn skip(&mut self, mut bytes: usize) -> Result<(), End> {
        let mut data = Vec::with_capacity(bytes.min(PIECE));
        while bytes > 0 {
            data.clear();
            bytes -= self.read_some(&mut data, bytes).await?;
        }
        Ok(())
    }

    /// Adds at least one byte and at most `most` to the data, which has memory for at least one.
    async fn read_some(&mut self, data: &mut Vec<u8>, most: usize) -> Result<usize, End> {
        let mut stream = (&mut self.stream).take(most as u64);
        match timeout(self.connection.limits.life, stream.read_buf(data)).await {
            Ok(Ok(0)) => Err(End::Lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => Ok(read?),
            Err(_) => Err(End::Silent),
        }
    }
}

/// Returns the status with which a client closes a WebSocket.
fn status(data: &[u8]) -> Result<Option<u16>, End> {
    match data {
        [] => Ok(None),
        [high, low, ..] => match u16::from_be_bytes([*high, *low]) {
            status @ (1000..=1003 | 1007..=1014 | 3000..=4999) => Ok(Some(status)),
            status => Err(End::Invalid(format!("{status} is not a status to close with"))),
        },
        _ => Err(End::Invalid("a status has two bytes".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::{connections::Connections, limits::Limits};
    use futures::poll;
    use std::pin::pin;
    use tokio::io::AsyncWriteExt;

    const TEXT: u8 = 1;
    const FIN: u8 = 0x80;
    const MASKED: u8 = 0x80;
    const LONGEST: usize = 15 << 20;

    /// Returns a frame with so many bytes, none of which is there yet.
    fn head(first: u8, bytes: usize) -> Vec<u8> {
        let mut head = vec![first, MASKED | 127];
        head.extend((bytes as u64).to_be_bytes());
        head.extend([0; 4]);
        head
    }

    fn incoming<S: AsyncRead + Unpin>(stream: S) -> Incoming<S> {
        let connections = Connections::new(Limits::new(0, LONGEST));
        Incoming::new(stream, connections.open(), LONGEST)
    }

    /// Asserts that the next event is this message.
    async fn assert_message<S: AsyncRead + Unpin>(incoming: &mut Incoming<S>, text: &[u8]) {
        let event = incoming.next().await;
        assert!(matches!(event, Ok(Event::Message(data, Some(_))) if data == text));
    }

    /// Returns the reason for which these bytes end the messages.
    async fn end(bytes: &[u8]) -> End {
        incoming(bytes).next().await.err().expect("there is no more")
    }

    #[tokio::test]
    async fn room_is_taken_as_bytes_come_and_given_back_after_the_message() {
        let (mut client, stream) = tokio::io::duplex(LONGEST);
        let mut incoming = incoming(stream);
        let connection = incoming.connection.clone();
        let mut came = 0;
        client.write_all(&head(FIN | TEXT, LONGEST)).await.unwrap();
        {
            let mut message = pin!(tokio::task::unconstrained(incoming.next()));
            for bytes in [0, 1, PIECE, 1 << 20, 3 << 20] {
                client.write_all(&vec![b' '; bytes]).await.unwrap();
                came += bytes;
                assert!(poll!(&mut message).is_pending());
                let taken = connection.requests.taken();
                assert!(taken >= came && taken <= PIECE.max(2 * came), "{taken} bytes are taken");
            }
            client.write_all(&vec![b' '; LONGEST - came]).await.unwrap();
            let Ok(Event::Message(data, room)) = message.await else { panic!("it is a message") };
            assert_eq!((data.len(), data.capacity()), (LONGEST, LONGEST));
            assert_eq!(room.unwrap().bytes(), LONGEST);
        }
        assert_eq!(connection.requests.taken(), 0);
    }

    #[tokio::test]
    async fn message_is_read_in_fragments_with_pings_in_between() {
        let mut bytes = vec![TEXT, MASKED | 2, 1, 2, 3, 4, b'a' ^ 1, b'b' ^ 2];
        bytes.extend([FIN | 9, MASKED | 1, 0, 0, 0, 0, b'p']);
        bytes.extend([FIN | 10, MASKED, 0, 0, 0, 0]);
        bytes.extend([FIN, MASKED | 1, 1, 2, 3, 4, b'c' ^ 1]);
        bytes.extend([FIN | TEXT, MASKED | 1, 0, 0, 0, 0, b'd']);
        let mut incoming = incoming(&*bytes);
        assert!(matches!(incoming.next().await, Ok(Event::Ping(data)) if data == b"p"));
        assert_message(&mut incoming, b"abc").await;
        assert_message(&mut incoming, b"d").await;
        assert!(matches!(incoming.next().await, Err(End::Lost(_))));
    }

    #[tokio::test]
    async fn memory_of_a_message_in_many_fragments_grows_seldom() {
        const FRAGMENTS: usize = 3 * PIECE;
        let fragment = [0, MASKED | 1, 0, 0, 0, 0, b'x', FIN | 9, MASKED, 0, 0, 0, 0];
        let mut bytes = vec![TEXT, MASKED, 0, 0, 0, 0];
        bytes.extend(fragment.repeat(FRAGMENTS));
        bytes.extend([FIN, MASKED | 1, 0, 0, 0, 0, b'x']);
        let mut incoming = incoming(&*bytes);
        let mut sizes = std::collections::BTreeSet::new();
        for _ in 0..FRAGMENTS {
            assert!(matches!(incoming.next().await, Ok(Event::Ping(_))));
            assert_eq!(incoming.connection.requests.taken(), incoming.data.capacity());
            sizes.insert(incoming.data.capacity());
        }
        assert_eq!(sizes.len(), 3);
        assert_message(&mut incoming, &vec![b'x'; FRAGMENTS + 1]).await;
    }

    #[tokio::test]
    async fn message_that_is_too_long_is_skipped_with_all_its_fragments() {
        let mut bytes = head(TEXT, LONGEST);
        bytes.extend(vec![b' '; LONGEST]);
        bytes.extend([0, MASKED | 1, 0, 0, 0, 0, b' ']);
        bytes.extend([FIN, MASKED | 1, 0, 0, 0, 0, b' ']);
        bytes.extend([FIN | TEXT, MASKED | 1, 0, 0, 0, 0, b'd']);
        let mut incoming = incoming(&*bytes);
        assert!(matches!(incoming.next().await, Ok(Event::TooLong)));
        assert_eq!(incoming.connection.requests.taken(), 0);
        assert_message(&mut incoming, b"d").await;
    }

    #[tokio::test]
    async fn frame_that_is_not_valid_ends_the_messages() {
        let invalid: [&[u8]; 7] = [
            &[FIN | TEXT, 0],
            &[FIN | 3, MASKED, 0, 0, 0, 0],
            &[FIN | 0x40 | TEXT, MASKED, 0, 0, 0, 0],
            &[FIN, MASKED, 0, 0, 0, 0],
            &[TEXT, MASKED, 0, 0, 0, 0, TEXT, MASKED, 0, 0, 0, 0],
            &[FIN | 8, MASKED | 1, 0, 0, 0, 0, 3],
            &[FIN | 8, MASKED | 2, 0, 0, 0, 0, 3, 237],
        ];
        for bytes in invalid {
            let end = end(bytes).await;
            assert!(matches!(end, End::Invalid(_)), "{bytes:?}");
            assert_eq!(end.status(), Some(1002));
        }
        assert_eq!(end(&head(FIN | TEXT, 1 << 32)).await.status(), Some(1009));
    }

    #[tokio::test]
    async fn status_of_a_client_that_leaves_is_known() {
        let end = end(&[FIN | 8, MASKED | 3, 0, 0, 0, 0, 3, 233, b'x']).await;
        assert!(matches!(end, End::Closed(Some(1001))));
    }
}
