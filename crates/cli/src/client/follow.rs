//! Following a response's log over connections that come and go.

use std::time::Duration;

use reqwest::{Response, StatusCode, header};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Boundary, Client, ClientError, Event, sse::SseParser};

/// The wait before another connection is tried: doubled while connections bring nothing.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    pub first: Duration,
    pub last: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            last: Duration::from_secs(5),
        }
    }
}

/// The server says something (at least a keep-alive) every 15 s; after this long it is gone.
const SILENCE: Duration = Duration::from_secs(75);
/// How long the answer's head may take.
const OPENING: Duration = Duration::from_secs(20);
/// Updates that wait for the reader: a slow terminal slows the connection, not the memory.
const QUEUE: usize = 256;

/// Where a follower stops by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Holds on through pauses, until the response is completed, failed or cancelled.
    Terminal,
    /// A pause ends it too.
    Pause,
}

/// What a follower reports.
#[derive(Debug)]
pub enum Update {
    Event(Event),
    /// The connection was lost (or not to be had); another one is tried by itself after `retry_in`.
    Lost {
        reason: String,
        retry_in: Duration,
    },
}

/// A running follower. Every event comes exactly once, in order, whatever happens to connections.
/// Dropping it closes the connection.
#[derive(Debug)]
pub struct Follower {
    updates: mpsc::Receiver<Result<Update, ClientError>>,
    task: JoinHandle<()>,
}

impl Follower {
    pub(super) fn start(client: Client, id: String, after: Option<u64>, until: Until) -> Self {
        let (sender, updates) = mpsc::channel(QUEUE);
        let task = tokio::spawn(async move {
            let chase = Chase {
                client,
                id,
                until,
                last: after,
                at_pause: false,
                sender,
            };
            chase.run().await;
        });
        Self { updates, task }
    }

    /// The next update; `None` after the event that ends the stream. An error is final: the server
    /// refused (4xx). Safe to drop and call again.
    pub async fn next(&mut self) -> Option<Result<Update, ClientError>> {
        self.updates.recv().await
    }

    /// An update that is already here.
    pub fn try_next(&mut self) -> Option<Result<Update, ClientError>> {
        self.updates.try_recv().ok()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why one connection ended.
enum Ending {
    /// The stream is over for good.
    Finished,
    /// Another connection may bring more.
    Cut(String),
    /// Nobody listens any more.
    Deserted,
}

struct Chase {
    client: Client,
    id: String,
    until: Until,
    /// The last event passed on.
    last: Option<u64>,
    /// That event is a pause. Whether the pause lasts, only the server's next move says.
    at_pause: bool,
    sender: mpsc::Sender<Result<Update, ClientError>>,
}

impl Chase {
    async fn run(mut self) {
        let backoff = self.client.backoff;
        let mut delay = backoff.first;
        loop {
            let before = self.last;
            let reason = match self.connect().await {
                Ok(None) => return,
                Ok(Some(answer)) => match self.read(answer).await {
                    Ending::Finished | Ending::Deserted => return,
                    Ending::Cut(reason) => reason,
                },
                Err(error) if error.is_final() => {
                    let _ = self.sender.send(Err(error)).await;
                    return;
                }
                Err(error) => error.to_string(),
            };
            if self.last != before {
                delay = backoff.first;
            }
            // A stream that ends at a pause was not lost.
            let lost = Update::Lost {
                reason,
                retry_in: delay,
            };
            if !self.at_pause && self.sender.send(Ok(lost)).await.is_err() {
                return;
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(backoff.last);
        }
    }

    /// Opens the stream after the last event seen. `None`: there will never be more (204).
    async fn connect(&self) -> Result<Option<Response>, ClientError> {
        let path = format!("/v1/responses/{}/events", self.id);
        let mut request = self
            .client
            .request(reqwest::Method::GET, &path)
            .header(header::ACCEPT, "text/event-stream");
        if let Some(last) = self.cursor() {
            // Both forms: a proxy may drop the header, and only the header can be answered with 204.
            request = request
                .header("last-event-id", last.to_string())
                .query(&[("starting_after", last)]);
        }
        let answer = tokio::time::timeout(OPENING, self.client.send(request))
            .await
            .map_err(|_| self.client.silent())??;
        Ok((answer.status() != StatusCode::NO_CONTENT).then_some(answer))
    }

    /// Where to go on from. A server holds a connection whose cursor is at a lasting pause; who wants to
    /// stop there asks for the pause once more, and the stream's clean end tells that it lasts.
    fn cursor(&self) -> Option<u64> {
        match self.last {
            Some(last) if self.at_pause && self.until == Until::Pause => last.checked_sub(1),
            last => last,
        }
    }

    async fn read(&mut self, mut answer: Response) -> Ending {
        let mut parser = SseParser::default();
        loop {
            let chunk = match tokio::time::timeout(SILENCE, answer.chunk()).await {
                Err(_) => return Ending::Cut("the server fell silent".to_owned()),
                Ok(Err(_)) => return Ending::Cut("the connection broke".to_owned()),
                Ok(Ok(None)) if self.at_pause && self.until == Until::Pause => {
                    return Ending::Finished;
                }
                Ok(Ok(None)) => return Ending::Cut("the server closed the stream".to_owned()),
                Ok(Ok(Some(chunk))) => chunk,
            };
            if let Err(error) = parser.push(&chunk) {
                return Ending::Cut(error.to_string());
            }
            while let Some(frame) = parser.pop() {
                if let Some(ending) = self.deliver(frame.data).await {
                    return ending;
                }
            }
        }
    }

    /// Passes one event on, unless it was seen before. Says so if the stream ends with it.
    async fn deliver(&mut self, data: String) -> Option<Ending> {
        let event = Event::parse(data)?;
        if self.last.is_some_and(|last| event.seq <= last) {
            return None;
        }
        self.last = Some(event.seq);
        let boundary = event.boundary();
        self.at_pause = boundary == Boundary::Pause;
        if self.sender.send(Ok(Update::Event(event))).await.is_err() {
            return Some(Ending::Deserted);
        }
        (boundary == Boundary::Terminal).then_some(Ending::Finished)
    }
}
