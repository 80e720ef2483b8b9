//! The recorded examples. `cargo test -p ml-intern --test docs_recordings -- --ignored` records them anew.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A task, what was asked and what came of it.
#[derive(Deserialize, Serialize)]
pub(super) struct Example {
    slug: String,
    title: String,
    task: String,
    turns: Vec<Turn>,
}

#[derive(Deserialize, Serialize)]
struct Turn {
    request: Value,
    response: Value,
    seconds: f64,
    #[serde(default)]
    view: View,
}

/// What the page shows of a turn.
#[derive(Default, Deserialize, Serialize)]
struct View {
    request: String,
    object: String,
    status: String,
    answer: String,
    calls: Vec<Call>,
    artifacts: Vec<Artifact>,
    cost_usd: String,
}

#[derive(Default, Deserialize, Serialize)]
struct Call {
    name: String,
    arguments: String,
    output: String,
}

#[derive(Default, Deserialize, Serialize)]
struct Artifact {
    kind: String,
    url: String,
}

const RECORDED: &str = include_str!("recorded/examples.json");

pub(super) fn all() -> Vec<Example> {
    let mut examples: Vec<Example> = match serde_json::from_str(RECORDED) {
        Ok(examples) => examples,
        Err(error) => {
            tracing::error!(%error, "the recorded examples cannot be read");
            Vec::new()
        }
    };
    for turn in examples.iter_mut().flat_map(|example| &mut example.turns) {
        turn.view = view(turn);
    }
    examples
}

fn view(turn: &Turn) -> View {
    let items = turn.response["output"].as_array().into_iter().flatten();
    let mut view = View {
        request: serde_json::to_string_pretty(&turn.request).unwrap_or_default(),
        object: serde_json::to_string_pretty(&turn.response).unwrap_or_default(),
        status: text(&turn.response["status"]),
        cost_usd: format!(
            "{:.4}",
            turn.response["usage"]["cost_usd"]
                .as_f64()
                .unwrap_or_default()
        ),
        ..View::default()
    };
    for item in items {
        match item["type"].as_str() {
            Some("mcp_call") => view.calls.push(Call {
                name: text(&item["name"]),
                arguments: text(&item["arguments"]),
                output: text(&item["output"]),
            }),
            // The last message is the answer.
            Some("message") => view.answer = text(&item["content"][0]["text"]),
            _ => {}
        }
    }
    let artifacts = turn.response["artifacts"].as_array().into_iter().flatten();
    let artifact = |artifact: &Value| Artifact {
        kind: text(&artifact["type"]),
        url: text(&artifact["url"]),
    };
    view.artifacts = artifacts.map(artifact).collect();
    view
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_seven_are_recorded_and_ended_well() {
        let examples = all();
        assert_eq!(examples.len(), 7);
        for example in examples {
            for turn in example.turns {
                assert_eq!(turn.view.status, "completed", "{}", example.slug);
                assert!(!turn.view.answer.is_empty(), "{}", example.slug);
            }
        }
    }
}
