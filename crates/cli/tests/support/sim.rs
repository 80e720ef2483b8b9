//! What the simulated platform has seen, and making it fail.

use super::{Sim, eventually};
use serde_json::Value;

impl Sim {
    /// The jobs of all accounts, newest first.
    pub async fn jobs(&self) -> Vec<Value> {
        self.list("/__sim/jobs").await
    }

    /// Requests whose path begins with `prefix`.
    pub async fn calls(&self, prefix: &str) -> Vec<Value> {
        self.list(&format!("/__sim/calls?prefix={prefix}")).await
    }

    /// How many model calls there were.
    pub async fn chats(&self) -> usize {
        self.calls("/v1/chat/completions").await.len()
    }

    /// Polls until the newest job has this stage.
    pub async fn wait_for_stage(&self, stage: &str) -> Value {
        eventually(&format!("a job to be {stage}"), || async {
            let newest = self.jobs().await.into_iter().next()?;
            (newest["status"]["stage"] == stage).then_some(newest)
        })
        .await
    }

    /// Makes the next requests of a route fail (see the simulator's README).
    pub async fn fault(&self, fault: &Value) {
        let url = format!("{}/__sim/faults", self.url);
        let sent = http().post(url).json(fault).send().await.unwrap();
        assert!(sent.status().is_success(), "{sent:?}");
    }

    /// Takes all faults back.
    pub async fn clear_faults(&self) {
        let url = format!("{}/__sim/faults", self.url);
        let sent = http().delete(url).send().await.unwrap();
        assert!(sent.status().is_success(), "{sent:?}");
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let url = format!("{}{path}", self.url);
        let list: Value = http().get(url).send().await.unwrap().json().await.unwrap();
        list.as_array().unwrap().clone()
    }
}

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
