//! `POST /v1/chat/completions`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::json;

use super::answer::Answer;
use super::models::{self, Model};
use super::request::ChatRequest;
use super::scenario::{Fault, FaultKind};
use super::script::{self, Scene};
use super::stream::{self, Plan};
use crate::error::HubError;
use crate::ids;
use crate::state::App;
use crate::token::{Account, Caller};

pub async fn complete(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, HubError> {
    let account = caller.require()?;
    admit(&account)?;
    let request = ChatRequest::parse(&body)?;
    let model = models::resolve(&request.model)?;
    check_length(body.len(), model)?;
    let session = headers
        .get("x-hf-session-id")
        .and_then(|value| value.to_str().ok());
    let scene = Scene {
        account: &account.name,
        hub: &app.url,
        session: session.unwrap_or(""),
    };
    let cue = script::choose(&app.scenarios, &request)?;
    let turn = cue.turn();
    let strikes = |fault: &&Fault| {
        app.fault_tally
            .strike(&cue.key(&request, &scene), fault.times)
    };
    let fault = turn
        .and_then(|turn| turn.fault.as_ref())
        .filter(strikes)
        .cloned();
    let answer = cue.answer(&request, &scene, body.len());
    tokio::time::sleep(Duration::from_millis(turn.map_or(0, |turn| turn.delay_ms))).await;
    if let Some(fault) = fault
        .as_ref()
        .filter(|fault| fault.kind == FaultKind::Status)
    {
        return Ok(status(fault));
    }
    let mut response = if request.stream {
        stream::respond(Plan {
            answer,
            include_usage: request
                .stream_options
                .is_some_and(|options| options.include_usage),
            pace: Duration::from_millis(turn.map_or(0, |turn| turn.token_delay_ms)),
            fault,
        })
    } else {
        whole(answer, fault).await
    };
    if let Ok(id) = ids::random_id().parse() {
        response
            .headers_mut()
            .insert(HeaderName::from_static("inference-id"), id);
    }
    Ok(response)
}

/// Errors: 402 without credit, 403 without the inference permission.
fn admit(account: &Account) -> Result<(), HubError> {
    if !account.may_infer {
        let kind = account.kind();
        return Err(HubError::forbidden(format!(
            "This authentication method does not have sufficient permissions to call Inference Providers on behalf of {kind} {}",
            account.name
        )));
    }
    if account.is_broke {
        return Err(HubError::new(
            StatusCode::PAYMENT_REQUIRED,
            "You have depleted your monthly included credits. Purchase pre-paid credits to continue using \
             Inference Providers. Alternatively, subscribe to PRO to get 20x more included credits.",
        ));
    }
    Ok(())
}

fn check_length(bytes: usize, model: &Model) -> Result<(), HubError> {
    let (tokens, most) = (bytes / 4, model.context);
    if tokens > most {
        return Err(HubError::bad_request(format!(
            "The prompt is too long: {tokens}, model maximum context length: {most}"
        )));
    }
    Ok(())
}

fn status(fault: &Fault) -> Response {
    let code = fault
        .status
        .and_then(|code| StatusCode::from_u16(code).ok());
    let code = code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match &fault.body {
        Some(body) => (code, [(CONTENT_TYPE, "application/json")], body.clone()).into_response(),
        None => HubError::new(code, "scripted fault").into_response(),
    };
    if let Some(seconds) = fault.retry_after {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}

/// The answer in one piece, for requests that do not stream.
async fn whole(answer: Answer, fault: Option<Fault>) -> Response {
    let json_body = [(CONTENT_TYPE, "application/json")];
    match fault.as_ref().map(|fault| fault.kind) {
        Some(FaultKind::Hang) => std::future::pending().await,
        Some(FaultKind::Garbage) => (json_body, "{\"choices\": [{\"mess").into_response(),
        Some(FaultKind::Empty) => Json(answer.emptied().completion()).into_response(),
        Some(FaultKind::ErrorEvent) => {
            let message = fault.and_then(|fault| fault.body);
            let message = message.unwrap_or_else(|| "upstream provider failed".to_owned());
            Json(json!({"error": {"message": message, "type": "server_error"}})).into_response()
        }
        Some(FaultKind::Cut) => {
            let pieces = [
                Ok(Bytes::from_static(b"{\"choices\": [")),
                Err(std::io::Error::other("scripted cut")),
            ];
            (
                json_body,
                Body::from_stream(futures_util::stream::iter(pieces)),
            )
                .into_response()
        }
        Some(FaultKind::Status) | None => Json(answer.completion()).into_response(),
    }
}
