// SPDX-License-Identifier: Apache-2.0
//! The messages of a WebSocket. No more are read than there is room for, and each answer is counted until
//! it is written.

use super::{
    calls::Subscriptions,
    connection::{Connection, Debt},
    first::{First, Firsts},
    message::{self, Service},
    slot::Slot,
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use jsonrpsee::{
    server::{BatchRequestConfig, BoundedSubscriptions, ConnectionPermit, MethodSink, StopHandle},
    types::{error::reject_too_big_request, Id},
    Extensions, MethodResponse,
};
use soketto::{
    connection::{Builder, Error},
    data::ByteSlice125,
    Incoming,
};
use std::{future::pending, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, OwnedSemaphorePermit, Semaphore},
    time::{interval_at, timeout, Instant},
};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

type Stream = futures::io::BufReader<futures::io::BufWriter<Compat<TokioIo<Upgraded>>>>;
type Sender = soketto::Sender<Stream>;
type Receiver = soketto::Receiver<Stream>;
type Outbox = mpsc::UnboundedSender<Outgoing>;

/// The time between two pings.
const PING: Duration = Duration::from_secs(30);
/// The time without a sign of life after which a connection is closed. While nothing is read, because the
/// client is owed answers, nobody waits for one.
const LIFE: Duration = Duration::from_secs(180);
/// The room that a new subscription holds for its first message, in bytes.
const FIRST_MESSAGE: usize = 1 << 20;

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

/// What the tasks of a WebSocket share.
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
struct Outgoing {
    text: String,
    _debt: Debt,
    _place: Option<OwnedSemaphorePermit>,
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
    let stream = TokioIo::new(upgraded).compat();
    let stream = futures::io::BufReader::new(futures::io::BufWriter::new(stream));
    let mut builder = Builder::new(stream, soketto::Mode::Server);
    builder.set_max_message_size(socket.most.request as usize);
    let (sender, receiver) = builder.finish();
    let (outbox, outgoing) = mpsc::unbounded_channel();
    let socket = Arc::new(socket);
    let mut writing = std::pin::pin!(write(sender, outgoing));
    let stopped = {
        let forwarding = forward(&socket, inbox, &outbox);
        let reading = read(&socket, receiver, Arc::new(service), &outbox);
        tokio::select! {
            () = &mut writing => false,
            () = socket.connection.until_cut() => false,
            () = forwarding => false,
            () = reading => false,
            () = socket.stop.clone().shutdown() => true,
        }
    };
    if stopped {
        // What is in progress is still answered.
        drop(outbox);
        tokio::select! {
            () = writing => {}
            () = socket.connection.until_cut() => {}
        }
    }
    // Calls that wait give up.
    socket.connection.cut();
}

/// Answers messages until the client closes the connection.
async fn read(
    socket: &Arc<Socket>,
    mut receiver: Receiver,
    service: Arc<Service>,
    outbox: &Outbox,
) {
    let places = Arc::new(Semaphore::new(socket.most.messages as usize));
    while let Ok(place) = places.clone().acquire_owned().await {
        let data = match receive(&mut receiver).await {
            Ok(Some(data)) => data,
            Ok(None) => return,
            Err(Error::MessageTooLarge { .. }) => {
                let error = reject_too_big_request(socket.most.request);
                let error = MethodResponse::error(Id::Null, error);
                send(socket, error.into_result(), Some(place), outbox).await;
                continue;
            }
            Err(error) => {
                log::debug!(target: "rpc", "a WebSocket ends: {error}");
                return;
            }
        };
        let room = socket.connection.requests.take(data.len()).await;
        let (socket, service, outbox) = (socket.clone(), service.clone(), outbox.clone());
        tokio::spawn(async move {
            answer(&socket, &data, &service, place, &outbox).await;
            drop((room, data));
        });
    }
}

/// Returns the next message; `None` if there is none because the client closes the connection or is gone.
async fn receive(receiver: &mut Receiver) -> Result<Option<Vec<u8>>, Error> {
    let mut data = Vec::new();
    loop {
        let Ok(received) = timeout(LIFE, receiver.receive(&mut data)).await else {
            return Ok(None);
        };
        match received {
            Ok(Incoming::Data(_)) => return Ok(Some(data)),
            // A pong between fragments has the receiver forget them and their length. What the next message
            // could not be longer than must not stay in front of it.
            Ok(Incoming::Pong(_)) => data = Vec::new(),
            Ok(Incoming::Closed(_)) | Err(Error::Closed) => return Ok(None),
            Err(error) => return Err(error),
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
    let outgoing = Outgoing { text, _debt: debt, _place: Some(place) };
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
    let _ = outbox.send(Outgoing { text, _debt: debt, _place: place });
}

/// Sends the messages of subscriptions. What waits in front of them is sent before.
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

/// Writes messages and pings until the connection ends or nobody sends any more.
async fn write(mut sender: Sender, mut outgoing: mpsc::UnboundedReceiver<Outgoing>) {
    let mut pings = interval_at(Instant::now() + PING, PING);
    loop {
        let written = tokio::select! {
            message = outgoing.recv() => match message {
                Some(message) => write_text(&mut sender, &message.text).await,
                None => break,
            },
            _ = pings.tick() => write_ping(&mut sender).await,
        };
        if let Err(error) = written {
            log::debug!(target: "rpc", "a WebSocket cannot be written to: {error}");
            break;
        }
    }
    // The client may be gone.
    let _ = sender.close().await;
}

async fn write_text(sender: &mut Sender, text: &str) -> Result<(), Error> {
    sender.send_text(text).await?;
    sender.flush().await
}

async fn write_ping(sender: &mut Sender) -> Result<(), Error> {
    let nothing: &[u8] = &[];
    if let Ok(nothing) = ByteSlice125::try_from(nothing) {
        sender.send_ping(nothing).await?;
    }
    sender.flush().await
}
