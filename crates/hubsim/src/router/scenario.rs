//! Scenario files: what a scripted model thinks, says and calls, turn by turn.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use regex_lite::Regex;
use serde::{Deserialize, Deserializer};

/// A script for one kind of task.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    #[serde(default = "inline")]
    pub name: String,
    #[serde(default)]
    priority: i64,
    #[serde(default, rename = "match")]
    pub matcher: Matcher,
    #[serde(default, rename = "turn")]
    pub turns: Vec<Turn>,
}

fn inline() -> String {
    "inline".to_owned()
}

/// Which user messages a scenario answers. Every criterion that is given must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// One of these is in the message, whatever the case.
    #[serde(default)]
    contains_any: Vec<String>,
    regex: Option<Pattern>,
    /// The requested model id contains this.
    model: Option<String>,
}

impl Matcher {
    /// A scenario without criteria answers what no other scenario answers.
    pub fn is_fallback(&self) -> bool {
        self.contains_any.is_empty() && self.regex.is_none() && self.model.is_none()
    }

    /// Whether a user message to a model is one for this scenario.
    pub fn fits(&self, text: &str, model: &str) -> bool {
        let lower = text.to_lowercase();
        let mut words = self.contains_any.iter();
        (self.contains_any.is_empty() || words.any(|word| lower.contains(&word.to_lowercase())))
            && self
                .regex
                .as_ref()
                .is_none_or(|pattern| pattern.0.is_match(text))
            && self
                .model
                .as_ref()
                .is_none_or(|part| model.contains(part.as_str()))
    }
}

/// A regular expression that was valid when the file was read.
#[derive(Debug)]
pub struct Pattern(pub Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Regex::new(&text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// One answer of the model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    #[serde(default)]
    pub think: String,
    #[serde(default)]
    pub say: String,
    /// Before the first byte.
    #[serde(default)]
    pub delay_ms: u64,
    /// Between chunks; a chunk is a word.
    #[serde(default = "five")]
    pub token_delay_ms: u64,
    /// How many times `say` is said.
    #[serde(default = "one")]
    pub repeat: usize,
    pub usage: Option<UsageSpec>,
    /// `finish_reason`; default `tool_calls` when there are calls, else `stop`.
    pub finish: Option<String>,
    pub fault: Option<Fault>,
    #[serde(default, rename = "call")]
    pub calls: Vec<Call>,
    #[serde(default, rename = "capture")]
    pub captures: Vec<Capture>,
}

fn five() -> u64 {
    5
}

fn one() -> usize {
    1
}

/// Token counts to report.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageSpec {
    pub prompt: u64,
    pub completion: u64,
    #[serde(default)]
    pub cached: u64,
}

/// How a turn goes wrong.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub kind: FaultKind,
    /// For `status`; default 500.
    pub status: Option<u16>,
    /// For `status`: seconds in `Retry-After`.
    pub retry_after: Option<u64>,
    /// For `status` the whole body, for `error_event` the message.
    pub body: Option<String>,
    /// For `cut` (default 3) and `error_event` (default 0): chunks that still come through.
    pub after_chunks: Option<usize>,
    /// How often it strikes in one conversation's turn; absent: always.
    pub times: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// An HTTP error.
    Status,
    /// The connection drops in mid-stream.
    Cut,
    /// Bytes that are no events, and broken JSON.
    Garbage,
    /// A stream without content.
    Empty,
    /// Headers, then silence.
    Hang,
    /// `data: {"error":…}` in a stream with status 200.
    ErrorEvent,
}

/// A tool call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    pub tool: String,
    /// Default: a random one.
    pub id: Option<String>,
    #[serde(default)]
    pub args: toml::Table,
    /// Sent as it is, instead of `args`.
    pub raw_args: Option<String>,
    #[serde(default)]
    pub style: Style,
}

/// How a call is spread over stream deltas; providers differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Id and name first, then the arguments bit by bit.
    #[default]
    Pieces,
    /// Everything in one delta.
    Whole,
    /// Like `pieces`, without `index`.
    NoIndex,
    /// Every piece repeats id and name.
    RepeatedId,
}

/// A value taken out of an earlier tool result.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    pub name: String,
    /// Tool whose results are looked at; absent: any.
    pub from: Option<String>,
    /// Group 1 is the value, or the whole match when there is no group.
    pub regex: Pattern,
}

/// All known scenarios, in the order in which they are tried.
#[derive(Debug)]
pub struct Scenarios(Vec<Arc<Scenario>>);

impl Scenarios {
    /// The built-in fallback, and the `*.toml` files of a folder.
    pub fn load(folder: Option<&Path>) -> anyhow::Result<Self> {
        let mut all = vec![Arc::new(toml::from_str(include_str!("default.toml"))?)];
        for path in folder.map(files).transpose()?.unwrap_or_default() {
            let text = std::fs::read_to_string(&path)?;
            let scenario: Scenario =
                toml::from_str(&text).with_context(|| format!("scenario {}", path.display()))?;
            all.push(Arc::new(scenario));
        }
        all.sort_by(|a, b| (b.priority, &a.name).cmp(&(a.priority, &b.name)));
        Ok(Self(all))
    }

    /// The scenario for a user message; fallbacks are asked for separately.
    pub fn find(&self, text: &str, model: &str, fallback: bool) -> Option<Arc<Scenario>> {
        let fits = |scenario: &&Arc<Scenario>| {
            scenario.matcher.is_fallback() == fallback && scenario.matcher.fits(text, model)
        };
        self.0.iter().find(fits).cloned()
    }
}

fn files(folder: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|e| e.path())).collect();
    let mut paths = paths?;
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "toml"));
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priority_then_name_and_fallbacks_last() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("b.toml", "name='b'\n[match]\ncontains_any=['Train']");
        write(
            "a.toml",
            "name='a'\npriority=5\n[match]\nregex='train \\d+'",
        );
        write("notes.txt", "not a scenario");
        let all = Scenarios::load(Some(folder.path())).unwrap();
        assert_eq!(all.find("please train 3", "m", false).unwrap().name, "a");
        assert_eq!(all.find("TRAIN it", "m", false).unwrap().name, "b");
        assert!(all.find("else", "m", false).is_none());
        assert_eq!(all.find("else", "m", true).unwrap().name, "default");
    }

    #[test]
    fn a_wrong_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.toml"), "nmae = 'typo'").unwrap();
        let error = Scenarios::load(Some(folder.path())).unwrap_err();
        assert!(format!("{error:#}").contains("x.toml"));
    }
}
