//! Whether the demo's run did what it says: asked from the platform, not from the run.

use serde_json::Value;

use crate::clean;
use crate::client::{Artifact, Client, ClientError, Snapshot, SseParser, Status};
use crate::screen::format::{bytes, elapsed, usd};

/// Files that a pushed model has.
const MODEL_FILES: [&str; 4] = ["README.md", "config.json", "metrics.json", "weights.bin"];

/// What was found, and what should have been and was not.
#[derive(Debug, Default)]
pub struct Verdict {
    pub facts: Vec<String>,
    pub problems: Vec<String>,
}

/// Asks the simulated Hub about everything that `response` claims.
pub async fn verify(response: &Snapshot, hub: &Client) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.fact("status", response.status().word());
    if response.status() != Status::Completed {
        verdict.problem(
            response
                .error()
                .unwrap_or_else(|| "the run is not completed".to_owned()),
        );
    }
    let measured = match verdict.the_one(response, "hf_job") {
        Some(job) => verdict.job(&job, hub).await,
        None => None,
    };
    if let Some(model) = verdict.the_one(response, "model") {
        verdict.model(&model, hub).await;
        verdict.metrics(&model, measured, response, hub).await;
    }
    verdict.cost(response);
    verdict
}

impl Verdict {
    fn fact(&mut self, what: &str, words: &str) {
        self.facts.push(format!("{what:<8} {words}"));
    }

    fn problem(&mut self, words: impl Into<String>) {
        self.problems.push(words.into());
    }

    /// The artifact of a kind, of which there must be exactly one.
    fn the_one(&mut self, response: &Snapshot, kind: &str) -> Option<Artifact> {
        let mut all = response.artifacts();
        all.retain(|artifact| artifact.kind == kind);
        if all.len() != 1 {
            self.problem(format!("{} artifacts of type {kind}, not one", all.len()));
        }
        all.pop()
    }

    /// The job's stage; returns the metrics line of its log.
    async fn job(&mut self, job: &Artifact, hub: &Client) -> Option<Value> {
        // The URL says whose job it is: {hub}/jobs/{owner}/{id}
        let owner = job.url.rsplit('/').nth(1).unwrap_or("");
        let path = format!("/api/jobs/{owner}/{}", job.name);
        match hub.get_json(&path).await {
            Ok(found) => {
                let stage = clean::short(found["status"]["stage"].as_str().unwrap_or("?"), 40);
                self.fact("job", &format!("{}  {stage}", job.url));
                if stage != "COMPLETED" {
                    self.problem(format!("the job's stage is {stage}"));
                }
            }
            Err(error) => self.problem(format!("the job is not on the platform: {error}")),
        }
        match logged_metrics(hub, &format!("{path}/logs")).await {
            Ok(Some(metrics)) => Some(metrics),
            Ok(None) => {
                self.problem("the job's log has no metrics");
                None
            }
            Err(error) => {
                self.problem(format!("the job's log cannot be read: {error}"));
                None
            }
        }
    }

    async fn model(&mut self, model: &Artifact, hub: &Client) {
        self.fact("model", &model.url);
        let path = format!("/api/models/{}/tree/main?recursive=true", model.name);
        let tree = match hub.get_json(&path).await {
            Ok(tree) => tree,
            Err(error) => return self.problem(format!("the model is not on the Hub: {error}")),
        };
        let files: Vec<(String, u64)> = tree
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["type"] == "file")
            .map(|entry| {
                let path = clean::short(entry["path"].as_str().unwrap_or("?"), 100);
                (path, entry["size"].as_u64().unwrap_or(0))
            })
            .collect();
        for (path, size) in &files {
            self.fact("", &format!("{path:<16} {}", bytes(*size)));
        }
        for wanted in MODEL_FILES {
            if !files.iter().any(|(path, size)| path == wanted && *size > 0) {
                self.problem(format!("the model has no {wanted}"));
            }
        }
    }

    /// The pushed metrics must be those that the job logged and those that the answer quotes.
    async fn metrics(
        &mut self,
        model: &Artifact,
        logged: Option<Value>,
        response: &Snapshot,
        hub: &Client,
    ) {
        let path = format!("/{}/resolve/main/metrics.json", model.name);
        let metrics = match hub.get_json(&path).await {
            Ok(metrics) => metrics,
            Err(error) => return self.problem(format!("no metrics on the Hub: {error}")),
        };
        let number = |name: &str| metrics[name].as_f64();
        let (Some(accuracy), Some(f1), Some(loss)) = (
            number("eval_accuracy"),
            number("eval_f1"),
            number("eval_loss"),
        ) else {
            return self.problem("metrics.json lacks a figure");
        };
        let words = format!(
            "accuracy {accuracy}, F1 {f1}, log loss {loss} on held-out rows, measured by the job"
        );
        self.fact("metrics", &words);
        if logged.is_some_and(|logged| logged != metrics) {
            self.problem("the pushed metrics are not those that the job logged");
        }
        let answer = response.answer().unwrap_or_default();
        if ![accuracy, f1, loss]
            .iter()
            .all(|figure| answer.contains(&figure.to_string()))
        {
            self.problem("the agent's answer does not quote the job's metrics");
        }
    }

    fn cost(&mut self, response: &Snapshot) {
        let Some(cost) = response.cost() else {
            return self.problem("the response has no cost");
        };
        let kinds: Vec<String> = response
            .cost_by_kind()
            .into_iter()
            .map(|(kind, part)| format!("{kind} {}", usd(part)))
            .collect();
        self.fact(
            "cost",
            &format!("{} at list prices ({})", usd(cost), kinds.join(", ")),
        );
        if let Some(seconds) = response.duration() {
            let time = elapsed(std::time::Duration::from_secs_f64(seconds.min(1e9)));
            self.fact("run", &time);
        }
    }
}

/// The last `METRICS {…}` line of a job's log, which the platform sends as server-sent events.
async fn logged_metrics(hub: &Client, path: &str) -> Result<Option<Value>, ClientError> {
    let log = hub.get_bytes(path).await?;
    let mut parser = SseParser::default();
    // What was understood before a broken byte is good enough here.
    let _ = parser.push(&log);
    let mut metrics = None;
    while let Some(frame) = parser.pop() {
        let entry: Value = serde_json::from_str(&frame.data).unwrap_or_default();
        let line = entry["data"].as_str().unwrap_or("").trim();
        if let Some(json) = line.strip_prefix("METRICS ") {
            metrics = serde_json::from_str(json).ok();
        }
    }
    Ok(metrics)
}
