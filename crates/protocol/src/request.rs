//! Request bodies, checked (contract §3, §6, §7): the JSON that came in becomes a typed request or one [`Problem`].

mod given_tools;
mod misspelt;
pub(crate) mod openai_fields;
mod schema;
mod webhook;

pub use given_tools::{FunctionTool, GivenTool, McpServer};
pub use webhook::WebhookRequest;

use crate::reader::{Reader, check_length};
use crate::{InputItem, MicroUsd, Problem, ResponseId, input};
use serde_json::{Map, Value};
use std::time::Duration;

const DEFAULT_WAIT_SECONDS: u64 = 900;
const MOST_WAIT_SECONDS: u64 = 3600;
const MOST_COST_USD: f64 = 500.0;
/// A new session's cap when the request names none.
pub const DEFAULT_COST_USD: f64 = 5.0;
const INSTRUCTIONS_LIMIT: usize = 20_000;
const METADATA_PAIRS: usize = 16;
const METADATA_KEY: usize = 64;
const METADATA_VALUE: usize = 512;
/// Refused, since ignoring them would change what a request means.
const UNSUPPORTED: [&str; 2] = ["conversation", "prompt"];
/// Levels of nesting in a field that is echoed. It comes back inside events, and what reads those gives up at 128.
const DEEPEST: u32 = 64;

/// A checked `POST /v1/responses`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateRequest {
    /// Context messages, then the task.
    pub input: Vec<InputItem>,
    pub model: Option<String>,
    pub background: bool,
    pub stream: bool,
    pub previous_response_id: Option<ResponseId>,
    pub max_cost: Option<MicroUsd>,
    pub instructions: Option<String>,
    /// A synchronous request blocks so long, within [1, 3600].
    pub wait_timeout: Duration,
    pub metadata: Map<String, Value>,
    /// Tools of the client's own, and MCP servers to connect.
    pub tools: Vec<GivenTool>,
    /// Whether to open a new session whose conversation and spend are those of `previous_response_id`.
    pub fork: bool,
    pub webhook: Option<WebhookRequest>,
    /// OpenAI's fields that make sense for an agent: honoured where we can, echoed always.
    pub openai: Map<String, Value>,
}

impl CreateRequest {
    /// Checks a request body.
    ///
    /// # Errors
    /// The first [`Problem`] found; `param` names the field.
    pub fn parse(body: &Value) -> Result<Self, Problem> {
        let fields = object(body)?.ok_or_else(not_an_object)?;
        let body = Reader::new(fields, "");
        refuse_unsupported(&body)?;
        misspelt::refuse(fields)?;
        Ok(Self {
            input: input::parse(&body)?,
            model: body.string("model")?.map(str::to_owned),
            background: body.boolean("background")?.unwrap_or(false),
            stream: body.boolean("stream")?.unwrap_or(false),
            previous_response_id: previous_response(&body)?,
            max_cost: max_cost(&body, "max_cost_usd")?,
            instructions: instructions(&body)?,
            wait_timeout: wait_timeout(&body)?,
            metadata: metadata(&body)?,
            tools: given_tools::parse(&body)?,
            fork: fork(&body)?,
            webhook: webhook::parse(&body)?,
            openai: openai_fields::parse(&body)?,
        })
    }
}

/// A checked `POST /v1/responses/{id}/approvals`.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalRequest {
    pub approve: bool,
    pub new_max_cost: Option<MicroUsd>,
    pub feedback: Option<String>,
}

impl ApprovalRequest {
    /// Checks a request body.
    ///
    /// # Errors
    /// The first [`Problem`] found.
    pub fn parse(body: &Value) -> Result<Self, Problem> {
        let none = Map::new();
        let fields = object(body)?.unwrap_or(&none);
        let body = Reader::new(fields, "");
        let approve = body
            .boolean("approve")?
            .ok_or_else(|| body.missing("approve"))?;
        let feedback = body.string("feedback")?.map(str::to_owned);
        if let Some(feedback) = &feedback {
            check_length("feedback", feedback.chars().count(), INSTRUCTIONS_LIMIT)?;
        }
        Ok(Self {
            approve,
            new_max_cost: max_cost(&body, "new_max_cost_usd")?,
            feedback,
        })
    }
}

/// A checked `POST /v1/responses/{id}/cancel`; an empty body means the defaults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CancelRequest {
    pub stop_jobs: bool,
}

impl CancelRequest {
    /// Checks a request body.
    ///
    /// # Errors
    /// When it is no object, or `stop_jobs` is there and not a boolean.
    pub fn parse(body: &Value) -> Result<Self, Problem> {
        let Some(fields) = object(body)? else {
            return Ok(Self::default());
        };
        Ok(Self {
            stop_jobs: Reader::new(fields, "")
                .boolean("stop_jobs")?
                .unwrap_or(false),
        })
    }
}

/// The fields of a body; `None` for no body at all.
fn object(body: &Value) -> Result<Option<&Map<String, Value>>, Problem> {
    match body {
        Value::Null => Ok(None),
        Value::Object(fields) => Ok(Some(fields)),
        _ => Err(not_an_object()),
    }
}

fn not_an_object() -> Problem {
    Problem::new(
        400,
        crate::ErrorType::InvalidRequest,
        "invalid_json",
        "The request body must be a JSON object.",
    )
}

fn max_cost(body: &Reader<'_>, field: &str) -> Result<Option<MicroUsd>, Problem> {
    let fits = |usd: f64| usd > 0.0 && usd <= MOST_COST_USD;
    let usd = body.number_in(field, fits, "(0, 500]")?;
    // A positive cap below a micro-dollar stays positive: it allows nothing, and says so as a pause.
    Ok(usd.map(|usd| MicroUsd::from_usd(usd).max(MicroUsd(1))))
}

fn wait_timeout(body: &Reader<'_>) -> Result<Duration, Problem> {
    let most = MOST_WAIT_SECONDS as f64;
    let range = format!("[1, {MOST_WAIT_SECONDS}]");
    let fits = |seconds: f64| (1.0..=most).contains(&seconds);
    let seconds = body.number_in("wait_timeout_seconds", fits, &range)?;
    Ok(seconds.map_or(
        Duration::from_secs(DEFAULT_WAIT_SECONDS),
        Duration::from_secs_f64,
    ))
}

fn previous_response(body: &Reader<'_>) -> Result<Option<ResponseId>, Problem> {
    let Some(text) = body.string("previous_response_id")? else {
        return Ok(None);
    };
    ResponseId::parse(text)
        .map(Some)
        .ok_or_else(previous_response_not_found)
}

/// The 404 for a `previous_response_id` that names nothing of the caller's.
pub(crate) fn previous_response_not_found() -> Problem {
    let mut problem = Problem::new(
        404,
        crate::ErrorType::NotFound,
        "previous_response_not_found",
        "No response with the id given as `previous_response_id`.",
    );
    problem.param = Some("previous_response_id".into());
    problem
}

impl Problem {
    /// The 404 for a `previous_response_id` that names nothing of the caller's.
    #[must_use]
    pub fn previous_response_not_found() -> Self {
        previous_response_not_found()
    }
}

fn instructions(body: &Reader<'_>) -> Result<Option<String>, Problem> {
    let Some(text) = body.string("instructions")? else {
        return Ok(None);
    };
    check_length("instructions", text.chars().count(), INSTRUCTIONS_LIMIT)?;
    Ok(Some(text.to_owned()))
}

fn metadata(body: &Reader<'_>) -> Result<Map<String, Value>, Problem> {
    let invalid = |why: &str| Problem::invalid("invalid_metadata", "metadata", why);
    let pairs = match body.get("metadata") {
        None => return Ok(Map::new()),
        Some(Value::Object(pairs)) => pairs,
        Some(_) => return Err(invalid("`metadata` must be an object of strings.")),
    };
    if pairs.len() > METADATA_PAIRS {
        let why = format!("`metadata` holds at most {METADATA_PAIRS} pairs.");
        return Err(invalid(&why));
    }
    for (key, value) in pairs {
        let Value::String(value) = value else {
            return Err(invalid("`metadata` values must be strings."));
        };
        if key.chars().count() > METADATA_KEY || value.chars().count() > METADATA_VALUE {
            let why = format!(
                "`metadata` keys have at most {METADATA_KEY} characters, values at most {METADATA_VALUE}."
            );
            return Err(invalid(&why));
        }
    }
    Ok(pairs.clone())
}

/// Whether a value is nested at most `levels` deep.
fn is_shallow(value: &Value, levels: u32) -> bool {
    let Some(below) = levels.checked_sub(1) else {
        return false;
    };
    match value {
        Value::Array(values) => values.iter().all(|value| is_shallow(value, below)),
        Value::Object(fields) => fields.values().all(|value| is_shallow(value, below)),
        _ => true,
    }
}

/// A fork needs something to fork from.
fn fork(body: &Reader<'_>) -> Result<bool, Problem> {
    let fork = body.boolean("fork")?.unwrap_or(false);
    if fork && body.get("previous_response_id").is_none() {
        return Err(body.missing("previous_response_id"));
    }
    Ok(fork)
}

/// Refuses what would change a request's meaning if it were ignored.
fn refuse_unsupported(body: &Reader<'_>) -> Result<(), Problem> {
    for field in UNSUPPORTED {
        if body.get(field).is_some() {
            let why = format!("`{field}` is not supported.");
            return Err(Problem::invalid("unsupported_parameter", field, why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
