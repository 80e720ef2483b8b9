//! Every operation, in the order of the reference page.

use super::operation::Operation;
use serde_json::{Value, json};

const STREAM_EXAMPLE: &str = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\
\"sequence_number\":7,\"item_id\":\"msg_0198\",\"output_index\":0,\"content_index\":0,\"delta\":\"Hello\",\"logprobs\":[]}\n\n";

pub(super) fn all() -> Vec<Operation> {
    let mut all = vec![
        create(),
        list(),
        retrieve(),
        events(),
        cancel(),
        approvals(),
        resume(),
        input_items(),
        delete(),
    ];
    all.extend(sessions());
    all.extend(models());
    all.extend(service());
    all
}

fn create() -> Operation {
    Operation::new("post", "/v1/responses", "createResponse", "responses", "Submit a task")
        .says(
            "`background: true` answers at once with the object, `queued`; poll it or attach to its events. `stream: true` \
             answers with the events of the turn (with or without `background`). Neither blocks until the turn ends, pauses, or \
             `wait_timeout_seconds` are over. In no mode does the run depend on the connection.",
        )
        .query("view", view(), "Which events a stream shows. Default: `documented`; `openai` for OpenAI's SDKs.")
        .header(
            "Idempotency-Key",
            json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"}),
            "The same key and body within 24 hours answer with the response that they made.",
        )
        .takes("CreateRequest", true, create_examples())
        .gives("Response", "The response object, as it is by then; or the events of the turn, if `stream` is true.")
        .streams_until_done(STREAM_EXAMPLE)
        .answers_header("200", "idempotent-replayed", json!({"const": "true"}), "The request was made before; this is its response.")
        .leads_to("id", &["getResponse", "getEvents", "cancelResponse", "decideResponse", "resumeResponse"])
        .leads_to("id", &["getInputItems", "deleteResponse"])
        .leads_to("session_id", &["getSession", "endSession"])
        .refuses(&[
            "invalid_metadata", "empty_input", "unsupported_content", "string_above_max_length", "model_not_found",
            "unknown_parameter", "unsupported_parameter", "inference_provider_permission_required",
            "previous_response_not_found", "session_busy", "approval_pending", "idempotency_key_reused",
            "session_limit_reached", "capacity_reached", "session_unavailable",
        ])
}

fn create_examples() -> Value {
    let model = "moonshotai/Kimi-K2.6:novita";
    json!({
        "background": {"summary": "In the background", "value": {
            "model": model,
            "input": "Fine-tune a small encoder on imdb as an HF job; push to my namespace",
            "background": true,
            "max_cost_usd": 5.0,
        }},
        "question": {"summary": "A question, answered in the same request", "value": {
            "model": model,
            "input": "Which learning rate suits LoRA on a 0.6B model?",
        }},
    })
}

fn list() -> Operation {
    Operation::new(
        "get",
        "/v1/responses",
        "listResponses",
        "responses",
        "The account's responses",
    )
    .query("limit", limit(1, 100, 20), "How many.")
    .query(
        "after",
        json!({"$ref": "#/components/schemas/ResponseId"}),
        "The last response of the page before.",
    )
    .query("order", order(), "By the time of submission.")
    .query(
        "status",
        json!({"$ref": "#/components/schemas/Status"}),
        "Only those.",
    )
    .query(
        "session_id",
        json!({"$ref": "#/components/schemas/SessionId"}),
        "Only those of this session.",
    )
    .gives("ResponsePage", "One page.")
    .says("`metadata[KEY]=VALUE` shows only the responses with this metadata.")
    .refuses(&["invalid_value", "invalid_cursor"])
}

fn retrieve() -> Operation {
    Operation::new("get", "/v1/responses/{id}", "getResponse", "responses", "The response object")
        .says(
            "Folded from the event log; it needs no live session, and works after idle release and restarts. With `stream=true` \
             it answers with the events instead, as OpenAI's SDKs resume a stream: without ids, ending with `data: [DONE]`.",
        )
        .query("stream", json!({"type": "boolean", "default": false}), "Answer with the events.")
        .query("starting_after", cursor(), "With `stream`: only events with a greater `sequence_number`.")
        .query("view", view(), "With `stream`: which events. Default: `documented`; `openai` for OpenAI's SDKs.")
        .gives("Response", "The response object as it is now; or its events.")
        .streams_until_done(STREAM_EXAMPLE)
        .refuses(&["invalid_value", "invalid_cursor", "response_not_found"])
}

fn events() -> Operation {
    Operation::new("get", "/v1/responses/{id}/events", "getEvents", "responses", "The event stream")
        .says(
            "Every event under its number, from the beginning or after a cursor, then live to the end of the turn. It ends at a \
             terminal event, and at a pause that lasts. An event is sent only after it is durable: reading again gives the same \
             bytes. With `Accept: application/json` it answers with one page of the log.",
        )
        .query("starting_after", cursor(), "Only events with a greater `sequence_number`.")
        .query("view", view(), "Which events. Default: `all`.")
        .query("limit", limit(1, 1000, 100), "Of a JSON page.")
        .header(
            "Last-Event-ID",
            json!({"type": "string"}),
            "As a browser sends it when it reconnects; it wins over `starting_after`. What is no number of an event is ignored.",
        )
        .streams("The events.", &format!("id: 7\n{STREAM_EXAMPLE}"))
        .answers("200", "", "application/json", json!({"schema": {"$ref": "#/components/schemas/EventPage"}}))
        .ends("204", "Everything was read (by `Last-Event-ID`): makes a browser's EventSource stop.")
        .refuses(&["invalid_value", "invalid_cursor", "response_not_found"])
}

fn cancel() -> Operation {
    Operation::new("post", "/v1/responses/{id}/cancel", "cancelResponse", "responses", "Stop a turn")
        .says(
            "The object may still read `in_progress`: `cancelled` follows when the interrupt lands, within two seconds. Cancelling \
             what is finished changes nothing. HF Jobs that were launched go on, unless `stop_jobs` is true; `resources[]` lists \
             what still runs outside.",
        )
        .takes("CancelRequest", false, json!({"all": {"summary": "Jobs too", "value": {"stop_jobs": true}}}))
        .gives("CancelledResponse", "The response as it is now.")
        .refuses(&["response_not_found"])
}

fn approvals() -> Operation {
    Operation::new("post", "/v1/responses/{id}/approvals", "decideResponse", "responses", "Decide a paused batch")
        .says(
            "For a response that is `incomplete` with reason `approval_required`. The decision holds for every pending action; the \
             same response goes on, and so do those who poll or follow it. Denying gives the agent the feedback.",
        )
        .takes("ApprovalRequest", true, json!({
            "approve": {"summary": "Go on, with a higher cap", "value": {"approve": true, "new_max_cost_usd": 15.0}},
            "deny": {"summary": "Find a cheaper way", "value": {"approve": false, "feedback": "Use cpu-basic."}},
        }))
        .gives("Response", "The response object.")
        .refuses(&["string_above_max_length", "response_not_found", "not_awaiting_approval", "session_limit_reached",
            "capacity_reached", "session_unavailable"])
}

fn resume() -> Operation {
    Operation::new("post", "/v1/responses/{id}/resume", "resumeResponse", "responses", "Go on after a restart")
        .says(
            "For a response that is `incomplete` with reason `server_restart`: it goes on from its last durable step, runs nothing \
             twice, and takes up the jobs that still run. No body is needed.",
        )
        .takes("ResumeRequest", false, Value::Null)
        .gives("Response", "The response object.")
        .refuses(&["response_not_found", "not_awaiting_resume", "session_busy", "approval_pending", "session_limit_reached",
            "capacity_reached", "session_unavailable"])
}

fn input_items() -> Operation {
    Operation::new(
        "get",
        "/v1/responses/{id}/input_items",
        "getInputItems",
        "responses",
        "The input of a turn",
    )
    .query("limit", limit(1, 100, 20), "How many.")
    .query("order", order(), "By position in the input.")
    .query(
        "after",
        json!({"type": "string"}),
        "The last item of the page before.",
    )
    .gives("InputItemPage", "One page.")
    .refuses(&["invalid_value", "invalid_cursor", "response_not_found"])
}

fn delete() -> Operation {
    Operation::new(
        "delete",
        "/v1/responses/{id}",
        "deleteResponse",
        "responses",
        "Delete a response and its log",
    )
    .says("Only at its end; afterwards it is as unknown as an id that never was.")
    .gives("DeletedResponse", "It is gone.")
    .refuses(&["response_not_found", "response_active"])
}

fn sessions() -> [Operation; 2] {
    let path = "/v1/sessions/{id}";
    let get = Operation::new("get", path, "getSession", "sessions", "The session")
        .says("Budget ledger, plan, artifacts, responses, sandbox, and what runs outside.")
        .gives("Session", "The session as it is now.")
        .refuses(&["session_not_found"]);
    let end = Operation::new("delete", path, "endSession", "sessions", "End it now")
        .says("Cancels its turn (a paused one too), releases its sandboxes, frees its slot. Its responses stay; chaining restores it.")
        .gives("DeletedSession", "It holds no runtime any more.")
        .refuses(&["session_not_found"]);
    [get, end]
}

fn models() -> [Operation; 2] {
    let config = Operation::open(
        "get",
        "/api/config/model",
        "getModelConfig",
        "models",
        "The supported models",
    )
    .gives("ModelConfig", "The models, and the default.");
    let list = Operation::open(
        "get",
        "/v1/models",
        "listModels",
        "models",
        "The same, in OpenAI's shape",
    )
    .gives("ModelList", "The models.");
    [config, list]
}

fn service() -> Vec<Operation> {
    let text = json!({"schema": {"type": "string"}});
    let open = |path, id, summary| Operation::open("get", path, id, "service", summary);
    let object = json!({"schema": {"type": "object"}});
    vec![
        open("/", "getIndex", "Where to go from here").answers(
            "200",
            "The addresses of the rest.",
            "application/json",
            object.clone(),
        ),
        open("/healthz", "getHealth", "Liveness").gives("Health", "The process answers."),
        open("/readyz", "getReadiness", "Readiness")
            .gives("Health", "The store answers and new work is taken.")
            .answers(
                "503",
                "Not now.",
                "application/json",
                json!({"schema": {"$ref": "#/components/schemas/Health"}}),
            ),
        open("/metrics", "getMetrics", "Prometheus text").answers(
            "200",
            "Metrics.",
            "text/plain",
            text.clone(),
        ),
        open("/openapi.json", "getOpenApi", "This description").answers(
            "200",
            "OpenAPI 3.1.",
            "application/json",
            object.clone(),
        ),
        open("/docs", "getDocs", "The reference as a page").answers(
            "200",
            "A page.",
            "text/html",
            text.clone(),
        ),
        open("/docs/style.css", "getDocsStyle", "Its style").answers(
            "200",
            "A style sheet.",
            "text/css",
            text.clone(),
        ),
        open("/docs/app.js", "getDocsScript", "Its script").answers(
            "200",
            "A script.",
            "text/javascript",
            text,
        ),
        open(
            "/docs/replay.json",
            "getDocsReplay",
            "The turn that the page replays",
        )
        .answers(
            "200",
            "Recorded events, with their times.",
            "application/json",
            json!({"schema": {"type": "array"}}),
        ),
    ]
}

fn limit(least: u64, most: u64, default: u64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most, "default": default})
}

fn order() -> Value {
    json!({"enum": ["asc", "desc"], "default": "desc"})
}

fn view() -> Value {
    json!({"enum": ["all", "documented", "openai"]})
}

fn cursor() -> Value {
    json!({"type": "integer", "minimum": 0})
}
