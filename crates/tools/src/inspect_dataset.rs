//! `hf_inspect_dataset`: what a dataset holds, before anything is trained on it.

mod chat;
mod report;

use crate::cap::{OUTPUT_LIMIT, cap};
use crate::{Call, EffectClass, Outcome, Tool, ToolSession};
use futures_util::future::BoxFuture;
use platform::{PlatformError, Split, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

const DEFAULT_SAMPLES: usize = 3;

pub(crate) struct InspectDataset;

#[derive(Debug, Deserialize)]
struct Arguments {
    dataset: String,
    config: Option<String>,
    split: Option<String>,
    sample_rows: Option<usize>,
}

impl Tool for InspectDataset {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "hf_inspect_dataset".into(),
            description: "Look at a dataset on the Hub before you use it: configs and splits with their sizes, columns and \
                          types, statistics, sample rows, and whether its format suits SFT, DPO or GRPO training. Always do \
                          this before you write code that reads a dataset: column names differ."
                .into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "dataset": {"type": "string", "description": "owner/name", "minLength": 1},
                    "config": {"type": "string", "description": "Which config; the first one if left out."},
                    "split": {"type": "string", "description": "Which split; the config's first one if left out."},
                    "sample_rows": {"type": "integer", "minimum": 1, "maximum": 10, "description": "How many rows to show (3)."},
                },
                "required": ["dataset"],
                "additionalProperties": false,
            }),
        }
    }

    fn effect(&self, _arguments: &Value) -> EffectClass {
        EffectClass::Read
    }

    fn call(&self, arguments: Value, call: Call) -> BoxFuture<'static, Outcome> {
        Box::pin(async move {
            let arguments: Arguments = match serde_json::from_value(arguments) {
                Ok(arguments) => arguments,
                Err(error) => return Outcome::failed(format!("ERROR: {error}")),
            };
            tokio::select! {
                outcome = inspect(&arguments, &call.session) => outcome,
                () = call.cancel.cancelled() => Outcome::failed("Cancelled."),
            }
        })
    }
}

async fn inspect(arguments: &Arguments, session: &ToolSession) -> Outcome {
    let (platform, token, dataset) = (&session.platform, &session.token, &arguments.dataset);
    let (splits, sizes) = tokio::join!(
        platform.dataset_splits(token, dataset),
        platform.dataset_sizes(token, dataset)
    );
    let splits = match splits {
        Ok(splits) => splits,
        Err(error) => return Outcome::failed(refusal(dataset, &error)),
    };
    let chosen = match choose(&splits, arguments) {
        Ok(chosen) => chosen.clone(),
        Err(reason) => return Outcome::failed(format!("ERROR: {reason}")),
    };
    let (rows, statistics) = tokio::join!(
        platform.dataset_first_rows(token, dataset, &chosen),
        platform.dataset_statistics(token, dataset, &chosen)
    );
    let report = report::Report {
        dataset,
        splits: &splits,
        chosen: &chosen,
        sizes,
        rows,
        statistics,
        samples: arguments.sample_rows.unwrap_or(DEFAULT_SAMPLES),
    };
    Outcome::ok(cap(&report.render(), OUTPUT_LIMIT, None).text)
}

/// The split that the arguments mean: of the config that they name, if they name one.
fn choose<'a>(splits: &'a [Split], arguments: &Arguments) -> Result<&'a Split, String> {
    let config = match &arguments.config {
        Some(config) => config,
        None => match splits.first() {
            Some(first) => &first.config,
            None => return Err("the dataset has no splits that can be viewed".into()),
        },
    };
    let mut of_config = splits
        .iter()
        .filter(|known| known.config == *config)
        .peekable();
    if of_config.peek().is_none() {
        let known = names(splits.iter().map(|known| &known.config));
        return Err(format!(
            "there is no config `{config}`; the configs are {known}"
        ));
    }
    match &arguments.split {
        None => of_config.next().ok_or_else(String::new),
        Some(split) => {
            let known = names(of_config.clone().map(|known| &known.split));
            let found = of_config.find(|known| known.split == *split);
            found.ok_or_else(|| {
                format!("config `{config}` has no split `{split}`; its splits are {known}")
            })
        }
    }
}

/// Each name once, for a sentence.
fn names<'a>(all: impl Iterator<Item = &'a String>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in all {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.truncate(50);
    names.join(", ")
}

/// The viewer's words, and what the model can do about it.
fn refusal(dataset: &str, error: &PlatformError) -> String {
    let hint = match error.kind {
        platform::ErrorKind::NotFound
        | platform::ErrorKind::Auth
        | platform::ErrorKind::Permission => {
            " Check the name, and whether the dataset is private or gated for this account."
        }
        kind if kind.is_transient() => " It may work in a moment.",
        _ => " Its files may have to be read directly.",
    };
    format!("ERROR: dataset `{dataset}` cannot be viewed: {error}.{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(config: &str, split: &str) -> Split {
        Split {
            config: config.into(),
            split: split.into(),
        }
    }

    #[test]
    fn the_split_is_one_of_the_config() {
        let splits = [split("a", "train"), split("b", "test"), split("b", "dev")];
        for (config, wanted, expected) in [
            (None, None, Ok("a/train")),
            (Some("b"), None, Ok("b/test")),
            (Some("b"), Some("dev"), Ok("b/dev")),
            (Some("b"), Some("train"), Err("its splits are test, dev")),
            (Some("c"), None, Err("the configs are a, b")),
        ] {
            let arguments = Arguments {
                dataset: "o/d".into(),
                config: config.map(str::to_owned),
                split: wanted.map(str::to_owned),
                sample_rows: None,
            };
            let chosen = choose(&splits, &arguments);
            match expected {
                Ok(name) => {
                    let chosen = chosen.unwrap();
                    assert_eq!(format!("{}/{}", chosen.config, chosen.split), name);
                }
                Err(part) => assert!(chosen.unwrap_err().contains(part)),
            }
        }
    }
}
