//! What the server is busy with when it is killed, and what its clients have seen of it.

use super::support::{Client, RawStream, Rng, scripted};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

/// Fresh submits in one cycle.
const MOST_FRESH: usize = 5;
/// Creates with keys in one cycle.
const MOST_KEYED: usize = 8;

/// What clients know.
#[derive(Default)]
pub struct Board {
    /// Ids of answered POSTs.
    acknowledged: Mutex<Vec<String>>,
    seen: Mutex<Vec<Seen>>,
    /// Creates that were sent, answered or not.
    keyed: Mutex<Vec<Keyed>>,
}

/// A create that carried a key.
pub struct Keyed {
    pub key: String,
    pub body: Value,
    /// The response, if the answer came.
    pub id: Option<String>,
}

/// What clients know of the dead server.
pub struct Known {
    pub acknowledged: Vec<String>,
    pub seen: Vec<Seen>,
    pub keyed: Vec<Keyed>,
}

/// What one client has read of one stream, to the last byte.
pub struct Seen {
    pub id: String,
    /// The first event the client asked for.
    pub from: u64,
    pub bytes: Vec<u8>,
}

pub struct Workload {
    tasks: JoinSet<()>,
    board: Arc<Board>,
}

/// A client that does not mind the server's death.
#[derive(Clone)]
struct Mortal {
    client: Client,
    board: Arc<Board>,
}

impl Workload {
    /// Submits everything at once. `marker` stands in every command of the sandbox and in no other command line.
    pub fn start(client: &Client, marker: &str, rng: &mut Rng) -> Self {
        let board = Arc::new(Board::default());
        let mortal = Mortal {
            client: client.clone(),
            board: Arc::clone(&board),
        };
        let mut tasks = JoinSet::new();
        for task in [long_text(), parallel_bash(marker), two_jobs(), too_costly()] {
            tasks.spawn(mortal.clone().run(json!({ "input": task }), rng.fork()));
        }
        tasks.spawn(mortal.clone().stream(long_text()));
        tasks.spawn(mortal.clone().chain());
        tasks.spawn(mortal.clone().approved());
        tasks.spawn(mortal.clone().keyed());
        tasks.spawn(mortal.fresh());
        Self { tasks, board }
    }

    /// Waits until every client has noticed the death; gives what they know.
    pub async fn end(mut self) -> Known {
        let all = async {
            while let Some(ended) = self.tasks.join_next().await {
                ended.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), all)
            .await
            .expect("a client still hangs on a dead server");
        fn take<T>(list: &Mutex<Vec<T>>) -> Vec<T> {
            std::mem::take(&mut *list.lock().unwrap())
        }
        Known {
            acknowledged: take(&self.board.acknowledged),
            seen: take(&self.board.seen),
            keyed: take(&self.board.keyed),
        }
    }
}

impl Mortal {
    /// One response with three readers: from the start, from a random event, and by `Last-Event-ID`.
    async fn run(self, body: Value, mut rng: Rng) {
        let Some(id) = self.submit(body).await else {
            return;
        };
        let pause = Duration::from_millis(rng.below(150));
        let late = async {
            tokio::time::sleep(pause).await;
            if let Some(head) = self.head(&id).await {
                self.watch(&id, Some(rng.below(head))).await;
            }
        };
        let resumed = async {
            let path = format!("/v1/responses/{id}/events");
            let request = self.client.request(reqwest::Method::GET, &path);
            self.read(&id, 1, request.header("last-event-id", "0"))
                .await;
        };
        tokio::join!(self.watch(&id, None), late, resumed);
    }

    /// A POST that is answered with the stream.
    async fn stream(self, task: String) {
        let body = json!({"input": task, "stream": true});
        let request = self.client.request(reqwest::Method::POST, "/v1/responses");
        let Ok(response) = request.json(&body).send().await else {
            return;
        };
        assert_eq!(response.status(), 200);
        let bytes = RawStream::new(response).read_to_end().await;
        self.board.keep_stream(&bytes);
    }

    /// A session that goes on, turn by turn.
    async fn chain(self) {
        let mut body = json!({"input": "Say the word heliotrope."});
        while let Some(id) = self.submit(body).await {
            self.watch(&id, None).await;
            body = json!({"input": "And again.", "previous_response_id": id});
        }
    }

    /// A run that pauses, and is approved as soon as it does.
    async fn approved(self) {
        let Some(id) = self.submit(json!({"input": too_costly()})).await else {
            return;
        };
        self.watch(&id, None).await;
        let path = format!("/v1/responses/{id}/approvals");
        let request = self.client.request(reqwest::Method::POST, &path);
        let body = json!({"approve": true, "new_max_cost_usd": 500});
        let Ok(answer) = request.json(&body).send().await else {
            return;
        };
        assert_eq!(answer.status(), 200);
        self.watch(&id, None).await;
    }

    /// Sessions that begin, one after the other.
    async fn fresh(self) {
        let mut readers = JoinSet::new();
        for _ in 0..MOST_FRESH {
            let Some(id) = self.submit(json!({"input": "Something small."})).await else {
                break;
            };
            let reader = self.clone();
            readers.spawn(async move { reader.watch(&id, None).await });
        }
        readers.join_all().await;
    }

    /// Creates with keys, one after the other, each sent twice at once as an impatient client would.
    async fn keyed(self) {
        for turn in 0..MOST_KEYED {
            let key = format!("key-{turn}");
            let body = json!({"input": format!("Keyed task {turn}."), "background": true});
            let (first, second) = tokio::join!(self.create(&key, &body), self.create(&key, &body));
            if let (Some(first), Some(second)) = (&first, &second) {
                assert_eq!(first, second, "two responses for one key");
            }
            let id = first.or(second);
            let is_dead = id.is_none();
            self.board.acknowledged.lock().unwrap().extend(id.clone());
            self.board
                .keyed
                .lock()
                .unwrap()
                .push(Keyed { key, body, id });
            if is_dead {
                break;
            }
        }
    }

    async fn create(&self, key: &str, body: &Value) -> Option<String> {
        let request = self.client.request(reqwest::Method::POST, "/v1/responses");
        let request = request.header("idempotency-key", key).json(body);
        let response = request.send().await.ok()?;
        let status = response.status();
        let object: Value = serde_json::from_slice(&response.bytes().await.ok()?).ok()?;
        assert_eq!(status, 200, "{object}");
        Some(object["id"].as_str().unwrap().to_owned())
    }

    async fn submit(&self, mut body: Value) -> Option<String> {
        body["background"] = json!(true);
        let request = self.client.request(reqwest::Method::POST, "/v1/responses");
        let response = request.json(&body).send().await.ok()?;
        let status = response.status();
        let object: Value = serde_json::from_slice(&response.bytes().await.ok()?).ok()?;
        assert_eq!(status, 200, "{object}");
        let id = object["id"].as_str().unwrap().to_owned();
        self.board.acknowledged.lock().unwrap().push(id.clone());
        Some(id)
    }

    async fn head(&self, id: &str) -> Option<u64> {
        let path = format!("/v1/responses/{id}");
        let request = self.client.request(reqwest::Method::GET, &path);
        let object: Value =
            serde_json::from_slice(&request.send().await.ok()?.bytes().await.ok()?).ok()?;
        object["last_sequence_number"].as_u64()
    }

    async fn watch(&self, id: &str, after: Option<u64>) {
        let cursor = after
            .map(|after| format!("?starting_after={after}"))
            .unwrap_or_default();
        let path = format!("/v1/responses/{id}/events{cursor}");
        let request = self.client.request(reqwest::Method::GET, &path);
        let from = after.map_or(0, |after| after + 1);
        self.read(id, from, request).await;
    }

    async fn read(&self, id: &str, from: u64, request: reqwest::RequestBuilder) {
        let Ok(response) = request.send().await else {
            return;
        };
        assert_eq!(response.status(), 200);
        let bytes = RawStream::new(response).read_to_end().await;
        let id = id.to_owned();
        self.board
            .seen
            .lock()
            .unwrap()
            .push(Seen { id, from, bytes });
    }
}

impl Board {
    /// Keeps what a POST streamed, with the `id:` lines that `/events` has and it has not. Only a long text is read so,
    /// whose documented view leaves out some events: each frame is kept on its own.
    fn keep_stream(&self, bytes: &[u8]) {
        let events = super::support::parse_frames(bytes);
        let Some(id) = events
            .first()
            .and_then(|event| event.data["response"]["id"].as_str())
        else {
            return;
        };
        self.acknowledged.lock().unwrap().push(id.to_owned());
        let mut seen = self.seen.lock().unwrap();
        for event in &events {
            let from = event.data["sequence_number"].as_u64().unwrap();
            let bytes = format!("id: {from}\n{}", event.frame).into_bytes();
            let id = id.to_owned();
            seen.push(Seen { id, from, bytes });
        }
    }
}

fn long_text() -> String {
    let scenario = r#"
[[turn]]
think = "I have to say a lot, and I say it slowly."
say = "The quick brown fox jumps over the lazy dog. "
repeat = 200
token_delay_ms = 2
"#;
    scripted("Write a long text.", scenario)
}

fn parallel_bash(marker: &str) -> String {
    let call = |name: &str| {
        format!(
            "[[turn.call]]\ntool = \"bash\"\n\
             args = {{ command = \"for i in $(seq 200); do echo {name} $i; sleep 0.02; done # {marker}\" }}\n"
        )
    };
    let calls = ["a", "b", "c"].map(call).concat();
    scripted(
        "Run three commands.",
        &format!("[[turn]]\nsay = \"Three at once.\"\n{calls}[[turn]]\nsay = \"All have run.\"\n"),
    )
}

fn two_jobs() -> String {
    let call = |name: &str| {
        format!(
            "[[turn.call]]\ntool = \"hf_jobs\"\n\
             args = {{ operation = \"run\", image = \"python:3.12\", timeout = \"1m\", command = [\"sh\", \"-c\", \
             \"for i in $(seq 40); do echo {name} $i; sleep 0.03; done\"] }}\n"
        )
    };
    let calls = ["tick", "tock"].map(call).concat();
    scripted(
        "Run two jobs.",
        &format!("[[turn]]\nsay = \"Two jobs.\"\n{calls}[[turn]]\nsay = \"Both have ended.\"\n"),
    )
}

/// A job that the cap cannot cover: the run pauses for an approval.
fn too_costly() -> String {
    let scenario = r#"
[[turn]]
say = "This needs a large machine."
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["echo", "dear"], hardware_flavor = "h200x8", timeout = "8h" }
[[turn]]
say = "That is that."
"#;
    scripted("Run something dear.", scenario)
}
