//! The API described as an OpenAPI 3.1 document: the wire's schemas from [`protocol::schemas`], and one [`Operation`] a
//! route. The reference page is rendered from the same document, and tests hold it against the router and the running server.

mod faults;
mod lists;
mod models;
mod operation;
mod operations;
mod sessions;

pub(crate) use faults::{FAULTS, Fault};

use serde_json::{Map, Value, json};
use std::sync::LazyLock;

const ABOUT: &str = "An autonomous ML engineer behind an HTTP API. A request submits a task; the agent plans, writes code and \
runs it, HF Jobs included, in the namespace of the calling token. Progress is a resumable stream of server-sent events; \
results and artifacts can be polled as well. The surface follows the OpenAI Responses API, with extensions: `max_cost_usd`, \
`artifacts[]`, approvals, and events of its own.";

const TAGS: [(&str, &str); 4] = [
    (
        "responses",
        "Turns of the agent: submitting, following, deciding, stopping.",
    ),
    (
        "sessions",
        "Chains of responses with one conversation, sandbox and budget.",
    ),
    ("models", "What a session can run with."),
    ("service", "For operators and tools."),
];

/// The document, made once.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(build);
    &DOCUMENT
}

/// Method and path of every operation, in the order of the reference page.
pub(crate) fn order() -> Vec<(&'static str, &'static str)> {
    let operations = operations::all().into_iter();
    operations
        .map(|operation| (operation.method, operation.path))
        .collect()
}

fn build() -> Value {
    let mut schemas = sessions::schemas();
    schemas.extend(lists::schemas());
    // Last: what a server's type refers to is told better by the protocol.
    schemas.extend(protocol::schemas());
    schemas.extend(models::schemas());
    let mut paths = Map::new();
    for operation in operations::all() {
        let method = operation.method;
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[method] = operation.describe();
    }
    let tags = TAGS.map(|(name, description)| json!({"name": name, "description": description}));
    json!({
        "openapi": "3.1.0",
        "info": {"title": "ml-intern", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "hf_…",
                "description": "A Hugging Face user access token. Everything a run does is done as, and billed to, its account.",
            }},
        },
        "security": [{"token": []}],
    })
}
