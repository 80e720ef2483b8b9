//! What the model may ask of `hf_jobs`.

use platform::ToolSpec;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Operation {
    Run,
    Ps,
    Inspect,
    Logs,
    Cancel,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Arguments {
    pub operation: Operation,
    pub script: Option<String>,
    #[serde(default)]
    pub script_args: Vec<String>,
    #[serde(default)]
    pub dependencies: Vec<String>,
    pub image: Option<String>,
    pub command: Option<Vec<String>>,
    pub hardware_flavor: Option<String>,
    pub timeout: Option<Value>,
    #[serde(default)]
    pub env: BTreeMap<String, Value>,
    pub namespace: Option<String>,
    pub job_id: Option<String>,
    #[serde(default)]
    pub all: bool,
    #[serde(default)]
    pub wait: bool,
}

impl Arguments {
    /// Reads arguments that fit the schema; says what the schema cannot.
    pub fn read(arguments: &Value) -> Result<Self, String> {
        let read: Self =
            serde_json::from_value(arguments.clone()).map_err(|error| error.to_string())?;
        let needs_job = matches!(
            read.operation,
            Operation::Inspect | Operation::Logs | Operation::Cancel
        );
        if needs_job && read.job_id.as_deref().is_none_or(str::is_empty) {
            return Err("`job_id` is required for this operation.".into());
        }
        if read.operation == Operation::Run && read.script.is_some() == read.command.is_some() {
            return Err(
                "Give exactly one of `script` (Python) and `command` (an argument list).".into(),
            );
        }
        Ok(read)
    }

    pub fn job_id(&self) -> &str {
        self.job_id.as_deref().unwrap_or_default()
    }
}

const DESCRIPTION: &str = "\
Run and manage Hugging Face Jobs: containers on cloud hardware, billed by the minute to the caller's account. \
`run` starts one job, follows its log until the job has really ended, and returns the log and the final stage; a job \
that fails is a failed call. Python: give `script` as source text, as a file in your sandbox (like train.py), or as a URL; \
`dependencies` are installed with uv. Anything else: `image` and `command`. The job's disk is lost when it ends: push what \
must stay to the Hub (HF_TOKEN is in the job's environment). Set `timeout` to fit the work (the default of 30m ends \
longer training early); the whole timeout is reserved from the budget. Test in the sandbox first, submit one job, and \
only then any others. Hardware: cpu-basic, cpu-upgrade, cpu-xl, t4-small, t4-medium, l4x1, l4x4, l40sx1, a10g-small, \
a10g-large, a10g-largex2, a100-large, h200, and multiples; a wrong name is answered with the live list and prices.";

pub(super) fn spec() -> ToolSpec {
    let strings = json!({"type": "array", "items": {"type": "string"}});
    ToolSpec {
        name: "hf_jobs".into(),
        description: DESCRIPTION.into(),
        parameters: json!({
            "type": "object",
            "properties": {
                "operation": {"type": "string", "enum": ["run", "ps", "inspect", "logs", "cancel"]},
                "script": {"type": "string", "minLength": 1, "description": "Python: source, sandbox path or URL."},
                "script_args": strings,
                "dependencies": strings,
                "image": {"type": "string", "minLength": 1, "description": "Docker image, or hf.co/spaces/<id>."},
                "command": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                "hardware_flavor": {"type": "string", "minLength": 1, "description": "Default cpu-basic."},
                "timeout": {"type": ["string", "integer", "number"], "description": "Such as 45m, 2h or 1h30m; default 30m."},
                "env": {"type": "object", "description": "Environment variables of the job."},
                "namespace": {"type": "string", "description": "The caller's account (default) or one of its organizations."},
                "job_id": {"type": "string", "description": "For inspect, logs and cancel."},
                "wait": {"type": "boolean", "description": "logs: follow the job to its end, and say how it ended."},
                "all": {"type": "boolean", "description": "ps: also jobs that have ended."},
            },
            "required": ["operation"],
            "additionalProperties": false,
        }),
    }
}
