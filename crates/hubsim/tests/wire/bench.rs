//! A running simulator and an HTTP client for it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use hubsim::{Sim, SimConfig};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

/// No test waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Bench {
    pub sim: Sim,
    pub client: Client,
}

impl Bench {
    pub async fn new() -> Self {
        Self::with(None, None).await
    }

    pub async fn with(scenarios: Option<PathBuf>, state: Option<PathBuf>) -> Self {
        // The first test to come installs it; that it is there already is no failure.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let sim = Sim::start(SimConfig {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            scenarios,
            state,
            exe: env!("CARGO_BIN_EXE_hubsim-trial").into(),
        });
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        Self {
            sim: sim.await.unwrap(),
            client,
        }
    }

    pub fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.sim.url());
        let request = self.client.request(method, url);
        if token.is_empty() {
            return request;
        }
        request.bearer_auth(token)
    }

    pub async fn get(&self, path: &str, token: &str) -> Response {
        let request = self.request(Method::GET, path, token);
        request.send().await.unwrap()
    }

    pub async fn get_json(&self, path: &str, token: &str) -> Value {
        self.get(path, token).await.json().await.unwrap()
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Response {
        let request = self.request(Method::POST, path, token);
        request.json(&body).send().await.unwrap()
    }

    /// Starts a job of `hf_alice` and returns it.
    pub async fn run(&self, command: &[&str], more: Value) -> Value {
        let mut spec =
            json!({"dockerImage": "python:3.12", "flavor": "cpu-basic", "command": command});
        let object = spec.as_object_mut().unwrap();
        object.extend(more.as_object().unwrap().clone());
        let answer = self.post("/api/jobs/alice", "hf_alice", spec).await;
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    /// The lines of a job's log, up to its end.
    pub async fn log(&self, id: &str, query: &str) -> Vec<String> {
        let path = format!("/api/jobs/alice/{id}/logs{query}");
        let text = self.get(&path, "hf_alice").await.text().await.unwrap();
        let events = text.split("\n\n");
        let payloads = events.filter_map(|event| event.strip_prefix("data: "));
        payloads
            .map(|payload| serde_json::from_str::<Value>(payload).unwrap())
            .map(|payload| payload["data"].as_str().unwrap().to_owned())
            .collect()
    }

    pub async fn job(&self, id: &str) -> Value {
        self.get_json(&format!("/api/jobs/alice/{id}"), "hf_alice")
            .await
    }

    /// Asks until the job is in this stage.
    pub async fn wait_for_stage(&self, id: &str, stage: &str) {
        let reached = async {
            while self.job(id).await["status"]["stage"] != stage {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, reached).await;
        assert!(waited.is_ok(), "job {id} never reached {stage}");
    }
}

/// Whether a process whose command line contains `mark` is alive.
fn is_alive(mark: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).contains(mark))
}

/// Waits until such a process is alive (or, with `false`, until none is).
pub async fn wait_for_life(mark: &str, alive: bool) {
    let reached = async {
        while is_alive(mark) != alive {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, reached).await;
    assert!(waited.is_ok(), "{mark}: alive is not {alive}");
}
