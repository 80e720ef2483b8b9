//! Many readers of one response: cut anywhere, attached again, slow, and each has the same log in the end.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::sync::Arc;
use std::time::Duration;
use support::{Client, RawStream, Rng, ServeOptions, Server, Sim, parse_frames, scripted};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

const READERS: usize = 200;
/// A reader hangs up after at most this many bytes.
const LONGEST_READ: u64 = 60_000;

const SLOW_READERS: usize = 60;
/// What slow readers may cost the server at its peak, all together.
const SLOW_READERS_KIB: u64 = 64 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_are_cut_anywhere_get_the_whole_log() {
    let mut rng = Rng::from_env("ML_INTERN_READERS_SEED");
    let sim = Sim::start();
    let server = Server::start(&sim, ServeOptions::default());
    let client = Client::new(&server.url, "hf_alice");
    let scenario = r#"
[[turn]]
think = "It will be long. "
say = "Sphinx of black quartz, judge my vow. "
repeat = 250
token_delay_ms = 2
[[turn.call]]
tool = "bash"
args = { command = "for i in $(seq 50); do echo line $i; sleep 0.01; done" }
[[turn]]
say = "Pack my box with five dozen liquor jugs. "
repeat = 100
token_delay_ms = 2
"#;
    let id = client
        .submit(&scripted("Write a long text.", scenario))
        .await;
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let reader = Reader::new(&client, &id, rng.fork());
        readers.spawn(reader.read_all());
    }
    let mut all = Vec::with_capacity(READERS);
    while let Some(reader) = readers.join_next().await {
        all.push(reader.unwrap());
    }
    client.wait_for(&id, "completed").await;
    let log = client.log(&id).await;
    let mut attached = 0;
    for reader in &all {
        let from = usize::try_from(reader.from).unwrap();
        let rest: String = log[from..]
            .iter()
            .map(|(_, frame)| frame.as_str())
            .collect();
        assert!(
            reader.whole == rest.as_bytes(),
            "a reader from {from} has {} bytes, not the log's {}",
            reader.whole.len(),
            rest.len()
        );
        attached += reader.attached;
    }
    eprintln!(
        "readers: {READERS} readers, {attached} attachments, {} events",
        log.len()
    );
}

/// One client, with what it has got in whole events.
struct Reader {
    client: Client,
    id: String,
    rng: Rng,
    /// The first event it asked for.
    from: u64,
    /// The next event it needs.
    next: u64,
    whole: Vec<u8>,
    attached: usize,
}

impl Reader {
    fn new(client: &Client, id: &str, rng: Rng) -> Self {
        Self {
            client: client.clone(),
            id: id.to_owned(),
            rng,
            from: 0,
            next: 0,
            whole: Vec::new(),
            attached: 0,
        }
    }

    async fn read_all(mut self) -> Self {
        tokio::time::sleep(Duration::from_millis(self.rng.below(1500))).await;
        if self.rng.below(4) > 0 {
            let object = self.client.object(&self.id).await;
            let head = object["last_sequence_number"].as_u64().unwrap();
            self.from = self.rng.below(head) + 1;
            self.next = self.from;
        }
        while !self.read_some().await {}
        self
    }

    /// Attaches behind the last whole event and hangs up somewhere; true when the last event has come.
    async fn read_some(&mut self) -> bool {
        let path = format!("/v1/responses/{}/events", self.id);
        let mut request = self.client.request(reqwest::Method::GET, &path);
        if let Some(last) = self.next.checked_sub(1) {
            request = match self.rng.below(2) {
                0 => request.header("last-event-id", last.to_string()),
                _ => request.query(&[("starting_after", last)]),
            };
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        self.attached += 1;
        let most = usize::try_from(self.rng.below(LONGEST_READ)).unwrap();
        let bytes = RawStream::new(response).read_and_cut(most).await;
        let events = parse_frames(&bytes);
        for event in &events {
            assert_eq!(event.id, Some(self.next), "{}", event.frame);
            self.next += 1;
            self.whole.extend_from_slice(event.frame.as_bytes());
        }
        events
            .last()
            .is_some_and(|event| event.name == "response.completed")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_readers_slow_nobody_and_cost_little() {
    let sim = Sim::start();
    let server = Server::start(&sim, ServeOptions::default());
    let client = Client::new(&server.url, "hf_alice");
    // A run of the same size with one reader shows what the run itself costs.
    let alone = client.submit(&much_output()).await;
    client.events(&alone, None).await.read_to_end().await;
    let before = peak_kib(server.pid());
    let id = client.submit(&much_output()).await;
    let mut slow = Vec::with_capacity(SLOW_READERS);
    for _ in 0..SLOW_READERS {
        slow.push(SlowReader::attach(&server, &id).await);
    }
    let whole = client.events(&id, None).await.read_to_end().await;
    let grown = peak_kib(server.pid()) - before;
    assert_eq!(client.object(&id).await["status"], "completed");
    eprintln!(
        "readers: {SLOW_READERS} slow readers of {} bytes cost {grown} KiB",
        whole.len()
    );
    assert!(grown < SLOW_READERS_KIB, "the server grew by {grown} KiB");
    let whole = Arc::new(whole);
    let mut readers = JoinSet::new();
    for reader in slow {
        let whole = Arc::clone(&whole);
        readers.spawn(async move { assert!(reader.read_to_end().await == *whole) });
    }
    while let Some(read) = readers.join_next().await {
        read.unwrap();
    }
    let grown = peak_kib(server.pid()) - before;
    assert!(grown < SLOW_READERS_KIB, "the server grew by {grown} KiB");
}

/// Several megabytes of log in large events.
fn much_output() -> String {
    let scenario = r#"
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "seq 1 700000" }
[[turn]]
say = "That was much."
"#;
    scripted("Print a lot.", scenario)
}

/// A connection with a small window that nobody reads from.
struct SlowReader {
    stream: TcpStream,
}

impl SlowReader {
    async fn attach(server: &Server, id: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let address = server.url.trim_start_matches("http://").parse().unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let request = format!(
            "GET /v1/responses/{id}/events HTTP/1.1\r\nhost: ml-intern\r\nauthorization: Bearer hf_alice\r\n\
             connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        Self { stream }
    }

    /// The body, out of its chunks.
    async fn read_to_end(mut self) -> Vec<u8> {
        let mut raw = Vec::new();
        self.stream.read_to_end(&mut raw).await.unwrap();
        let head = raw.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let mut rest = &raw[head + 4..];
        let mut body = Vec::with_capacity(rest.len());
        loop {
            let line = rest.windows(2).position(|two| two == b"\r\n").unwrap();
            let size = std::str::from_utf8(&rest[..line]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            if size == 0 {
                return body;
            }
            body.extend_from_slice(&rest[line + 2..line + 2 + size]);
            rest = &rest[line + 2 + size + 2..];
        }
    }
}

/// The most memory that a process has ever held.
fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let value = line.unwrap().split_whitespace().nth(1);
    value.unwrap().parse().unwrap()
}
