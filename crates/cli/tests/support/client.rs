//! A client that sends what it is told and returns what came.

use super::{RawStream, eventually};
use serde_json::{Value, json};

#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub base: String,
    pub token: String,
}

impl Client {
    pub fn new(base: &str, token: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            http,
            base: base.to_owned(),
            token: token.to_owned(),
        }
    }

    /// The same client for a server that has moved.
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.token)
    }

    /// Sends JSON, reads JSON (null for an empty body).
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        read(self.request(reqwest::Method::POST, path).json(body)).await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        read(self.request(reqwest::Method::GET, path)).await
    }

    /// Submits in the background and gives the id.
    pub async fn submit(&self, input: &str) -> String {
        self.submit_with(json!({"input": input})).await
    }

    pub async fn submit_with(&self, mut body: Value) -> String {
        body["background"] = json!(true);
        let (status, object) = self.post("/v1/responses", &body).await;
        assert_eq!(status, 200, "{object}");
        assert_eq!(object["status"], "queued", "{object}");
        object["id"].as_str().unwrap().to_owned()
    }

    pub async fn object(&self, id: &str) -> Value {
        let (status, object) = self.get(&format!("/v1/responses/{id}")).await;
        assert_eq!(status, 200, "{object}");
        object
    }

    /// Polls until the response has this status.
    pub async fn wait_for(&self, id: &str, status: &str) -> Value {
        eventually(&format!("{id} to be {status}"), || async {
            let object = self.object(id).await;
            let now = object["status"].as_str().unwrap();
            let is_stuck = ["completed", "failed", "cancelled"].contains(&now) && now != status;
            assert!(!is_stuck, "{id} is {now}, not {status}: {object:#}");
            (now == status).then_some(object)
        })
        .await
    }

    /// Polls until the response is terminal or paused.
    pub async fn wait_at_rest(&self, id: &str) -> Value {
        eventually(&format!("{id} to rest"), || async {
            let object = self.object(id).await;
            let rests = !["queued", "in_progress"].contains(&object["status"].as_str().unwrap());
            rests.then_some(object)
        })
        .await
    }

    /// The event stream after a cursor (`None`: from the beginning).
    pub async fn events(&self, id: &str, after: Option<u64>) -> RawStream {
        let cursor = after
            .map(|after| format!("?starting_after={after}"))
            .unwrap_or_default();
        let path = format!("/v1/responses/{id}/events{cursor}");
        let response = self
            .request(reqwest::Method::GET, &path)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        RawStream::new(response)
    }

    /// The whole log of a response at rest, as `(number, exact frame)`.
    pub async fn log(&self, id: &str) -> Vec<(u64, String)> {
        let bytes = self.events(id, None).await.read_to_end().await;
        super::parse_frames(&bytes)
            .into_iter()
            .map(|event| (event.id.unwrap(), event.frame))
            .collect()
    }
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}
