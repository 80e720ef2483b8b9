//! From an answer to an [`ErrorKind`]: typed codes and status decide; words only where nothing else
//! can.

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use super::{ErrorBody, ErrorKind, PlatformError, clip, retry_after::retry_after, scrub};
use crate::Token;

/// An error status with its headers and body.
pub(crate) fn from_response(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    token: Option<&Token>,
) -> PlatformError {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let mut said = ErrorBody::parse(body);
    said.codes.extend(text("x-error-code"));
    let message = said.message.take().or_else(|| text("x-error-message"));
    let message = message.unwrap_or_else(|| format!("the platform answered {status}"));
    PlatformError {
        kind: kind(Some(status.as_u16()), &said.codes, &message),
        status: Some(status.as_u16()),
        message: clip(&scrub(&message, token)),
        request_id: text("x-request-id")
            .or_else(|| text("inference-id"))
            .map(|id| clip(&id)),
        retry_after: retry_after(headers),
    }
}

/// An error inside a stream that began with 200.
pub(crate) fn from_stream_event(event: &Value, token: Option<&Token>) -> PlatformError {
    let said = ErrorBody::from_value(event);
    let message = said
        .message
        .unwrap_or_else(|| "the provider reported an error without words".into());
    PlatformError {
        kind: kind(said.status, &said.codes, &message),
        status: said.status,
        message: clip(&scrub(&message, token)),
        request_id: None,
        retry_after: None,
    }
}

fn kind(status: Option<u16>, codes: &[String], message: &str) -> ErrorKind {
    if let Some(kind) = codes.iter().find_map(|code| decisive_code(code)) {
        return kind;
    }
    let plain = match status {
        Some(status) => by_status(status),
        None => codes
            .iter()
            .find_map(|code| hinting_code(code))
            .unwrap_or(ErrorKind::Unavailable),
    };
    // Providers wrap a refusal of the prompt in these; every other status means what it says.
    let open = matches!(status, None | Some(400 | 404 | 413 | 422 | 500));
    if open {
        by_words(message).unwrap_or(plain)
    } else {
        plain
    }
}

/// Codes that say more than the status they come with.
fn decisive_code(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "RepoNotFound" | "RevisionNotFound" | "EntryNotFound" => ErrorKind::NotFound,
        "GatedRepo" => ErrorKind::Permission,
        "context_length_exceeded" | "context_window_exceeded" => ErrorKind::ContextOverflow,
        "model_not_supported" | "model_not_found" => ErrorKind::ModelUnsupported,
        "insufficient_quota" | "billing_hard_limit_reached" | "billing_not_active" => {
            ErrorKind::Billing
        }
        _ => return None,
    })
}

/// Codes that stand in for a status where there is none.
fn hinting_code(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "invalid_api_key" | "authentication_error" => ErrorKind::Auth,
        "permission_error" => ErrorKind::Permission,
        "rate_limit_exceeded" | "rate_limit_error" | "too_many_requests" => ErrorKind::RateLimited,
        "invalid_request_error" => ErrorKind::BadRequest,
        _ => return None,
    })
}

fn by_status(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Auth,
        402 => ErrorKind::Billing,
        403 => ErrorKind::Permission,
        404 | 410 => ErrorKind::NotFound,
        408 | 425 => ErrorKind::Unavailable,
        409 | 412 | 423 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        400..500 => ErrorKind::BadRequest,
        500..600 => ErrorKind::Unavailable,
        // A redirect that was not followed, or a number from nowhere.
        _ => ErrorKind::Garbage,
    }
}

/// The few phrases that mean one thing whoever says them.
fn by_words(message: &str) -> Option<ErrorKind> {
    const OVERFLOW: [&str; 9] = [
        "prompt is too long",
        "input is too long",
        "maximum context length",
        "max context length",
        "context length exceeded",
        "context window exceeded",
        "exceeds the context window",
        "too many input tokens",
        "longer than the maximum model length",
    ];
    const UNSUPPORTED: [&str; 3] = [
        "not supported by provider",
        "not supported by any provider",
        "no provider supports",
    ];
    let message = message.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    if says(&OVERFLOW) {
        Some(ErrorKind::ContextOverflow)
    } else if says(&UNSUPPORTED)
        || (says(&["the model ", "model '", "model `"]) && says(&["does not exist"]))
    {
        Some(ErrorKind::ModelUnsupported)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::{ErrorKind, from_response, from_stream_event};
    use crate::Token;

    fn kind(status: u16, body: &str) -> ErrorKind {
        from_response(
            StatusCode::from_u16(status).unwrap(),
            &HeaderMap::new(),
            body.as_bytes(),
            None,
        )
        .kind
    }

    #[test]
    fn answers_are_sorted() {
        let unsupported = r#"{"error":{"message":"The requested model 'X' is not supported by any provider you have enabled.","type":"invalid_request_error","param":"model","code":"model_not_supported"}}"#;
        let table = [
            (400, unsupported, ErrorKind::ModelUnsupported),
            (
                400,
                r#"{"error":"Model not supported by provider hf-inference"}"#,
                ErrorKind::ModelUnsupported,
            ),
            (
                404,
                r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#,
                ErrorKind::ModelUnsupported,
            ),
            (
                400,
                r#"{"error":"The prompt is too long: 365407, model maximum context length: 262143"}"#,
                ErrorKind::ContextOverflow,
            ),
            (
                400,
                r#"{"error":{"message":"m","code":"context_length_exceeded"}}"#,
                ErrorKind::ContextOverflow,
            ),
            (
                500,
                r#"{"error":"This model's maximum context length is 4096 tokens."}"#,
                ErrorKind::ContextOverflow,
            ),
            (
                401,
                r#"{"error":"Invalid username or password."}"#,
                ErrorKind::Auth,
            ),
            (
                402,
                r#"{"error":"You have depleted your monthly included credits."}"#,
                ErrorKind::Billing,
            ),
            (
                402,
                r#"{"error":{"message":"depleted"}}"#,
                ErrorKind::Billing,
            ),
            (
                429,
                r#"{"error":{"message":"m","code":"insufficient_quota"}}"#,
                ErrorKind::Billing,
            ),
            (
                403,
                r#"{"error":"This authentication method does not have sufficient permissions"}"#,
                ErrorKind::Permission,
            ),
            (404, "", ErrorKind::NotFound),
            (409, "", ErrorKind::Conflict),
            (412, "", ErrorKind::Conflict),
            (
                400,
                r#"{"error":"500 tokens requested"}"#,
                ErrorKind::BadRequest,
            ),
            (422, "{}", ErrorKind::BadRequest),
            (429, "engine_overloaded", ErrorKind::RateLimited),
            // A status that is clear is not overruled by words.
            (429, "maximum context length", ErrorKind::RateLimited),
            (403, "the model does not exist", ErrorKind::Permission),
            (408, "", ErrorKind::Unavailable),
            (502, "<html>", ErrorKind::Unavailable),
            (302, "", ErrorKind::Garbage),
        ];
        for (status, body, expected) in table {
            assert_eq!(kind(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn the_hubs_typed_codes_overrule_the_status() {
        let mut headers = HeaderMap::new();
        headers.insert("x-error-code", HeaderValue::from_static("RepoNotFound"));
        headers.insert(
            "x-error-message",
            HeaderValue::from_static("Repository not found"),
        );
        headers.insert("x-request-id", HeaderValue::from_static("Root=1-2"));
        let error = from_response(StatusCode::UNAUTHORIZED, &headers, b"", None);
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert_eq!(error.message, "Repository not found");
        assert_eq!(error.request_id.as_deref(), Some("Root=1-2"));
    }

    #[test]
    fn errors_inside_a_stream_are_sorted_too() {
        let table = [
            (
                json!({"error":{"message":"slow down","code":429}}),
                ErrorKind::RateLimited,
            ),
            (
                json!({"error":{"message":"m","type":"rate_limit_error"}}),
                ErrorKind::RateLimited,
            ),
            (
                json!({"error":{"message":"m","type":"invalid_request_error"}}),
                ErrorKind::BadRequest,
            ),
            (
                json!({"error":{"message":"Input is too long for this model"}}),
                ErrorKind::ContextOverflow,
            ),
            (
                json!({"error":"upstream went away"}),
                ErrorKind::Unavailable,
            ),
            (json!({"error":{}}), ErrorKind::Unavailable),
        ];
        for (event, expected) in table {
            assert_eq!(from_stream_event(&event, None).kind, expected, "{event}");
        }
    }

    #[test]
    fn an_echoed_token_is_blanked_out() {
        let token = Token::new("hf_alice".into());
        let error = from_response(
            StatusCode::BAD_REQUEST,
            &HeaderMap::new(),
            br#"{"error":"bad hf_alice"}"#,
            Some(&token),
        );
        assert_eq!(error.message, "bad [token]");
    }
}
