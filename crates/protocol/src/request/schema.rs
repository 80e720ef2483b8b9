//! The requests as JSON schemas, made of the limits that the parsers check.
//!
//! What a schema cannot say stands in the descriptions: that the last input item asks for something, that tools have
//! different names, and how deep an object may be nested.

use super::given_tools::{DESCRIPTION_LIMIT, LABEL_LIMIT, MOST_TOOLS, NAME_LIMIT, OWN_LABEL};
use super::{
    ApprovalRequest, CancelRequest, CreateRequest, DEFAULT_COST_USD, DEFAULT_WAIT_SECONDS,
    INSTRUCTIONS_LIMIT, METADATA_KEY, METADATA_PAIRS, METADATA_VALUE, MOST_COST_USD,
    MOST_WAIT_SECONDS, UNSUPPORTED, given_tools, openai_fields, webhook,
};
use crate::input::{CALL_ID_LIMIT, IMAGE_PREFIXES, MESSAGE_LIMIT, TEXT_PARTS};
use crate::schema::nullable;
use serde_json::{Map, Value, json};

impl CreateRequest {
    /// What [`CreateRequest::parse`] takes.
    #[must_use]
    pub fn schema() -> Value {
        let own = own_fields();
        let order: Vec<&str> = own.iter().map(|(name, _)| *name).collect();
        let order = json!(order);
        let own = own
            .into_iter()
            .map(|(name, schema)| (name.to_owned(), schema));
        let mut properties: Map<String, Value> = own.collect();
        for (name, schema) in openai_fields::schemas() {
            let mut schema = nullable(schema);
            schema["description"] = json!("As OpenAI's; echoed.");
            properties.insert(name.to_owned(), schema);
        }
        for name in UNSUPPORTED {
            let refused = json!({"type": "null", "description": "Not supported."});
            properties.insert(name.to_owned(), refused);
        }
        json!({
            "type": "object",
            "description": "Other fields are ignored, but for names that look like one of ours misspelt: 400 `unknown_parameter`.",
            "required": ["input"],
            "properties": properties,
            "x-order": order,
            "if": {"required": ["fork"], "properties": {"fork": {"const": true}}},
            "then": {"required": ["previous_response_id"], "properties": {"previous_response_id": {"type": "string"}}},
        })
    }
}

/// Our own fields, in the order of the reference.
fn own_fields() -> [(&'static str, Value); 12] {
    [
        ("input", input()),
        (
            "model",
            described(
                text(),
                "An id of `GET /api/config/model`; others are refused. The default follows the account's plan. Ignored when chaining.",
            ),
        ),
        ("background", flag("Run without holding the connection.")),
        ("stream", flag("Stream this turn as server-sent events.")),
        (
            "previous_response_id",
            described(
                text(),
                "Continue the session of an earlier response. 409 while that session is still processing or paused on an approval.",
            ),
        ),
        (
            "max_cost_usd",
            cost(
                json!(DEFAULT_COST_USD),
                "What the session may cost in all, in USD. When chaining, it replaces the session's cap; left out, the cap stays.",
            ),
        ),
        ("instructions", instructions()),
        ("wait_timeout_seconds", wait()),
        ("metadata", metadata()),
        ("tools", tools()),
        (
            "fork",
            flag(
                "Open a new session whose conversation and spend are those of `previous_response_id`.",
            ),
        ),
        ("webhook", webhook()),
    ]
}

impl ApprovalRequest {
    /// What [`ApprovalRequest::parse`] takes.
    #[must_use]
    pub fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["approve"],
            "properties": {
                "approve": {"type": "boolean", "description": "Holds for the whole pending batch."},
                "new_max_cost_usd": cost(Value::Null, "Raises the session's cap first: without headroom the run pauses again at once."),
                "feedback": described(
                    limited(INSTRUCTIONS_LIMIT),
                    "Given to the agent with the decision; most useful with `approve: false`.",
                ),
            },
        })
    }
}

impl CancelRequest {
    /// What [`CancelRequest::parse`] takes.
    #[must_use]
    pub fn schema() -> Value {
        json!({
            "type": ["object", "null"],
            "properties": {
                "stop_jobs": flag("Cancel the HF Jobs that the turn launched, too; else they go on."),
            },
        })
    }
}

fn text() -> Value {
    json!({"type": ["string", "null"]})
}

fn limited(characters: usize) -> Value {
    json!({"type": ["string", "null"], "maxLength": characters})
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = json!(description);
    schema
}

fn flag(description: &str) -> Value {
    json!({"type": ["boolean", "null"], "default": false, "description": description})
}

fn cost(default: Value, description: &str) -> Value {
    let mut schema = json!({
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "maximum": MOST_COST_USD,
        "description": description,
    });
    if !default.is_null() {
        schema["default"] = default;
    }
    schema
}

fn instructions() -> Value {
    described(
        limited(INSTRUCTIONS_LIMIT),
        "Developer guidance for this turn, put before the task.",
    )
}

fn wait() -> Value {
    json!({
        "type": ["number", "null"],
        "minimum": 1,
        "maximum": MOST_WAIT_SECONDS,
        "default": DEFAULT_WAIT_SECONDS,
        "description": "How long a synchronous request blocks.",
    })
}

fn metadata() -> Value {
    json!({
        "type": ["object", "null"],
        "maxProperties": METADATA_PAIRS,
        "propertyNames": {"maxLength": METADATA_KEY},
        "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE},
        "description": "Text pairs, echoed unmodified.",
    })
}

fn input() -> Value {
    json!({
        "description": format!(
            "The task. In a list, all but the last item are context; the last is a user message that asks for something, or \
             the output of a client's tool. At most {MESSAGE_LIMIT} characters a message."
        ),
        "anyOf": [
            {"type": "string", "maxLength": MESSAGE_LIMIT, "pattern": "\\S"},
            {"type": "array", "minItems": 1, "items": {"anyOf": [message(), call_output()]}},
        ],
    })
}

fn message() -> Value {
    json!({
        "type": "object",
        "title": "message",
        "required": ["role", "content"],
        "properties": {
            "type": {"enum": ["message", null]},
            "role": {"enum": ["user", "assistant", "system", "developer"]},
            "content": parts(),
        },
    })
}

fn call_output() -> Value {
    json!({
        "type": "object",
        "title": "function_call_output",
        "required": ["type", "call_id", "output"],
        "properties": {
            "type": {"const": "function_call_output"},
            "call_id": {"type": "string", "maxLength": CALL_ID_LIMIT},
            "output": parts(),
        },
    })
}

fn parts() -> Value {
    let images: Vec<Value> = IMAGE_PREFIXES
        .iter()
        .map(|prefix| json!({"pattern": format!("^{prefix}")}))
        .collect();
    json!({
        "anyOf": [
            {"type": "string", "maxLength": MESSAGE_LIMIT},
            {"type": "array", "items": {"anyOf": [
                {
                    "type": "object",
                    "title": "text",
                    "required": ["type", "text"],
                    "properties": {"type": {"enum": TEXT_PARTS}, "text": {"type": "string", "maxLength": MESSAGE_LIMIT}},
                },
                {
                    "type": "object",
                    "title": "image",
                    "required": ["type", "image_url"],
                    "properties": {"type": {"const": "input_image"}, "image_url": {"type": "string", "anyOf": images}},
                },
            ]}},
        ],
    })
}

fn tools() -> Value {
    json!({
        "type": ["array", "null"],
        "maxItems": MOST_TOOLS,
        "items": {"anyOf": [function(), server()]},
        "description": "Functions that the client runs itself, and MCP servers to connect for the session. No two may have one \
                        name, and none the name of a built-in tool.",
    })
}

fn name(most: usize) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": most, "pattern": "^[A-Za-z0-9_-]+$"})
}

fn url() -> Value {
    json!({"type": "string", "maxLength": given_tools::URL_LIMIT, "pattern": "^https?://"})
}

fn function() -> Value {
    json!({
        "type": "object",
        "title": "function",
        "required": ["type", "name"],
        "properties": {
            "type": {"const": "function"},
            "name": name(NAME_LIMIT),
            "description": limited(DESCRIPTION_LIMIT),
            "parameters": {"type": ["object", "null"], "description": "JSON schema of the arguments."},
            "strict": {"type": ["boolean", "null"]},
        },
    })
}

fn server() -> Value {
    let names = json!({"type": "array", "items": {"type": "string"}});
    let mut label = name(LABEL_LIMIT);
    label["not"] = json!({"const": OWN_LABEL});
    json!({
        "type": "object",
        "title": "mcp",
        "required": ["type", "server_label", "server_url"],
        "properties": {
            "type": {"const": "mcp"},
            "server_label": label,
            "server_url": url(),
            "authorization": described(text(), "A bearer token for the MCP server."),
            "headers": {
                "type": ["object", "null"],
                "propertyNames": {"pattern": "^[-A-Za-z0-9_.!~*'+^`|#$%&]+$"},
                "additionalProperties": {"type": "string", "pattern": "^[\\t\\x20-\\x7e]*$"},
            },
            "allowed_tools": {"anyOf": [
                names,
                {"type": "object", "properties": {"tool_names": nullable(names.clone())}},
                {"type": "null"},
            ]},
        },
    })
}

fn webhook() -> Value {
    json!({
        "type": ["object", "null"],
        "required": ["url"],
        "properties": {
            "url": url(),
            "events": {
                "type": ["array", "null"],
                "minItems": 1,
                "items": {"enum": webhook::EVENTS},
                "default": webhook::DEFAULT_EVENTS,
            },
        },
        "description": "Where to tell of the run when nobody polls.",
    })
}
