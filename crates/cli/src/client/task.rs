//! The body of a submission.

use std::collections::BTreeMap;

use serde::Serialize;

/// A task to submit. Fields left out take the server's defaults.
#[derive(Debug, Clone, Serialize)]
pub struct Task {
    pub input: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The session's spending cap in USD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_response_id: Option<String>,
    /// Echoed by the server, for whoever lists runs.
    pub metadata: BTreeMap<&'static str, String>,
    /// True: this program never holds a connection for a run's life.
    pub background: bool,
}

/// Metadata key under which `run` keeps the task's first line, so that `list` can show it.
pub const TITLE: &str = "title";

impl Task {
    /// A background task with everything else at its default.
    pub fn new(input: impl Into<String>) -> Self {
        let input = input.into();
        let title = input.trim().lines().next().unwrap_or_default();
        let title: String = title.chars().take(80).collect();
        Self {
            metadata: BTreeMap::from([(TITLE, title)]),
            input,
            instructions: None,
            model: None,
            max_cost_usd: None,
            previous_response_id: None,
            background: true,
        }
    }
}
