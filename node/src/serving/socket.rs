// SPDX-License-Identifier: Apache-2.0
//! The messages of a WebSocket. No more are read than there is room for, and each answer is counted until
//! it is written.

use super::{
    calls::Subscriptions,
    connection::{Connection, Debt},
    first::{First, Firsts},
    incoming::{End, Event, Incoming},
    message::{self, Service},
    outgoing::Outgoing,
    room::Charge,
    slot::Slot,
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use jsonrpsee::{
    server::{BatchRequestConfig, BoundedSubscriptions, ConnectionPermit, MethodSink, StopHandle},
    types::{error::reject_too_big_request, Id},
    Extensions, MethodResponse,
};
use soketto::base::OpCode;
use std::{future::pending, sync::Arc};
use tokio::{
    io::{ReadHalf, WriteHalf},
    sync::{mpsc, oneshot, OwnedSemaphorePermit, Semaphore},
    time::{interval_at, timeout, Instant, Interval, MissedTickBehavior},
};

type Stream = TokioIo<Upgraded>;
type Outbox = mpsc::UnboundedSender<Message>;

/// The room that a new subscription holds for its first message, in bytes.
const FIRST_MESSAGE: usize = 1 << 20;

/// The status with which WebSockets are closed when the node ends (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// The numbers that bound a WebSocket.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// The longest message of a client, in bytes.
    pub request: u32,
    /// The longest answer, in bytes.
    pub answer: u32,
    /// The messages of a client that are not answered yet, or whose answer is not written yet, and as many
    /// messages of subscriptions.
    pub messages: u32,
    /// The subscriptions.
    pub subscriptions: u32,
    /// The batches that are permitted.
    pub batches: BatchRequestConfig,
}

/// The state that the tasks of a WebSocket share.
pub struct Socket {
    /// The connection.
    pub connection: Arc<Connection>,
    /// The bounds.
    pub most: Most,
    /// The extensions of calls.
    pub extensions: Extensions,
    /// The place among the connections that the node permits, which calls in progress hold as well.
    pub _permit: ConnectionPermit,
    /// The signal that the node ends.
    pub stop: StopHandle,
}

/// A message to the client.
struct Message {
    text: String,
    _debt: Debt,
    _place: Option<OwnedSemaphorePermit>,
}

/// The sources of frames for the client.
struct Due {
    messages: mpsc::UnboundedReceiver<Message>,
    pongs: mpsc::Receiver<Vec<u8>>,
    /// The end of the WebSocket, with its status.
    close: oneshot::Receiver<Option<u16>>,
    pings: Interval,
}

/// A frame for the client.
enum Frame {
    Message(Message),
    Ping,
    Pong(Vec<u8>),
    Close(Option<u16>),
}

impl Due {
    /// Waits for the next frame. The end comes before all others, none of which waits for the others forever.
    async fn next(&mut self) -> Frame {
        let Self { messages, pongs, close, pings } = self;
        let other = async {
            tokio::select! {
                // The node ends.
                message = messages.recv() => message.map_or(Frame::Close(Some(GOING_AWAY)), Frame::Message),
                Some(data) = pongs.recv() => Frame::Pong(data),
                _ = pings.tick() => Frame::Ping,
            }
        };
        tokio::select! {
            biased;
            Ok(status) = close => Frame::Close(status),
            frame = other => frame,
        }
    }
}

/// The messages of subscriptions, which come without being counted.
pub struct Inbox {
    messages: mpsc::Receiver<String>,
    firsts: Firsts,
}

/// Returns the subscriptions of a socket, and the messages that they send.
pub fn subscriptions(
    most: u32,
    ids: Arc<dyn jsonrpsee::core::traits::IdProvider>,
) -> (Subscriptions, Inbox) {
    // A message that is not counted is one that waits, so the others wait where they come from.
    let (sender, messages) = mpsc::channel(1);
    let (places, firsts) = (BoundedSubscriptions::new(most), Firsts::default());
    let inbox = Inbox { messages, firsts: firsts.clone() };
    (Subscriptions { places, sink: MethodSink::new(sender), ids, firsts }, inbox)
}

/// Serves a WebSocket until it is closed.
pub async fn serve(socket: Socket, service: Service, inbox: Inbox, upgraded: Upgraded) {
    let limits = socket.connection.limits.clone();
    let (incoming, outgoing) = tokio::io::split(TokioIo::new(upgraded));
    let most = socket.most.request as usize;
    let mut incoming = Incoming::new(incoming, socket.connection.clone(), most);
    let (outbox, messages) = mpsc::unbounded_channel();
    let (pong, pongs) = mpsc::channel(1);
    let (closing, close) = oneshot::channel();
    let mut pings = interval_at(Instant::now() + limits.ping, limits.ping);
    // The pings that a slow client has missed are of no use to it.
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let due = Due { messages, pongs, close, pings };
    let socket = Arc::new(socket);
    let mut writing = std::pin::pin!(write(Outgoing::new(outgoing), due));
    let end = {
        let forwarding = forward(&socket, inbox, &outbox);
        let reading = read(&socket, &mut incoming, Arc::new(service), &outbox, pong);
        tokio::select! {
            () = &mut writing => None,
            () = socket.connection.until_cut() => None,
            () = forwarding => None,
            end = reading => Some(Some(end)),
            () = socket.stop.clone().shutdown() => Some(None),
        }
    };
    match end {
        Some(Some(End::Lost(error))) => {
            log::debug!(target: "rpc", "a WebSocket is lost: {error}");
        }
        Some(Some(end)) => {
            log::debug!(target: "rpc", "a WebSocket ends: {end}");
            // The writer is still there, unless the client is gone.
            let _ = closing.send(end.status());
            let farewell = async {
                writing.await;
                // The system forgets the frame that closes the WebSocket if bytes of the client are not read.
                incoming.drain().await;
            };
            let _ = timeout(limits.farewell, farewell).await;
        }
        // The node ends, but the calls in progress are still answered.
        Some(None) => {
            drop(outbox);
            let farewell = async {
                writing.await;
                // The system forgets what the client has not taken yet if bytes of the client are not read.
                let _ = timeout(limits.farewell, incoming.drain()).await;
            };
            tokio::select! {
                () = farewell => {}
                () = socket.connection.until_cut() => {}
            }
        }
        None => {}
    }
    // Calls that wait give up.
    socket.connection.cut();
}

/// Answers messages until there are no more, and returns the reason for that.
async fn read(
    socket: &Arc<Socket>,
    incoming: &mut Incoming<ReadHalf<Stream>>,
    service: Arc<Service>,
    outbox: &Outbox,
    pong: mpsc::Sender<Vec<u8>>,
) -> End {
    let places = Arc::new(Semaphore::new(socket.most.messages as usize));
    loop {
        let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
        let (data, room) = match receive(incoming, &pong).await {
            Ok(Some(message)) => message,
            Ok(None) => {
                let error = reject_too_big_request(socket.most.request);
                let error = MethodResponse::error(Id::Null, error);
                send(socket, error.into_result(), Some(place), outbox).await;
                continue;
            }
            Err(end) => return end,
        };
        let (socket, service, outbox) = (socket.clone(), service.clone(), outbox.clone());
        tokio::spawn(async move {
            answer(&socket, &data, &service, place, &outbox).await;
            drop((room, data));
        });
    }
}

/// Returns the next message and its room, or `None` if it is too long, and has pings in front of it answered.
async fn receive(
    incoming: &mut Incoming<ReadHalf<Stream>>,
    pong: &mpsc::Sender<Vec<u8>>,
) -> Result<Option<(Vec<u8>, Option<Charge>)>, End> {
    loop {
        match incoming.next().await? {
            Event::Message(data, room) => return Ok(Some((data, room))),
            Event::TooLong => return Ok(None),
            // The writer is gone only if the connection is.
            Event::Ping(data) => drop(pong.send(data).await),
        }
    }
}

/// Answers a message, whose place lasts until its answer is written.
async fn answer(
    socket: &Socket,
    data: &[u8],
    service: &Service,
    place: OwnedSemaphorePermit,
    outbox: &Outbox,
) {
    let Socket { connection, most, .. } = socket;
    let slot = Slot::new(connection.clone(), most.answer as usize);
    let mut extensions = socket.extensions.clone();
    extensions.insert(slot.clone());
    let context = message::Context {
        service,
        connection,
        slot: &slot,
        batches: most.batches,
        most: most.answer as usize,
        extensions,
    };
    let Some(response) = message::answer(data, context).await else { return };
    if response.is_subscription() {
        // Its answer is among the messages of subscriptions.
        let Some(first) = response.extensions().get::<Arc<First>>().cloned() else { return };
        let Ok(room) = slot.close(FIRST_MESSAGE).await else { return };
        let connection = connection.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = first.hold(room, connection.limits.first) => {}
                () = connection.until_cut() => {}
            }
        });
        return;
    }
    let succeeds = response.is_success();
    let (text, sent) = response.into_parts();
    let Ok(charge) = slot.close(text.len()).await else { return };
    let debt = connection.owe(charge, text.len());
    let outgoing = Message { text, _debt: debt, _place: Some(place) };
    if outbox.send(outgoing).is_ok() {
        if let Some(sent) = sent {
            sent.notify(succeeds);
        }
    }
}

/// Sends a message as soon as there is room for it.
async fn send(socket: &Socket, text: String, place: Option<OwnedSemaphorePermit>, outbox: &Outbox) {
    let charge = socket.connection.answers.take(text.len()).await;
    let debt = socket.connection.owe(charge, text.len());
    // The writer is gone only if the connection is.
    let _ = outbox.send(Message { text, _debt: debt, _place: place });
}

/// Sends the messages of subscriptions, each after those that wait in front of it.
async fn forward(socket: &Socket, mut inbox: Inbox, outbox: &Outbox) {
    let places = Arc::new(Semaphore::new(socket.most.messages as usize));
    while let Some(text) = inbox.messages.recv().await {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        inbox.firsts.came(&text);
        send(socket, text, Some(place), outbox).await;
    }
    // Nobody can subscribe any more, but the connection goes on.
    pending().await
}

/// Writes frames until the WebSocket is closed or cannot be written to.
async fn write(mut outgoing: Outgoing<WriteHalf<Stream>>, mut due: Due) {
    loop {
        let written = match due.next().await {
            Frame::Message(message) => outgoing.send(OpCode::Text, message.text.as_bytes()).await,
            Frame::Ping => outgoing.send(OpCode::Ping, &[]).await,
            Frame::Pong(data) => outgoing.send(OpCode::Pong, &data).await,
            Frame::Close(status) => {
                // The client may be gone.
                let _ = outgoing.close(status).await;
                return;
            }
        };
        if let Err(error) = written {
            log::debug!(target: "rpc", "a WebSocket cannot be written to: {error}");
            return;
        }
    }
}
