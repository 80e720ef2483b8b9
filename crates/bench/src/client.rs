//! A bare client of the API.

use crate::fake_platform::TOKEN;
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::time::Duration;

/// No single request takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    pub fn new(base: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()?;
        Ok(Self {
            http,
            base: base.to_owned(),
        })
    }

    pub async fn is_ready(&self) -> bool {
        let answer = self.http.get(format!("{}/readyz", self.base)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Submits a task in the background and gives the response's id, when it is acknowledged.
    pub async fn submit(&self) -> anyhow::Result<String> {
        let body = json!({"input": "Train a small classifier and report its accuracy.", "background": true});
        let request = self.http.post(format!("{}/v1/responses", self.base));
        let answer = request.bearer_auth(TOKEN).json(&body).send().await?;
        let status = answer.status();
        let object: Value = answer.json().await?;
        ensure!(
            status.is_success() && object["status"] == "queued",
            "{status}: {object}"
        );
        let id = object["id"].as_str().context("a response without an id")?;
        Ok(id.to_owned())
    }

    /// The event stream from the beginning.
    pub async fn events(&self, id: &str) -> anyhow::Result<reqwest::Response> {
        let answer = self.get(&format!("/v1/responses/{id}/events")).await?;
        ensure!(answer.status().is_success(), "{}", answer.status());
        Ok(answer)
    }

    /// Waits until a response has completed: its event stream ends then.
    pub async fn wait(&self, id: &str) -> anyhow::Result<()> {
        let log = self.events(id).await?.text().await?;
        let last = log.rfind("\nevent: ").map_or("", |at| &log[at + 1..]);
        let name = last.lines().next().unwrap_or_default();
        ensure!(
            name == "event: response.completed",
            "the log of {id} ends with `{name}`"
        );
        Ok(())
    }

    /// The response object's bytes.
    pub async fn object(&self, id: &str) -> anyhow::Result<usize> {
        let answer = self.get(&format!("/v1/responses/{id}")).await?;
        ensure!(answer.status().is_success(), "{}", answer.status());
        Ok(answer.bytes().await?.len())
    }

    async fn get(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        let request = self.http.get(format!("{}{path}", self.base));
        request.bearer_auth(TOKEN).send().await
    }
}
