//! Every refusal there is: the one list that the document and the reference page show.

use protocol::ErrorType;
use serde_json::{Value, json};

/// A refusal by its code.
pub(crate) struct Fault {
    pub status: u16,
    pub kind: ErrorType,
    pub code: &'static str,
    pub when: &'static str,
}

const fn fault(status: u16, kind: ErrorType, code: &'static str, when: &'static str) -> Fault {
    Fault {
        status,
        kind,
        code,
        when,
    }
}

const fn invalid(code: &'static str, when: &'static str) -> Fault {
    fault(400, ErrorType::InvalidRequest, code, when)
}

const fn conflict(code: &'static str, when: &'static str) -> Fault {
    fault(409, ErrorType::Conflict, code, when)
}

/// By status.
pub(crate) const FAULTS: [Fault; 35] = [
    invalid("invalid_json", "The body is not JSON, or not an object."),
    invalid(
        "missing_required_parameter",
        "A field that has to be there is not; `param` names it.",
    ),
    invalid(
        "invalid_type",
        "A field has a wrong type. Booleans and strings are not numbers.",
    ),
    invalid("invalid_value", "A value is not allowed, or out of range."),
    invalid(
        "invalid_metadata",
        "Not text pairs, too many of them, or too long.",
    ),
    invalid(
        "invalid_cursor",
        "`starting_after` or `after` is no position in what is read.",
    ),
    invalid("empty_input", "No task."),
    invalid(
        "unsupported_content",
        "An input item or part of a type that is not supported.",
    ),
    invalid(
        "string_above_max_length",
        "More characters than allowed; `param` names the place.",
    ),
    invalid(
        "model_not_found",
        "No such model; the message names close matches.",
    ),
    invalid(
        "unknown_parameter",
        "A field that looks like one of ours misspelt.",
    ),
    invalid(
        "unsupported_parameter",
        "`conversation`, `prompt`, or a tool of another type than `function` and `mcp`.",
    ),
    fault(
        401,
        ErrorType::Authentication,
        "missing_token",
        "No header, another scheme, or no token in it.",
    ),
    fault(
        401,
        ErrorType::Authentication,
        "invalid_token",
        "Hugging Face does not accept the token.",
    ),
    fault(
        401,
        ErrorType::Authentication,
        "organization_token_not_supported",
        "An organization's token; use a user's.",
    ),
    fault(
        403,
        ErrorType::Permission,
        "inference_provider_permission_required",
        "The token may not call Inference Providers. No session was made.",
    ),
    fault(
        404,
        ErrorType::NotFound,
        "not_found",
        "Nothing at this address.",
    ),
    fault(
        404,
        ErrorType::NotFound,
        "response_not_found",
        "No response with this id: unknown, deleted, or another account's.",
    ),
    fault(
        404,
        ErrorType::NotFound,
        "previous_response_not_found",
        "As above, for `previous_response_id`.",
    ),
    fault(
        404,
        ErrorType::NotFound,
        "session_not_found",
        "No session with this id, or another account's.",
    ),
    fault(
        405,
        ErrorType::InvalidRequest,
        "method_not_allowed",
        "`Allow` lists the methods of this address.",
    ),
    conflict(
        "session_busy",
        "The session is still processing a response.",
    ),
    conflict("approval_pending", "The session is paused on an approval."),
    conflict(
        "not_awaiting_approval",
        "The response does not wait for a decision, or another request decided it.",
    ),
    conflict(
        "not_awaiting_resume",
        "The response is not paused by a restart, or no longer the newest of its session.",
    ),
    conflict(
        "response_active",
        "The response is not at its end: cancel it first.",
    ),
    conflict(
        "idempotency_key_reused",
        "The key came with another body before.",
    ),
    fault(
        413,
        ErrorType::InvalidRequest,
        "request_too_large",
        "A body of more than 16 MiB.",
    ),
    fault(
        415,
        ErrorType::InvalidRequest,
        "unsupported_media_type",
        "A body that is not `application/json`.",
    ),
    fault(
        429,
        ErrorType::RateLimit,
        "session_limit_reached",
        "The account has as many live sessions as it may have, none of them idle.",
    ),
    fault(
        429,
        ErrorType::RateLimit,
        "capacity_reached",
        "The server has as many live sessions as it may have, none of them idle.",
    ),
    fault(
        429,
        ErrorType::RateLimit,
        "rate_limit_exceeded",
        "Too many requests of this account.",
    ),
    fault(
        500,
        ErrorType::Server,
        "internal_error",
        "Ours. The request id leads to the server's log.",
    ),
    fault(
        503,
        ErrorType::Server,
        "session_unavailable",
        "The session's runtime failed to start, or the server is shutting down; retry.",
    ),
    fault(
        503,
        ErrorType::Server,
        "auth_unavailable",
        "The token could not be checked: Hugging Face does not answer.",
    ),
];

/// Those that any request with a token may meet.
pub(super) const WITH_TOKEN: [&str; 6] = [
    "missing_token",
    "invalid_token",
    "organization_token_not_supported",
    "rate_limit_exceeded",
    "internal_error",
    "auth_unavailable",
];

/// Those of a request with a body.
pub(super) const WITH_BODY: [&str; 6] = [
    "invalid_json",
    "missing_required_parameter",
    "invalid_type",
    "invalid_value",
    "request_too_large",
    "unsupported_media_type",
];

/// The response object of one status, which lists its codes.
pub(super) fn response(status: u16, codes: &[&'static str]) -> Value {
    let mut lines: Vec<String> = Vec::new();
    let mut types: Vec<&str> = Vec::new();
    for fault in FAULTS.iter().filter(|fault| codes.contains(&fault.code)) {
        lines.push(format!("`{}`: {}", fault.code, fault.when));
        if !types.contains(&fault.kind.as_str()) {
            types.push(fault.kind.as_str());
        }
    }
    json!({
        "description": lines.join("\n\n"),
        "headers": headers(status),
        "content": {"application/json": {
            "schema": {"allOf": [
                {"$ref": "#/components/schemas/Error"},
                {"properties": {"error": {"properties": {"code": {"enum": codes}, "type": {"enum": types}}}}},
            ]},
            "example": {"error": {"message": "…", "type": types.first(), "param": null, "code": codes.first()}},
        }},
    })
}

fn headers(status: u16) -> Value {
    let mut headers = json!({"x-request-id": super::operation::request_id()});
    let (name, schema, what) = match status {
        401 => (
            "WWW-Authenticate",
            json!({"const": "Bearer"}),
            "The scheme.",
        ),
        409 => (
            "x-should-retry",
            json!({"const": "false"}),
            "SDKs retry a 409 by themselves; here it would not help.",
        ),
        429 | 503 => (
            "Retry-After",
            json!({"type": "integer", "minimum": 1, "maximum": 60}),
            "Seconds.",
        ),
        _ => return headers,
    };
    headers[name] = json!({"required": true, "schema": schema, "description": what});
    headers
}
