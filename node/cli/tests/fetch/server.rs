// SPDX-License-Identifier: Apache-2.0
//! A server on the loopback interface that answers as a test wants it to.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Mutex,
    },
    thread::{self, JoinHandle},
};

/// A request that has arrived.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// The path.
    pub path: String,
    /// The first byte that `Range` asks for.
    pub from: Option<usize>,
    /// `If-Range`.
    pub if_range: Option<String>,
}

/// An answer.
#[derive(Clone, Default)]
pub struct Reply {
    /// The status, such as `200 OK`.
    pub status: &'static str,
    /// The headers, without that of the length.
    pub headers: Vec<String>,
    /// The length that the answer states, if it does.
    pub length: Option<usize>,
    /// The bytes that are sent.
    pub body: Vec<u8>,
    /// Whether the connection stays open after them.
    pub hold: bool,
}

impl Reply {
    /// Answers with a whole file.
    pub fn whole(file: &[u8]) -> Self {
        Self { status: "200 OK", length: Some(file.len()), body: file.to_vec(), ..Self::default() }
    }

    /// Answers with what the request asks for.
    pub fn part(file: &[u8], request: &Request) -> Self {
        let Some(from) = request.from else { return Self::whole(file) };
        let Some(body) = file.get(from..).filter(|body| !body.is_empty()) else {
            return Self::status("416 Range Not Satisfiable");
        };
        let last = file.len() - 1;
        let range = format!("Content-Range: bytes {from}-{last}/{}", file.len());
        Self { status: "206 Partial Content", ..Self::whole(body) }.with(&range)
    }

    /// Answers without a file.
    pub fn status(status: &'static str) -> Self {
        Self { status, length: Some(0), ..Self::default() }
    }

    /// Adds a header.
    pub fn with(mut self, header: &str) -> Self {
        self.headers.push(header.into());
        self
    }

    /// Sends only that many bytes.
    pub fn cut(mut self, bytes: usize) -> Self {
        self.body.truncate(bytes);
        self
    }
}

/// A server, which ends when it is dropped.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server. `answer` gets each request, with the number of requests before it.
    pub fn start(mut answer: impl FnMut(&Request, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::<Request>::new()));
        let over = Arc::new(AtomicBool::new(false));
        let (seen, ended) = (requests.clone(), over.clone());
        let thread = thread::spawn(move || {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let Some(request) = read(&stream) else { continue };
                let number = seen.lock().unwrap().len();
                seen.lock().unwrap().push(request.clone());
                let reply = answer(&request, number);
                write(&stream, &reply);
                if reply.hold {
                    held.push(stream);
                }
            }
        });
        Self { address, requests, over, thread: Some(thread) }
    }

    /// Serves one file, in parts.
    pub fn of(file: Vec<u8>) -> Self {
        Self::start(move |request, _| Reply::part(&file, request))
    }

    /// Returns the URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Returns the requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Returns the first bytes that the requests asked for.
    pub fn ranges(&self) -> Vec<Option<usize>> {
        self.requests().iter().map(|request| request.from).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut request = Request {
        path: first.split(' ').nth(1)?.trim_start_matches('/').into(),
        ..Request::default()
    };
    for line in lines {
        let line = line.ok()?;
        if line.is_empty() {
            return Some(request);
        }
        let (name, value) = line.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "range" => request.from = value.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok(),
            "if-range" => request.if_range = Some(value.into()),
            _ => {}
        }
    }
    None
}

/// Writes an answer. A client that has seen enough may be gone.
fn write(mut stream: &TcpStream, reply: &Reply) {
    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", reply.status);
    for header in &reply.headers {
        head += &format!("{header}\r\n");
    }
    if let Some(length) = reply.length {
        head += &format!("Content-Length: {length}\r\n");
    }
    head += "\r\n";
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&reply.body));
}
